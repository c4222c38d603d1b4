"""`validate` with paths alone is answered without the command line, and says the same as with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from unit.documents.world import PROJECT, kinds, policy, write

from policysync.__main__ import is_plain

PLAIN = "from policysync.__main__ import main; main()"
FULL = "from policysync.cli import main; main()"

# What validates, when it is imported, finds this in its place.
INTERRUPTED = """\
import os, signal
# A job in the background of a script is started with interrupts ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)
import policysync.documents.validate as judging
judging.validate = lambda *_, **__: os.kill(os.getpid(), signal.SIGINT)
"""
BROKEN = "import policysync.documents.validate as judging; judging.validate = lambda *_, **__: 1 / 0\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A policy repository with a good file, a bad one, one with a warning and one that is no YAML."""
    root = tmp_path / "repo"
    kinds(root)
    files = {
        "policies/base/good.yaml": policy("enabled: true", "good"),
        "policies/base/bad.yaml": policy("enabled: yes", "bad"),
        "policies/base/warned.yaml": policy("enabled: true\nauthor: me", "warned"),
        "policies/base/broken.yaml": "a: [",
    }
    return write(root, {"policysync.yaml": PROJECT + "schemas: [schemas]\n", **files})


def ended(program: str, folder: Path, *paths: str) -> tuple[int, bytes, bytes]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("POLICYSYNC_")}
    environ["XDG_CACHE_HOME"] = str(folder / ".home")
    line = [sys.executable, "-c", program, "validate", *paths]
    done = subprocess.run(line, cwd=folder, env=environ, capture_output=True, check=False)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("paths", "status"),
    [
        (["policies/base/good.yaml"], 0),
        (["policies/base/warned.yaml", "policies/base/good.yaml"], 0),
        (["policies/base/bad.yaml"], 1),
        (["policies/base/broken.yaml"], 1),
        (["policysync.yaml"], 1),
        (["policies"], 1),
        (["policies/base/missing.yaml"], 1),
        (["policies/base/good.yaml", ".."], 1),
        ([], 1),
    ],
)
def test_both_ways_say_the_same(root: Path, paths: list[str], status: int) -> None:
    plain = ended(PLAIN, root, *paths)
    assert plain == ended(FULL, root, *paths)
    assert plain[0] == status
    assert plain[2]


def test_outside_a_repository(root: Path, tmp_path: Path) -> None:
    beside = tmp_path / "beside"
    beside.mkdir()
    for paths in ([], ["nothing.yaml"], [str(root / "policies/base/good.yaml")]):
        assert ended(PLAIN, beside, *paths) == ended(FULL, beside, *paths)


def test_a_broken_configuration(root: Path) -> None:
    write(root, {"policysync.yaml": "version: 2\nstages: 3\n"})
    plain = ended(PLAIN, root, "policies/base/good.yaml")
    assert plain == ended(FULL, root, "policies/base/good.yaml")
    assert plain[0] == 1


def test_an_interrupt(root: Path) -> None:
    plain = ended(INTERRUPTED + PLAIN, root, "policies/base/good.yaml")
    assert plain == ended(INTERRUPTED + FULL, root, "policies/base/good.yaml")
    assert plain == (130, b"", b"\nerror: interrupted\n")


def test_a_bug_shows_its_traceback(root: Path) -> None:
    for program in (PLAIN, FULL):
        status, out, err = ended(BROKEN + program, root, "policies/base/good.yaml")
        assert (status, out) == (1, b"")
        assert err.startswith(b"Traceback (most recent call last):\n")
        assert err.endswith(b"ZeroDivisionError: division by zero\n")


def test_a_reader_that_goes_away(root: Path) -> None:
    for program in (PLAIN, FULL):
        line = [sys.executable, "-c", program, "validate", "policies/base/bad.yaml"]
        with subprocess.Popen(line, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.close()
            assert process.stderr is not None
            assert process.stderr.read() == b""
        assert process.returncode == 1


@pytest.mark.parametrize(
    ("arguments", "environ", "plain"),
    [
        (["validate"], {}, True),
        (["validate", "a.yaml", "b.yaml"], {"PATH": "/bin"}, True),
        (["validate", "a.yaml", "--format", "json"], {}, False),
        (["validate", "--help"], {}, False),
        (["validate", "--", "a.yaml"], {}, False),
        (["-v", "validate", "a.yaml"], {}, False),
        (["plan"], {}, False),
        ([], {}, False),
        (["validate", "a.yaml"], {"POLICYSYNC_VALIDATE_STAGE": "prod"}, False),
        (["validate", "a.yaml"], {"_POLICYSYNC_COMPLETE": "bash_source"}, False),
        (["validate", "a.yaml"], {"PYTHONIOENCODING": "ascii"}, False),
    ],
)
def test_what_is_answered_so(arguments: list[str], environ: dict[str, str], plain: bool) -> None:
    assert is_plain(arguments, environ) is plain


def test_the_command_line_is_not_imported(root: Path) -> None:
    """Nor is git asked anything, and what was parsed before is not parsed again."""
    (root / "policies/base/broken.yaml").unlink()
    program = (
        "import sys, atexit\n"
        "atexit.register(lambda: print(sorted({'click', 'logging', 'subprocess', 'yaml'} & set(sys.modules))))\n"
    )
    ended(PLAIN, root, "policies/base/good.yaml")
    status, out, _ = ended(program + PLAIN, root, "policies/base/good.yaml")
    assert (status, out) == (0, b"[]\n")
