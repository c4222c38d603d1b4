"""A Secure App Connector from an empty machine to in sync, drifted, moved, rebuilt and let go.

Against a real OpenSSH server where this machine has one, and always against a shell right here.
"""

from __future__ import annotations

import fcntl
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from acceptance.policy_repository import PolicyRepository, Ran, new_repository

from systems.skyhigh_machine import SSHD, Machine, behind_openssh, here, package

KEY = "eyJrZXkiOiJzZWNyZXQtcHJvdmlzaW9uaW5nLWtleSJ9"
WAYS = ["openssh", "a shell here"] if SSHD else ["a shell here"]


@pytest.fixture(params=WAYS, name="machine")
def _machine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Machine]:
    way = (
        here(tmp_path / "root")
        if request.param == "a shell here"
        else behind_openssh(tmp_path / "root", tmp_path / "ssh")
    )
    with way as machine:
        yield machine


@pytest.fixture(name="git")
def _git(tmp_path: Path, machine: Machine) -> Iterator[PolicyRepository]:
    with package(tmp_path / "package") as (url, digest):
        git = new_repository(tmp_path / "policies", PROVISIONING_KEY=KEY, **machine.environ)
        git.write("policysync.yaml", project({**machine.options, "settle_seconds": 0}))
        git.write("policies/base/connector.yaml", connector(machine, url, digest))
        git.commit()
        yield git


def project(options: dict[str, object]) -> str:
    target = {"name": "datacentre", "backend": "skyhigh", "options": options}
    return json.dumps({"version": 1, "stages": [{"name": "dev", "targets": [target]}]})


def connector(machine: Machine, url: str, digest: str) -> str:
    return f"""\
apiVersion: policysync/v1
kind: SecureAppConnector
metadata: {{name: sac-eu-01}}
spec:
  connectorGroup: eu-datacentre
  host:
    hostname: sac-eu-01
    address: 127.0.0.1
    os: {{distribution: ubuntu, version: "22.04"}}
    ssh: {json.dumps(machine.ssh)}
  gateway: {{pop: de}}
  provisioningKeyFrom: {{env: PROVISIONING_KEY}}
  proxy: {{url: "http://10.212.24.192:9090", noProxy: [internal.lan.mycompany.com]}}
  package: {{url: "{url}", sha256: {digest}}}
"""


def apply(git: PolicyRepository, *more: str) -> Ran:
    git.commit()
    return git.run("apply", "--stage", "dev", "--yes", *more)


def test_from_an_empty_machine_to_in_sync_drifted_and_let_go(git: PolicyRepository, machine: Machine) -> None:
    planned = git.run("plan", "--stage", "dev")
    assert "+ SecureAppConnector/sac-eu-01" in planned.out, planned.err
    applied = apply(git)
    assert applied.status == 0, applied.out
    assert machine.given == [
        f"--provision_key={KEY}",
        "--gateway=de.pa-wgcs.skyhigh.cloud",
        "--proxy=http://10.212.24.192:9090",
        "--no_proxy=internal.lan.mycompany.com",
    ]
    assert "No changes." in git.run("plan", "--stage", "dev").out
    machine.tunnel("tun1", up=False)
    drifted = git.run("drift", "--stage", "dev")
    assert drifted.status == 2
    assert "running.tunnels: 2 → 1" in drifted.out
    healing = apply(git)
    assert healing.status == 1
    assert "running.tunnels is for the machine, not for policysync" in healing.out
    machine.tunnel("tun1", up=True)
    assert git.run("drift", "--stage", "dev").status == 0
    (git.root / "policies/base/connector.yaml").unlink()
    git.write("policies/base/label.yaml", "apiVersion: policysync/v1\nkind: Label\nmetadata: {name: a}\nspec: {}\n")
    gone = git.run("plan", "--stage", "dev", "--prune")
    assert "- SecureAppConnector/sac-eu-01" in gone.out, gone.err
    assert apply(git, "--prune", "--allow", "empty-desired", "--allow", "too-many-deletes").status == 0
    assert "No changes." in git.run("plan", "--stage", "dev", "--prune").out


def test_the_key_is_where_the_installer_needs_it_and_nowhere_else(
    git: PolicyRepository, machine: Machine, tmp_path: Path
) -> None:
    ran = [git.run("plan", "--stage", "dev", "--out", "plan.json"), apply(git), git.run("history", "--stage", "dev")]
    ran.append(git.run("check", "--stage", "dev"))
    ran.append(git.run("render", "--stage", "dev", "--out", "artefacts"))
    assert [one.status for one in ran] == [0, 0, 0, 0, 0], [one.err for one in ran]
    assert not any(KEY in one.out + one.err for one in ran)
    # The installer takes it as an argument; nothing else on the machine ever does.
    installer = (machine.root / "installer-pid").read_text().strip()
    seen = (machine.root / "seen-in").read_text().split()
    assert {Path(file).parent.name for file in seen} <= {installer, "self"} | _children(seen, installer)
    holding = subprocess.run(
        ["grep", "-rlaF", KEY, git.root, machine.root], capture_output=True, text=True, check=False
    )
    kept = {str(Path(file).relative_to(tmp_path)) for file in holding.stdout.split()}
    assert kept <= {"root/given", "root/var/log/policysync-skyhigh-install.log"}
    assert (machine.root / "var/log/policysync-skyhigh-install.log").stat().st_mode & 0o077 == 0
    assert not (machine.root / "etc/policysync/skyhigh/provision_key").exists()


def _children(seen: list[str], installer: str) -> set[str]:
    """Return processes that are only the installer's own search for the key."""
    return {Path(file).parent.name for file in seen if not Path(file).exists() and installer}


