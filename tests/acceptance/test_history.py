"""`policysync history`, and what is said of a ledger that is empty, missing, shallow, behind or forged."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from acceptance.policy_repository import PolicyRepository, quick_repository

LEDGER = "refs/policysync/ledger/dev"
PROJECT = """\
version: 1
stages:
  - name: dev
    targets:
      - {name: eu, backend: aqua, url: "embedded:eu"}
      - {name: us, backend: aqua, url: "embedded:us"}
"""
LABEL = "apiVersion: policysync/v1\nkind: Label\nmetadata: {name: pci}\nspec: {description: %s}\n"


@pytest.fixture
def repository(tmp_path: Path) -> PolicyRepository:
    made = quick_repository(tmp_path / "team")
    made.write("policysync.yaml", PROJECT)
    return made


def applied(repository: PolicyRepository, text: str = "first", *args: str) -> PolicyRepository:
    repository.write("policies/base/label.yaml", LABEL % text)
    repository.commit(text)
    ran = repository.run("apply", "--stage", "dev", "--yes", *args)
    assert ran.status == 0, ran.err
    return repository


def history(repository: PolicyRepository, *args: str, status: int = 0) -> str:
    ran = repository.run("history", "--stage", "dev", *args)
    assert ran.status == status, ran.out + ran.err
    return ran.out + ran.err


def test_who_did_what_when_from_where(repository: PolicyRepository) -> None:
    repository.environ["POLICYSYNC_RUN_URL"] = "https://ci.example.com/run/7"
    revision = applied(applied(repository, "first", "--target", "eu"), "second").git("rev-parse", "HEAD")
    out = history(repository)
    heads = [line for line in out.splitlines() if " · " in line and line.startswith("20")]
    assert [line.split(" · ")[1] for line in heads] == ["us", "eu", "eu"]
    assert all(line.endswith("· 1 applied") for line in heads)
    assert "by Test <test@example.com> on " in out
    assert f"revision {revision[:12]} · plan " in out
    assert "run: https://ci.example.com/run/7" in out
    assert [line for line in out.splitlines() if "Label/" in line] == [
        "  + Label/pci",
        "  ~ Label/pci",
        "  + Label/pci",
    ]
    assert history(repository, "--only", "Label/p*").count("1 applied") == 3
    assert history(repository, "--only", "Label/other") == ""
    assert "did you mean `Label`" in history(repository, "--only", "Labl/pci", status=1)
    assert history(repository, "--target", "us").count("1 applied") == 1
    assert history(repository, "--limit", "2").count("1 applied") == 2


def test_as_data(repository: PolicyRepository) -> None:
    applied(repository)
    said = repository.run("history", "--stage", "dev", "--format", "json", "--verify").json()
    assert (said["format_version"], said["stage"], said["unrepaired"]) == (1, "dev", [])
    assert (said["verified"]["commits"], said["verified"]["problems"]) == (4, [])
    (change,) = said["applies"][0]["changes"]
    assert (change["id"], change["outcome"], said["applies"][0]["outcomes"]) == (
        "create:Label/pci",
        "applied",
        {"applied": 1},
    )


def test_an_apply_to_several_targets_is_one_document(repository: PolicyRepository) -> None:
    repository.write("policies/base/label.yaml", LABEL % "first")
    said = repository.run("apply", "--stage", "dev", "--yes", "--format", "json").json()
    assert (said["format_version"], said["stage"]) == (2, "dev")
    assert [(one["target"], one["status"]) for one in said["applies"]] == [("eu", 0), ("us", 0)]


def test_a_lifted_guard(repository: PolicyRepository) -> None:
    applied(repository, "first", "--allow", "dirty-tree")
    assert "lifted guards: dirty-tree" in history(repository)


def test_nothing_was_applied_yet(repository: PolicyRepository) -> None:
    assert "nothing was applied to stage dev yet" in history(repository)
    repository.git("remote", "add", "origin", "https://example.invalid/x.git")
    assert "every clone keeps a ledger of its own until policysync.yaml says" in history(repository)


def test_outside_git(tmp_path: Path) -> None:
    folder = PolicyRepository(tmp_path)
    folder.write("policysync.yaml", PROJECT)
    assert "not in a git repository: there is no ledger" in history(folder)


def test_a_whole_ledger_is_proven(repository: PolicyRepository) -> None:
    applied(applied(repository), "second")
    assert "Verified: 8 commits, 0 of them signed, unbroken up to " in history(repository, "--verify")


def test_a_forged_one_is_not(repository: PolicyRepository) -> None:
    applied(repository)
    forged = repository.git("commit-tree", f"{LEDGER}^{{tree}}", "-p", LEDGER, "-m", "nothing to see").strip()
    repository.git("update-ref", LEDGER, forged)
    out = history(repository, "--verify", status=1)
    assert "Not proven: " in out
    assert "forged" not in out


def test_a_lost_one_is_not_an_empty_one(repository: PolicyRepository) -> None:
    applied(repository)
    repository.git("update-ref", "-d", LEDGER)
    assert "the ledger of dev is missing: it was at" in history(repository)
    planned = repository.run("plan", "--stage", "dev")
    assert planned.status == 0
    assert "the ledger of dev is missing" in planned.out + planned.err
    drifted = repository.run("drift", "--stage", "dev")
    assert (drifted.status, "is missing" in drifted.err) == (1, True)
    refused = repository.run("apply", "--stage", "dev", "--yes")
    assert (refused.status, "is missing" in refused.err) == (1, True)


def test_a_rewritten_one_is_refused(repository: PolicyRepository) -> None:
    applied(applied(repository), "second")
    repository.git("update-ref", LEDGER, f"{LEDGER}~2")
    assert "was rewritten" in history(repository, "--verify", status=1)
    refused = repository.run("apply", "--stage", "dev", "--yes")
    assert (refused.status, "was rewritten" in refused.err) == (1, True)


def test_signatures_are_made_and_checked(repository: PolicyRepository, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    allowed = tmp_path / "allowed"
    allowed.write_text(f"test@example.com {key.with_suffix('.pub').read_text()}")
    signing = {"gpg.format": "ssh", "user.signingkey": str(key), "commit.gpgsign": "true"}
    for name, value in {**signing, "gpg.ssh.allowedSignersFile": str(allowed)}.items():
        repository.git("config", name, value)
    applied(repository)
    assert "Verified: 4 commits, 4 of them signed" in history(repository, "--verify")
    allowed.write_text("")
    assert "its signature does not hold" in history(repository, "--verify", status=1)


def test_without_leave_to_write_one_can_look_and_not_apply(repository: PolicyRepository, tmp_path: Path) -> None:
    repository.git("init", "--quiet", "--bare", str(tmp_path / "remote.git"))
    repository.git("remote", "add", "origin", str(tmp_path / "remote.git"))
    repository.write("policysync.yaml", PROJECT + "ledger: {remote: origin}\n")
    applied(repository)
    hook = tmp_path / "remote.git" / "hooks" / "update"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    repository.write("policies/base/label.yaml", LABEL % "second")
    repository.commit()
    planned = repository.run("plan", "--stage", "dev", "--detailed-exitcode")
    assert (planned.status, "~ Label/pci" in planned.out) == (2, True)
    assert repository.run("drift", "--stage", "dev").status == 0
    refused = repository.run("apply", "--stage", "dev", "--yes")
    assert refused.status == 1
    assert "can be read and not written" in refused.err
    assert repository.run("plan", "--stage", "dev", "--detailed-exitcode").status == 2


def test_unlock_names_what_it_breaks(repository: PolicyRepository) -> None:
    assert "eu: not locked" in repository.run("unlock", "--stage", "dev").out
