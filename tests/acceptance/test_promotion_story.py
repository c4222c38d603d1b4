"""The story of one pull request: every gate refuses once, with its sentence, and everything ends as it should."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import pytest
from acceptance.policy_repository import PolicyRepository

from policysync.commands.promotion_story import play_promotion
from policysync.commands.telling import Ended
from policysync.documents.gate_settings import GATE_NAMES

STATUSES = "0 00000 0 00 3 00 0 3 3 00 00 3 3 3 3 00 00 0 2 0 0 0 2 0 00 0 0 0".replace(" ", "")
SAID = (
    "**Plan: 0 to add, 2 to change, 0 to destroy. 1 looser.**",
    "! no_new_privileges: true → false  (looser)",
    "nonprod-console: not applied: ContainerRuntimePolicy/web-workloads, ImageAssurancePolicy/Default (it has ",
    "ContainerRuntimePolicy/web-workloads (looser) was in sync in nonprod for 4h ",
    "`test -e prod-is-ready` ended with 1",
    "0 of 1 approvals; releases/prod.yaml is owned by boss@example.com, ciso@example.com; ",
    "looser: ContainerRuntimePolicy/web-workloads; 1 of 2 approvals: boss@example.com; ",
    "not available: nobody can say which images start to fail; ",
    "closed; open is Mon-Thu 08:00-16:00 Europe/Berlin; could pass at 2030-01-15 07:00:00 UTC",
    "frozen before 2030-01-14 23:00 UTC: audit; could pass at 2030-01-15 07:00:00 UTC",
    "changed by hand in nonprod-console: Label/internet-facing; ",
    "nonprod is not as the release has it: Label/internet-facing of nonprod-console",
    "the plan would also change, in prod-console: Label/internet-facing; ",
    "1 from nonprod, held by soaked, from 2030-01-10 08:00Z",
    "Gates: 10 passed, 0 refused.",
    "~ enforce: true → false  (drift, looser)",
    "wrote 1 value back",
    "accepted until 2030-01-17: ContainerRuntimePolicy/web-workloads enforce: true → false  (incident 4711)",
    "released: ImageAssurancePolicy/Default only_none_root_users is no longer in git and keeps its value",
    "Verified: 14 commits, ",
)


def here(words: Sequence[str], folder: Path, environ: Mapping[str, str] | None, *, read: bool) -> Ended:
    """Run a command inside this process, which takes a tenth of the time."""
    ran = PolicyRepository(folder, dict(environ or {}), here=True).run(*words)
    if not read:
        click.echo(ran.out + ran.err, nl=False)
    return Ended(ran.status, ran.out + ran.err)


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="no ssh-keygen to sign approvals with")
def test_a_pull_request_goes_all_the_way_and_back(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    play_promotion(tmp_path, start=here)
    told = capfd.readouterr().out
    for said in SAID:
        assert said in told
    assert {name for name in GATE_NAMES if re.search(rf"^  no  {name} ", told, re.MULTILINE)} == set(GATE_NAMES)
    assert "".join(re.findall(r"^exit status (\d)$", told, re.MULTILINE)) == STATUSES


def test_it_needs_what_signs_approvals(tmp_path: Path) -> None:
    told = PolicyRepository(tmp_path, {"PATH": "", "TMPDIR": str(tmp_path)}).run("demo", "--promotion")
    assert (told.status, told.out) == (1, "")
    assert told.err == "error: this story signs approvals: install ssh-keygen, which comes with OpenSSH\n"
    assert list(tmp_path.iterdir()) == []
