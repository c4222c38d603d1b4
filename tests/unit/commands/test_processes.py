"""A fork that tests run a command in ends, says and sees what a newly started interpreter does."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from zygote import asking, process

from policysync.cli import COMMANDS

CONFIG = 'version: 1\nkinds: ["${env:KINDS}"]\n'

pytestmark = pytest.mark.skipif(process.zygote() is None, reason="there are no forks here")


def plain(*words: str, cwd: Path, environ: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "policysync", *words]
    return subprocess.run(
        line, cwd=cwd, env=environ, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )


def environment(**more: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("POLICYSYNC_")}
    return {**kept, "PYTHONPATH": str(asking.ROOT), "NO_COLOR": "1", **more}


def assert_same(*words: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    forked = process.run(*words, cwd=cwd, environ=environment(**environ))
    started = plain(*words, cwd=cwd, environ=environment(**environ))
    said = (forked.returncode, forked.stdout, forked.stderr)
    assert said == (started.returncode, started.stdout, started.stderr)
    return forked


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_finds_its_imports_by_itself(name: str, tmp_path: Path) -> None:
    assert assert_same(name, "--help", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("line", ["", "nonsense", "--version", "validate", "plan --stage dev", "kinds"])
def test_it_ends_and_says_the_same(line: str, tmp_path: Path) -> None:
    assert_same(*line.split(), cwd=tmp_path)


def test_it_has_the_folder_and_the_environment_it_is_given(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    assert process.run("init", cwd=tmp_path / "one", environ=environment()).returncode == 0
    assert (tmp_path / "one/policysync.yaml").is_file()
    assert process.run("config", "check", cwd=tmp_path / "one", environ=environment()).returncode == 0
    assert "policysync.yaml" in assert_same("config", "check", cwd=tmp_path / "two").stderr
    assert "INFO" not in process.run("validate", cwd=tmp_path / "one", environ=environment()).stderr
    loud = environment(POLICYSYNC_VERBOSE="2")
    assert process.run("validate", cwd=tmp_path / "one", environ=loud).stderr != ""


def test_git_that_is_not_on_its_path_is_not_found(tmp_path: Path) -> None:
    line = ("init", str(tmp_path / "new"))
    ended = process.run(*line, cwd=tmp_path, environ={"PATH": str(tmp_path)})
    assert (ended.returncode, "git is not installed" in ended.stderr) == (1, True)


def test_what_an_interpreter_reads_when_it_starts_makes_a_new_one() -> None:
    server = process.zygote()
    assert server is not None
    assert asking.fits(environment(), server.told, ())
    for name, value in {"PYTHONHASHSEED": "7", "PYTHONPATH": "elsewhere", "LC_ALL": "de_DE.ISO-8859-1"}.items():
        assert not asking.fits(environment(**{name: value}), server.told, ())
    with process.start("--version", environ=environment(PYTHONHASHSEED="7")) as started:
        assert isinstance(started, subprocess.Popen)
        started.communicate()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_signal_is_how_it_ended(number: signal.Signals) -> None:
    with process.start("emulate", "--port", "0", environ=environment()) as running:
        assert isinstance(running, process.Process)
        if number is signal.SIGTERM:
            # From then on it ends in good order, as the command says.
            assert running.stdout.readline().startswith("console at")
        running.send_signal(number)
        assert running.wait(60) == (0 if number is signal.SIGTERM else -signal.SIGKILL)


def test_what_takes_too_long_is_ended() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        process.run("emulate", "--port", "0", environ=environment(), timeout=0.5)


def test_a_script_finds_it_on_its_path(tmp_path: Path) -> None:
    environ = environment(PATH=f"{process.scripts()}{os.pathsep}{os.environ['PATH']}")
    script = "policysync kinds --nonsense; echo $?; policysync schema Label | head -1; policysync --version < /dev/null"
    ended = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environ, capture_output=True, text=True, check=False
    )
    first, opened, version = ended.stdout.splitlines()
    assert (first, opened, version.split()[0]) == ("1", "{", "policysync")
    assert "No such option" in ended.stderr


def test_nothing_outlives_whoever_asked() -> None:
    script = (
        "import os; from zygote import process; server = process.zygote();"
        "environ = {**os.environ, 'PYTHONPATH': str(process.ROOT)};"
        "running = process.start('emulate', '--port', '0', environ=environ); running.stdout.read(1);"
        "print(server._server.pid, running.pid, flush=True); os._exit(9)"
    )
    environ = environment(PYTHONPATH=f"{asking.ROOT}{os.pathsep}{asking.ROOT / 'tests'}")
    ended = subprocess.run([sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=False)
    assert ended.returncode == 9, ended.stderr
    left = [int(word) for word in ended.stdout.split()]
    assert len(left) == 2
    until = time.monotonic() + 60
    while left and time.monotonic() < until:
        left = [pid for pid in left if alive(pid)]
    assert left == []


def alive(pid: int) -> bool:
    """Say whether a process still runs; one that nobody has waited for does not."""
    with contextlib.suppress(OSError):
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    ended = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return ended.stdout.strip() not in ("", "Z")
