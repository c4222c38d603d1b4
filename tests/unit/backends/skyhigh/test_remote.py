"""What may happen between here and a machine: each is one of our failures, by its name. A program plays the client."""

from __future__ import annotations

from pathlib import Path

import pytest

from policysync.backends.skyhigh.facts import machine_of
from policysync.backends.skyhigh.options import Options
from policysync.backends.skyhigh.remote import STARTED, Machines
from policysync.errors import OutcomeUnknown, Refused, Unavailable

MACHINE = {"hostname": "sac", "address": "192.0.2.7", "ssh": {"user": "robot", "port": 22}}
CHANGED = "@@@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @@@ Host key verification failed."


def machines(folder: Path, script: str) -> Machines:
    program = folder / "ssh"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    return Machines(Options(program=str(program)))


@pytest.mark.parametrize(
    ("script", "failure", "said"),
    [
        ("cat >/dev/null; echo 'sudo: a password is required' >&2; exit 1", Refused, "sudo: a password is required"),
        ("echo 'Sorry, user robot is not allowed to execute' >&2; exit 1", Refused, "without a password"),
        ("echo 'bash: line 1: sudo: command not found' >&2; exit 127", Refused, "command not found"),
        (f"echo '{CHANGED}' >&2; exit 255", Refused, "HAS CHANGED"),
        ("echo 'robot@192.0.2.7: Permission denied (publickey).' >&2; exit 255", Refused, "Permission denied"),
        ("echo 'ssh: connect to host 192.0.2.7: Connection refused' >&2; exit 255", Unavailable, "Connection refused"),
        (f"echo '{STARTED}'; echo 'Connection reset by peer' >&2; exit 255", OutcomeUnknown, "was lost"),
        ("exec sleep 5", OutcomeUnknown, "no answer in"),
    ],
)
def test_each_end_is_one_of_our_failures(tmp_path: Path, script: str, failure: type[Exception], said: str) -> None:
    with pytest.raises(failure, match=said) as caught:
        machines(tmp_path, script).run(MACHINE, "echo c2VjcmV0", seconds=0.4, changes=True)
    assert "192.0.2.7" in str(caught.value)
    assert "c2VjcmV0" not in str(caught.value)


def test_a_read_that_is_given_up_may_be_tried_again(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        machines(tmp_path, "exec sleep 5").run(MACHINE, "", seconds=0.2)


def test_bytes_that_are_no_text_are_no_answer_of_the_probe(tmp_path: Path) -> None:
    ran = machines(tmp_path, r"printf '\377\376{\000\n'").run(MACHINE, "", seconds=10)
    with pytest.raises(Refused, match="something else than it prints"):
        machine_of(ran.out)


def test_a_script_that_fails_keeps_its_own_status(tmp_path: Path) -> None:
    ran = machines(tmp_path, f"echo '{STARTED}'; echo 'sudo: unable to resolve host' >&2; exit 7").run(
        MACHINE, "", seconds=10, changes=True
    )
    assert (ran.status, STARTED in ran.out) == (7, True)
