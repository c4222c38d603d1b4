"""What an option picks, and what is said of one that picks nothing: silence would look like success."""

from __future__ import annotations

import pytest
from acceptance.policy_repository import PolicyRepository, quick_repository

from policysync.commands.selection import Selection
from policysync.errors import PolicySyncError
from policysync.state.resource import Address, Resource

PCI = Resource(Address("Label", "pci"), {}, labels={"team": "platform"})
GONE = Address("Label", "gone")


@pytest.mark.parametrize(
    ("select", "only", "said"),
    [
        ([], ["Label/pci"], []),
        ([], ["Label/*"], []),
        ([], ["Label/gone"], []),
        (["team=platform"], [], []),
        ([], ["Label/pic"], ["--only Label/pic: matches nothing here; did you mean `Label/pci`?"]),
        ([], ["Role/*"], ["--only Role/*: matches nothing here"]),
        (["team=platfrm"], [], ["--select team=platfrm: matches nothing here; did you mean `platform`?"]),
        (["owner=me"], [], ["--select owner=me: matches nothing here"]),
    ],
)
def test_what_picks_nothing_is_told(select: list[str], only: list[str], said: list[str]) -> None:
    assert list(Selection.of(select, only, ()).unmatched([PCI], lambda: {GONE})) == said


def test_the_ledger_is_not_asked_for_what_git_has() -> None:
    def remembered() -> set[Address]:
        raise AssertionError

    assert not list(Selection.of((), ["Label/pci"], ()).unmatched([PCI], remembered))


@pytest.mark.parametrize("pattern", ["Labl/pci", "label/*"])
def test_a_kind_there_is_not_is_refused(pattern: str) -> None:
    for selection in (Selection.of((), [pattern], ()), Selection.of((), (), [pattern])):
        with pytest.raises(PolicySyncError, match=r"there is no kind .*; did you mean `Label`\?"):
            selection.hold_to({"Label", "Registry"})
    Selection.of((), ["L*/pci", "Label/*"], ()).hold_to({"Label"})


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> PolicyRepository:
    repository = quick_repository(tmp_path_factory.mktemp("team"))
    targets = "targets: [{name: dev-console, backend: aqua, url: 'embedded:dev'}]"
    repository.write("policysync.yaml", f"version: 1\nstages:\n  - name: dev\n    {targets}\n")
    repository.write(
        "policies/base/pci.yaml", "apiVersion: policysync/v1\nkind: Label\nmetadata: {name: pci}\nspec: {}\n"
    )
    return repository


def test_a_stage_that_is_not_named_is_listed(repository: PolicyRepository) -> None:
    missing = repository.run("plan")
    assert (missing.status, missing.err.splitlines()[-1]) == (
        1,
        "Error: Missing option '--stage' / '-s'. policysync.yaml has dev",
    )
    completing = repository.environ | {"COMP_WORDS": "policysync plan --stage d", "COMP_CWORD": "3"}
    asked = PolicyRepository(repository.root, completing | {"_POLICYSYNC_COMPLETE": "bash_complete"})
    assert asked.run().out == "plain,dev\n"


@pytest.mark.parametrize("command", [("plan", "--stage", "dev"), ("apply", "--yes", "--stage", "dev"), ("drift",)])
def test_every_command_tells_it(repository: PolicyRepository, command: tuple[str, ...]) -> None:
    ran = repository.run(*command, "--only", "Label/nothing-like-it")
    assert (ran.status, ran.err) == (0, "--only Label/nothing-like-it: matches nothing here\n")
    assert repository.run(*command, "--only", "Labl/pci").status == 1
