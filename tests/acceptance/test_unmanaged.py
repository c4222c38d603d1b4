"""What a console holds and git does not: listed, and a failing check where that is wanted."""

from __future__ import annotations

from pathlib import Path

import pytest
from acceptance.console_by_hand import by_hand
from acceptance.policy_repository import PolicyRepository, quick_repository
from conformance.samples import SAMPLES

CONFIGURATION = """\
version: 1
stages:
  - name: dev
    targets: [{name: dev-console, backend: aqua, url: "embedded:dev"}]
"""
NO_DOCUMENT = {"RoleMapping", "ApiKey"}


@pytest.fixture
def repository(tmp_path: Path) -> PolicyRepository:
    repository = quick_repository(tmp_path / "team")
    repository.write("policysync.yaml", CONFIGURATION)
    repository.write(
        "policies/base/label.yaml", "apiVersion: policysync/v1\nkind: Label\nmetadata: {name: team}\nspec: {}\n"
    )
    with by_hand(repository.root) as console:
        console.create("Label", {"name": "team"})
    return repository


def test_every_kind_is_listed(repository: PolicyRepository) -> None:
    with by_hand(repository.root) as console:
        console.call("DELETE", "/api/v1/settings/labels/team")
        console.everything()
    short = repository.run("plan", "--stage", "dev")
    assert "unmanaged" not in short.out
    planned = repository.run("plan", "--stage", "dev", "--show-unmanaged")
    assert planned.status == 0, planned.err
    lines = [line.split() for line in planned.out.splitlines() if line.startswith("  unmanaged ")]
    assert {line[1] for line in lines} == set(SAMPLES) - NO_DOCUMENT - {"Label"}
    assert "  unmanaged ImageAssurancePolicy (1): strict\n" in planned.out
    assert "  unmanaged Ldap (1): settings\n" in planned.out
    assert planned.out.rstrip().endswith("Plan: 0 to add, 0 to change, 0 to destroy.")
    document = repository.run("plan", "--stage", "dev", "--show-unmanaged", "--format", "json").json()
    assert "SecretKeystore/vault" in document["plans"][0]["unmanaged"]


def test_what_is_not_in_git_can_fail_a_check(repository: PolicyRepository) -> None:
    assert repository.run("adopt", "--stage", "dev").status == 0
    clean = repository.run("plan", "--stage", "dev", "--fail-unmanaged")
    assert (clean.status, clean.err) == (0, "")
    with by_hand(repository.root) as console:
        console.create("FirewallPolicy", {"name": "by hand"})
    found = repository.run("plan", "--stage", "dev", "--fail-unmanaged")
    assert found.status == 3
    assert "  unmanaged FirewallPolicy (1): by hand\n" in found.out
    assert "unmanaged: dev-console has 1 object that is not in git" in found.err
    document = repository.run("plan", "--stage", "dev", "--fail-unmanaged", "--format", "json")
    assert document.status == 3
    assert "1 object" in document.json()["checks"]["dev-console"]["unmanaged"]
    assert repository.run("plan", "--stage", "dev", "--fail-unmanaged", "--only", "Label/*").status == 0
    assert repository.run("plan", "--stage", "dev").status == 0


def test_the_check_can_stand_in_the_configuration(repository: PolicyRepository) -> None:
    repository.write("policysync.yaml", CONFIGURATION + "guards: {unmanaged: fail}\n")
    found = repository.run("plan", "--stage", "dev")
    assert (found.status, "unmanaged UserSaas" in found.out) == (3, True)
    repository.write("policysync.yaml", CONFIGURATION + "guards: {unmanaged: sometimes}\n")
    wrong = repository.run("plan", "--stage", "dev")
    assert wrong.status == 1
    assert 'want "fail" or "show"' in wrong.err


def test_what_was_applied_is_managed(repository: PolicyRepository) -> None:
    repository.write(
        "policies/base/more.yaml", "apiVersion: policysync/v1\nkind: FirewallPolicy\nmetadata: {name: f}\nspec: {}\n"
    )
    repository.commit()
    assert repository.run("apply", "--stage", "dev", "--yes").status == 0
    (repository.root / "policies/base/more.yaml").unlink()
    planned = repository.run("plan", "--stage", "dev", "--show-unmanaged")
    assert "kept: FirewallPolicy/f" in planned.out
    assert "unmanaged FirewallPolicy" not in planned.out


def test_a_saved_plan_that_lists_them_can_be_applied(repository: PolicyRepository) -> None:
    repository.replace("policies/base/label.yaml", "spec: {}", "spec: {description: new}")
    repository.commit()
    assert repository.run("plan", "--stage", "dev", "--show-unmanaged", "--out", "plan.json").status == 0
    applied = repository.run("apply", "--stage", "dev", "plan.json")
    assert applied.status == 0, applied.err
