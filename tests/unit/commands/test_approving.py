"""Who approved a release: signed commits as git itself verifies them, and whose word counts."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from acceptance.policy_repository import PolicyRepository, new_repository

from policysync.clock import FakeClock
from policysync.commands.approving import approvals_of
from policysync.documents.pin import Pin
from policysync.state.resource import Address

Sign = Callable[..., None]


@pytest.fixture
def repository(tmp_path: Path) -> PolicyRepository:
    repository = new_repository(tmp_path / "team")
    repository.commit("what is approved")
    repository.git("config", "user.email", "promoter@example.com")
    repository.git("config", "gpg.format", "ssh")
    repository.git("config", "gpg.ssh.allowedSignersFile", str(tmp_path / "allowed"))
    return repository


@pytest.fixture
def sign(repository: PolicyRepository, tmp_path: Path) -> Sign:
    def commit(who: str, release: str, *, named: str = "", trusted: bool = True) -> None:
        key = tmp_path / who
        if not key.exists():
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        if trusted:
            with (tmp_path / "allowed").open("a", encoding="utf-8") as out:
                out.write(f"{who} {key.with_name(f'{who}.pub').read_text()}")
        trailers = (f"--trailer=Approved-by: Somebody <{named or who}>", f"--trailer=Approved-release: {release}")
        signing = ("-c", f"user.signingkey={key}", "commit", "-S", "--quiet", "--allow-empty", "-m", "approve")
        repository.git(*signing, *trailers)

    return commit


def approved(repository: PolicyRepository, pin: Pin) -> list[str]:
    found, _ = approvals_of(repository.root, pin, [pin.revision], FakeClock(), {})
    return sorted(approval.who for approval in found)


def test_the_signer_is_who_the_trailer_names(repository: PolicyRepository, sign: Sign) -> None:
    pin = Pin("prod", repository.git("rev-parse", "HEAD").strip())
    sign("boss@example.com", f"prod {pin.id}")
    sign("deputy@example.com", f"prod {pin.id[:12]}")
    sign("mallory@example.com", f"prod {pin.id}", trusted=False)
    sign("clerk@example.com", f"prod {pin.id}", named="king@example.com")
    sign("test@example.com", f"prod {pin.id}")  # who wrote the revision
    sign("promoter@example.com", f"prod {pin.id}")
    sign("early@example.com", f"nonprod {pin.id}")
    sign("short@example.com", f"prod {pin.id[:7]}")
    repository.git("commit", "--allow-empty", "-qm", f"x\n\nApproved-by: a@b.c\nApproved-release: prod {pin.id}")
    assert approved(repository, pin) == ["boss@example.com", "deputy@example.com"]


def test_a_release_of_single_resources_has_to_be_named_whole(repository: PolicyRepository, sign: Sign) -> None:
    revision = repository.git("rev-parse", "HEAD").strip()
    pin = Pin("prod", revision, {Address("Label", "pci"): "b" * 40})
    sign("boss@example.com", f"prod {revision}")
    sign("deputy@example.com", f"prod {pin.id}")
    assert approved(repository, pin) == ["deputy@example.com"]


def test_nobody_approves_what_they_wrote(repository: PolicyRepository, sign: Sign) -> None:
    main = repository.git("symbolic-ref", "--short", "HEAD").strip()
    repository.git("checkout", "--quiet", "-b", "topic")
    for who in ("Ann@Example.com", "ben@example.com"):
        repository.git("commit", "--quiet", "--allow-empty", "-m", "write", f"--author=x <{who}>")
    repository.git("checkout", "--quiet", main)
    repository.git("merge", "--quiet", "--no-ff", "-m", "merge", "topic")
    pin = Pin("prod", repository.git("rev-parse", "HEAD").strip())
    repository.git("commit", "--quiet", "--allow-empty", "-m", "write", "--author=x <carl@example.com>")
    single = repository.git("rev-parse", "HEAD").strip()
    for who in ("ann", "ben", "carl", "dora"):
        sign(f"{who}@example.com", f"prod {pin.id}")
    found, _ = approvals_of(repository.root, pin, [single], FakeClock(), {})
    assert [approval.who for approval in found] == ["dora@example.com"]


def test_owners_of_the_pin_count_alone_where_there_are_any(repository: PolicyRepository, sign: Sign) -> None:
    repository.write("CODEOWNERS", "* everybody@example.com\n/releases/prod.yaml Boss@example.com @team\n")
    pin = Pin("prod", repository.commit("owners"))
    repository.write("CODEOWNERS", "* mallory@example.com\n")
    sign("boss@example.com", f"prod {pin.id}")
    sign("mallory@example.com", f"prod {pin.id}")
    found, whose = approvals_of(repository.root, pin, [pin.revision], FakeClock(), {})
    assert [approval.who for approval in found] == ["boss@example.com"]
    assert whose.startswith("releases/prod.yaml is owned by Boss@example.com, @team; ")