def test_what_only_git_says_is_recorded_and_what_nothing_changes_is_refused(
    git: PolicyRepository, machine: Machine
) -> None:
    assert apply(git).status == 0
    (machine.root / "given").unlink()
    document = "policies/base/connector.yaml"
    git.replace(
        document,
        "gateway: {pop: de}",
        "gateway: {pop: Germany}\n  applications: [{name: wiki, protocol: HTTPS, host: wiki.example, ports: '443'}]",
    )
    planned = git.run("plan", "--stage", "dev")
    assert "applications" in planned.out
    assert "gateway" not in planned.out
    assert apply(git).status == 0
    assert not (machine.root / "given").exists()
    assert "No changes." in git.run("plan", "--stage", "dev").out
    git.replace(document, "pop: Germany", "pop: fr")
    assert "-/+ SecureAppConnector/sac-eu-01" in git.run("plan", "--stage", "dev").out
    assert apply(git).status == 3
    refused = apply(git, "--allow", "immutable")
    assert refused.status == 1
    assert "rebuild the machine" in refused.out
    machine.rebuild()
    assert apply(git).status == 0
    assert machine.given[1] == "--gateway=fr.pa-wgcs.skyhigh.cloud"


def test_a_machine_that_is_not_ready_is_left_alone(git: PolicyRepository, machine: Machine) -> None:
    machine.write("proc/cpuinfo", "processor : x\n" * 2)
    machine.write("etc/timezone", "Europe/Berlin\n")
    machine.write("etc/modprobe.d/hardening.conf", "install squashfs /bin/true\n")
    machine.write("closed", "")
    checked = git.run("check", "--stage", "dev", "--preflight", "--format", "json")
    assert checked.status == 1
    signs = {sign["reason"] for each in checked.json()["checked"] for sign in each["signs"] if sign["level"] == "error"}
    assert {"cpu-too-small", "not-utc", "squashfs-disabled"} <= signs
    refused = apply(git)
    assert refused.status == 1
    assert "2 processors; want at least 4" in refused.out
    assert not (machine.root / "given").exists()


def test_an_installation_that_fails_says_where_and_can_be_repeated(git: PolicyRepository, machine: Machine) -> None:
    proxy = '  proxy: {url: "http://10.212.24.192:9090", noProxy: [internal.lan.mycompany.com]}\n'
    git.replace("policies/base/connector.yaml", proxy, "")
    machine.write("broken", "")
    failed = apply(git)
    assert failed.status == 1
    assert "failed at the installer with status 7" in failed.out
    assert KEY not in failed.out + failed.err
    (machine.root / "broken").unlink()
    assert apply(git).status == 0
    assert machine.given == [f"--provision_key={KEY}", "--gateway=de.pa-wgcs.skyhigh.cloud"]
    assert "No changes." in git.run("plan", "--stage", "dev").out


def test_a_connector_somebody_else_installed_is_never_touched(git: PolicyRepository, machine: Machine) -> None:
    machine.write("usr/local/bin/pa_connector.sh", "#!/bin/sh\n", 0o755)
    planned = git.run("plan", "--stage", "dev")
    assert "unreadable: installed-by-others" in planned.out
    assert apply(git).status == 1


def test_an_installation_that_still_runs_there_is_not_begun_a_second_time(
    git: PolicyRepository, machine: Machine
) -> None:
    machine.write("run/policysync-skyhigh.lock", "")
    machine.write("etc/policysync/skyhigh/provision_key", "in use")
    with (machine.root / "run/policysync-skyhigh.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        refused = apply(git)
    assert refused.status == 1
    assert "failed at the lock: another installation runs there" in refused.out
    assert not (machine.root / "given").exists()
    assert (machine.root / "etc/policysync/skyhigh/provision_key").read_text() == "in use"
    assert apply(git).status == 0


def test_a_machine_that_stopped_in_the_middle_is_installed_anew(git: PolicyRepository, machine: Machine) -> None:
    machine.write("etc/policysync/skyhigh/installed.json", '{"begun": true}')
    machine.write("etc/policysync/skyhigh/provision_key", "left behind")
    machine.write("usr/local/bin/pa_connector.sh", "#!/bin/sh\n", 0o755)
    assert "+ SecureAppConnector/sac-eu-01" in git.run("plan", "--stage", "dev").out
    assert apply(git).status == 0
    assert not (machine.root / "etc/policysync/skyhigh/provision_key").exists()
    machine.write("etc/policysync/skyhigh/installed.json", "{half")
    assert "is not what policysync left there" in git.run("plan", "--stage", "dev").out


@pytest.mark.skipif(not SSHD, reason="no OpenSSH server here; every other test of this file ran against a shell")
def test_a_machine_that_is_off_or_is_another_one_is_unreadable(tmp_path: Path) -> None:
    with behind_openssh(tmp_path / "root", tmp_path / "ssh") as machine, package(tmp_path / "package") as (url, digest):
        git = new_repository(tmp_path / "policies", PROVISIONING_KEY=KEY)
        git.write("policysync.yaml", project(machine.options))
        git.write("policies/base/connector.yaml", connector(machine, url, digest))
        git.commit()
        port = machine.ssh["port"]
        other = (tmp_path / "ssh" / "key.pub").read_text(encoding="utf-8")
        (tmp_path / "ssh" / "known_hosts").write_text(f"[127.0.0.1]:{port} {other}", encoding="utf-8")
        assert "unreadable: host-refused" in git.run("plan", "--stage", "dev").out
        machine.stop()
        off = git.run("plan", "--stage", "dev", "--detailed-exitcode")
        assert "unreadable: host-unreachable" in off.out
        assert off.status == 2
        assert apply(git).status == 1
