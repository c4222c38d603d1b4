from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from policysync.documents.secret_sources import from_command
from policysync.documents.secrets import resolver
from policysync.errors import PolicySyncError


def program(root: Path, body: str, name: str = "program") -> str:
    """Write a Python program, and return the line that runs it."""
    (root / name).write_text(body)
    return f"{sys.executable} {name}"


def test_a_command_is_run_once_in_the_policy_root_and_in_no_shell(tmp_path: Path) -> None:
    body = "import os, sys; open('ran', 'a').write('x'); print(sys.argv[1:], os.environ['WHO'])"
    line = program(tmp_path, body)
    resolve = resolver({"WHO": "joe"}, tmp_path, commands=True)
    reference = f"${{cmd:{line} 'two words' $HOME;ls '*'}}"
    for _ in range(2):
        secret = resolve(reference)
        assert secret.reveal() == "['two words', '$HOME;ls', '*'] joe"
    assert (str(secret), secret.source) == ("***", reference)
    assert (tmp_path / "ran").read_text() == "x"


def test_one_line_break_is_not_part_of_it(tmp_path: Path) -> None:
    assert from_command(tmp_path, os.environ, program(tmp_path, "print('a\\n')")) == "a\n"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("import sys; sys.exit(3)", r"^\$\{cmd:\S+ …\}: ended with status 3$"),
        ("import sys; print('no\\n\\tentry', file=sys.stderr); sys.exit(1)", r"ended with status 1: no entry$"),
        ("import os; os.kill(os.getpid(), 9)", "was ended by signal 9"),
        ("import sys; print('locked', file=sys.stderr)", "prints nothing: locked"),
        ("print()", "prints nothing$"),
        ("print('x' * 70000)", "prints more than 65536 bytes"),
        ("import sys; sys.stdout.buffer.write(b'\\xff')", "is not text in UTF-8"),
        ("import time; time.sleep(20)", "no answer after 0.3 s"),
    ],
)
def test_a_command_that_gives_no_secret(tmp_path: Path, body: str, message: str) -> None:
    seconds = 0.3 if "sleep" in body else 30
    with pytest.raises(PolicySyncError, match=message):
        from_command(tmp_path, os.environ, program(tmp_path, body), seconds)


def test_what_a_failed_command_has_printed_is_not_shown(tmp_path: Path) -> None:
    body = "import sys; print('hunter-7777'); print('cannot unlock hunter-7777', file=sys.stderr); sys.exit(1)"
    with pytest.raises(PolicySyncError, match=r"status 1: \(withheld, because it repeats a secret") as caught:
        from_command(tmp_path, os.environ, program(tmp_path, body))
    assert "hunter-7777" not in str(caught.value)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("no-such-program --get x", r"\$\{cmd:no-such-program …\}: cannot be started: No such file"),
        ("./folder", r"\$\{cmd:./folder\}: cannot be started"),
        ("pass 'show", r"\$\{cmd:pass …\}: no closing quotation; check the quotes"),
    ],
)
def test_a_command_that_cannot_be_started(tmp_path: Path, line: str, message: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(PolicySyncError, match=message):
        from_command(tmp_path, os.environ, line)


def test_a_document_cannot_run_anything(tmp_path: Path) -> None:
    line = program(tmp_path, "open('ran', 'w')")
    with pytest.raises(PolicySyncError, match=r"only policysync\.yaml may ask for that"):
        resolver({}, tmp_path)(f"${{cmd:{line}}}")
    assert not (tmp_path / "ran").exists()
