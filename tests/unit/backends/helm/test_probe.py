"""What a pod that tries the hosts of tunnels is asked, what it says, and what that means."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from policysync.backends.helm.probe import SCRIPT, pod, read, trouble
from policysync.backends.port import Level

ENDS = (("one.example", 443), ("two.example", 8443), ("three.example", 443))
NC = """\
#!/bin/sh
[ "$1 $2 $5 $6" = "-w 5 -e true" ] || exit 9
case "$3" in
  one.example) exit 0 ;;
  two.example) printf "nc: bad address '%s'\\n" "$3" >&2; exit 1 ;;
  *) printf 'nc: %s (192.0.2.1:%s):\\tConnection\\nrefused\\n' "$3" "$4" >&2; exit 1 ;;
esac
"""


def told(log: str, why: str = "") -> list[tuple[str, Level, str]]:
    return [(sign.name, sign.level, sign.reason) for sign in read(log, ENDS, why)]


def run(folder: Path, *args: str) -> str:
    command = pod("probe", "image", ENDS)["spec"]["containers"][0]["command"]
    environ = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run([*command, *args], env=environ, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def tools(tmp_path: Path) -> Path:
    (tmp_path / "nc").write_text(NC, encoding="utf-8")
    (tmp_path / "nc").chmod(0o755)
    return tmp_path


def test_what_the_shell_writes_is_read_as_one_sign_for_each_host(tools: Path) -> None:
    log = run(tools, *pod("probe", "image", ENDS)["spec"]["containers"][0]["args"])
    assert told(log) == [
        ("preflight/tunnel/one.example", Level.OK, ""),
        ("preflight/tunnel/two.example", Level.ERROR, "tunnel-host-unresolved"),
        ("preflight/tunnel/three.example", Level.ERROR, "tunnel-port-closed"),
    ]
    assert "192.0.2.1:443): Connection refused" in list(read(log, ENDS, ""))[2].message


def test_a_host_is_never_read_as_a_command(tools: Path) -> None:
    host = "$(touch hit);`touch hit` 'x"
    assert run(tools, host, "443").startswith(f"tried\t{host}\t443\t1\t")
    assert not list(Path().glob("hit"))
    # What Kubernetes would put in place of `$(NAME)` are names of variables only, and there are none.
    assert "$$" not in SCRIPT
    assert "env" not in pod("probe", "image", ENDS)["spec"]["containers"][0]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("127\tsh: nc: not found", "probe-failed"),
        ("1\tnc: invalid option -- 'e'", "probe-failed"),
        ("1\tnc: Temporary failure in name resolution", "tunnel-host-unresolved"),
        ("1\tnc: timed out", "tunnel-port-closed"),
        ("1\t", "tunnel-port-closed"),
    ],
)
def test_what_nc_says_tells_a_name_from_a_port_and_from_an_image_that_cannot(line: str, reason: str) -> None:
    assert told(f"tried\tone.example\t443\t{line}\n")[0][2] == reason


def test_what_the_pod_did_not_say_is_unknown_with_the_cause() -> None:
    log = "noise\ntried\tone.example\t444\t0\t\ntried\tother.example\t443\t0\t\ntried\tone.example\n"
    assert {(level, reason) for _, level, reason in told(log, "DeadlineExceeded")} == {(Level.UNKNOWN, "probe-failed")}
    assert "DeadlineExceeded" in next(read(log, ENDS, "DeadlineExceeded")).message
    assert "it wrote nothing" in next(read("", ENDS, "")).message


def test_a_pod_may_run_where_the_strictest_standard_holds() -> None:
    spec = pod("probe", "mirror.example/busybox:1", ENDS)["spec"]
    (container,) = spec["containers"]
    assert (spec["restartPolicy"], spec["automountServiceAccountToken"]) == ("Never", False)
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert (container["image"], container["args"][:2]) == ("mirror.example/busybox:1", ["one.example", "443"])
    assert spec["activeDeadlineSeconds"] > 0


def waiting(**said: str) -> dict[str, Any]:
    return {"status": {"containerStatuses": [{"state": {"waiting": said}}]}}


@pytest.mark.parametrize(
    ("held", "said"),
    [
        ({}, ""),
        (waiting(reason="ContainerCreating"), ""),
        (waiting(reason="ImagePullBackOff", message="no such image"), "ImagePullBackOff: no such image"),
        ({"status": {"containerStatuses": [{"state": {"terminated": {"reason": "OOMKilled"}}}]}}, "OOMKilled"),
        ({"status": {"containerStatuses": [{"state": {"terminated": {"reason": "Completed"}}}]}}, ""),
        ({"status": {"reason": "DeadlineExceeded"}}, "DeadlineExceeded"),
        (
            {"status": {"conditions": [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}]}},
            "Unschedulable",
        ),
    ],
)
def test_what_keeps_a_pod_from_running_is_told_in_the_words_of_the_cluster(held: dict[str, Any], said: str) -> None:
    assert trouble(held) == said
