"""What is told of an apply that did not end, or not well: history, unlock, and the next apply."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
from acceptance.policy_repository import PolicyRepository, Ran, new_repository, run_here

from policysync.apply.events import Outcome
from policysync.apply.ledger import Ledger
from policysync.apply.report import Done, Report
from policysync.apply.run import Run
from policysync.clock import SystemClock
from policysync.kinds.load import load_kinds
from policysync.plan.change import Action, Change, Plan
from policysync.state.normalize import desired_spec
from policysync.state.resource import Address, Resource

PROJECT = """\
version: 1
stages:
  - name: dev
    targets:
      - {name: eu, backend: aqua, url: "embedded:eu"}
"""
LABEL = "apiVersion: policysync/v1\nkind: Label\nmetadata: {{name: {0}}}\nspec: {{description: {0}}}\n"


@pytest.fixture
def repository(tmp_path: Path) -> PolicyRepository:
    made = new_repository(tmp_path / "team")
    made.write("policysync.yaml", PROJECT)
    for name in ("one", "two"):
        made.write(f"policies/base/{name}.yaml", LABEL.format(name))
    made.commit()
    return made


def ledger(repository: PolicyRepository) -> Ledger:
    return Ledger(repository.root, "dev", SystemClock())


def begun(repository: PolicyRepository) -> Run:
    """Begin what git states, and leave it at that."""
    kind = load_kinds()["Label"]
    specs = [{"name": name, "description": name} for name in ("one", "two")]
    made = [Resource(Address("Label", spec["name"]), desired_spec(kind, spec)) for spec in specs]
    changes = tuple(Change(Action.CREATE, resource.address, None, resource) for resource in made)
    return ledger(repository).begin(Plan("dev", "eu", waves=(changes,)), "digest")


def half_done(run: Run, plan_changes: tuple[Change, ...]) -> None:
    ends = (Outcome.APPLIED, Outcome.FAILED)
    run.finish(
        Report("eu", tuple(Done(change, end, end.value) for change, end in zip(plan_changes, ends, strict=True)))
    )


def changes_of(run: Run) -> tuple[Change, ...]:
    return tuple(Change(entry.action, entry.address, None, Resource(entry.address, {})) for entry in run.record.entries)


def history(repository: PolicyRepository) -> tuple[Ran, dict[str, Any]]:
    told = run_here(repository, "history", "--stage", "dev")
    return told, run_here(repository, "history", "--stage", "dev", "--format", "json").json()


def test_a_partial_apply_is_told_until_it_is_repaired(repository: PolicyRepository) -> None:
    run = begun(repository)
    half_done(run, changes_of(run))
    told, said = history(repository)
    assert "PARTLY APPLIED: 1 applied, 1 failed\n" in told.out
    assert "eu is partly applied: 1 not in order: Label/two; run `policysync apply --stage dev` again" in told.out
    (undone,) = said["unrepaired"]
    assert (undone["target"], undone["resource"], undone["apply"], undone["action"], undone["outcome"]) == (
        "eu",
        "Label/two",
        run.id,
        "create",
        "failed",
    )
    assert said["applies"][0]["unrepaired"] == ["Label/two"]
    assert set(ledger(repository).unrepaired("eu")) == {Address("Label", "two")}
    ran = run_here(repository, "apply", "--stage", "dev", "--yes")
    assert ran.status == 0, ran.err
    told, said = history(repository)
    assert "PARTLY APPLIED: 1 applied, 1 failed; repaired since" in told.out
    assert "is partly applied" not in told.out
    assert said["unrepaired"] == []
    assert all(each["unrepaired"] == [] for each in said["applies"])
    assert ledger(repository).unrepaired("eu") == {}


def test_unlock_names_the_apply_it_leaves_open_and_the_next_one_completes_it(repository: PolicyRepository) -> None:
    ledger(repository).lock("eu").acquire()
    run = begun(repository)
    held = run_here(repository, "apply", "--stage", "dev", "--yes")
    assert held.status == 3
    assert "the lock of eu is held by " in held.err
    refused = run_here(repository, "unlock", "--stage", "dev")
    assert refused.status != 0
    told, _ = history(repository)
    assert "UNFINISHED: 2 changes begun, still running, or died with the lock, which is held by " in told.out
    ran = run_here(repository, "unlock", "--stage", "dev", "--yes")
    assert ran.status == 0, ran.err
    assert f"eu: took the lock of {ledger(repository).store.author()} on " in ran.out
    assert f", in the middle of apply {run.id} of 2 changes" in ran.out
    assert f"eu: `policysync apply --stage dev` completes {run.id}" in ran.err
    told, _ = history(repository)
    assert "UNFINISHED: 2 changes begun, it died; the next apply completes it" in told.out
    assert run_here(repository, "apply", "--stage", "dev", "--yes").status == 0
    told, _ = history(repository)
    assert "UNFINISHED" not in told.out
    assert run_here(repository, "unlock", "--stage", "dev").out == "eu: not locked\n"


def test_a_command_gives_the_interrupt_back(repository: PolicyRepository) -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    assert run_here(repository, "apply", "--stage", "dev", "--yes").status == 0
    assert run_here(repository, "plan", "--stage", "nowhere").status == 1
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
