"""Laws of apply: it reaches what git states, whatever the console does on the way, and does nothing twice."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.apply.world import Faulty, make_kinds, plan_of, resource, retry_of

from policysync.apply.execute import OnError, execute
from policysync.apply.report import GOOD, Report
from policysync.backends.memory import Memory
from policysync.clock import FakeClock
from policysync.errors import Exit, OutcomeUnknown, Refused, Unavailable
from policysync.kinds.load import Kinds
from policysync.plan.change import Action, Change
from policysync.state.resource import Address, Resource

LastApplied = dict[Address, Any]
Write = Callable[[], None]

NAMES = st.sampled_from("abcd")
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "level": st.integers(0, 3),
        "tags": st.lists(st.sampled_from("xyz"), max_size=3),
        "scopes": st.lists(NAMES, max_size=2),
        "rules": st.lists(
            st.fixed_dictionaries({"path": st.sampled_from(["/a", "/b"]), "deny": st.booleans()}),
            max_size=2,
            unique_by=lambda rule: rule["path"],
        ),
    },
)


def _whole(state: tuple[set[str], dict[str, Any]]) -> tuple[set[str], dict[str, Any]]:
    """Return a state with every scope that its policies refer to: documents with a dangling reference make no plan."""
    scopes, policies = state
    return scopes.union(*(spec.get("scopes", ()) for spec in policies.values())), policies


STATES = st.tuples(st.sets(NAMES), st.dictionaries(NAMES, SPECS)).map(_whole)
"""The scopes and the policies of one side."""

FAULTS = st.sampled_from(["", "", "busy", "busy after", "cut", "cut after", "forgetful", "refused"])


@pytest.fixture(scope="module", name="kinds")
def _kinds() -> Iterator[Kinds]:
    with tempfile.TemporaryDirectory() as folder:
        yield make_kinds(Path(folder))


def resources(kinds: Kinds, state: tuple[set[str], dict[str, Any]]) -> list[Resource]:
    scopes, policies = state
    return [
        *(resource(kinds, "Scope", name) for name in sorted(scopes)),
        *(resource(kinds, "Policy", name, **spec) for name, spec in sorted(policies.items())),
    ]


class Console(Faulty):
    """Fails as told, once for each fault, and watches that nothing is made twice and nobody's object goes."""

    def __init__(self, memory: Memory, kinds: Kinds, faults: list[str]) -> None:
        super().__init__(memory, self.misbehave)
        self.kinds = kinds
        self.faults = faults
        self.allowed_to_go: set[Address] = set()

    def misbehave(self, change: Change, write: Write) -> None:
        before = self.addresses
        assert change.action is not Action.CREATE or change.address not in before, "made twice"
        fault = self.faults.pop() if self.faults else ""
        if fault == "refused":
            raise Refused("400")
        if fault == "forgetful" and change.after is not None:
            spec = {name: value for name, value in change.after.spec.items() if name != "level"}
            forgotten = replace(change, after=replace(change.after, spec=spec))
            self.memory.write(forgotten, self.kinds[change.address.kind])
        elif fault in ("", "forgetful") or fault.endswith("after"):
            write()
        assert before - self.addresses <= self.allowed_to_go, "lost"
        if fault.startswith("busy"):
            raise Unavailable("503", retry_after=1)
        if fault.startswith("cut"):
            raise OutcomeUnknown("connection reset")

    @property
    def addresses(self) -> set[Address]:
        return {resource.address for resource in self.memory.resources}


def fold(last: LastApplied, report: Report) -> LastApplied:
    """Return last-applied after an apply, as the ledger does it."""
    known = dict(last)
    for done in report.outcomes:
        if done.outcome in GOOD:
            known.pop(done.change.address, None)
            if done.change.after is not None:
                known[done.change.address] = done.change.after.spec
    return known


@given(before=STATES, after=STATES)
def test_applying_a_plan_reaches_what_git_states(kinds: Kinds, before: Any, after: Any) -> None:
    live, desired = resources(kinds, before), resources(kinds, after)
    memory, clock = Memory(kinds, live), FakeClock()
    last = {r.address: r.spec for r in live}
    plan = plan_of(kinds, memory, desired, last, prune=True)
    report = execute(plan, memory, kinds, retry=retry_of(clock), clock=clock, parallelism=3)
    assert report.status is Exit.DONE
    assert plan_of(kinds, memory, desired, fold(last, report), prune=True).changes == ()
    assert {r.address for r in memory.resources} == {r.address for r in desired} | set(plan.kept)


@settings(max_examples=200)
@given(
    sides=st.tuples(STATES, STATES),
    theirs=st.sets(st.sampled_from("uvw")),
    faults=st.lists(FAULTS, max_size=12),
    on_error=st.sampled_from(["stop", "continue"]),
)
def test_faults_delay_the_end_and_do_not_change_it(
    kinds: Kinds, sides: Any, theirs: set[str], faults: list[str], on_error: OnError
) -> None:
    ours, desired = (resources(kinds, side) for side in sides)
    unmanaged = [resource(kinds, "Policy", name) for name in sorted(theirs)]
    console, clock = Console(Memory(kinds, [*ours, *unmanaged]), kinds, faults), FakeClock()
    console.allowed_to_go = {r.address for r in ours} - {r.address for r in desired}
    last: LastApplied = {r.address: r.spec for r in ours}
    for _ in range(len(faults) + 2):
        plan = plan_of(kinds, console, desired, last, prune=True)
        report = execute(plan, console, kinds, retry=retry_of(clock, 3), clock=clock, on_error=on_error, parallelism=2)
        last = fold(last, report)
        assert len(report.outcomes) == len(plan.changes)
    assert report.status is Exit.DONE
    end = plan_of(kinds, console, desired, last, prune=True)
    assert end.changes == ()
    assert console.addresses == {r.address for r in [*desired, *unmanaged]} | set(end.kept)


@given(before=STATES, after=STATES, by_hand=STATES)
def test_what_moved_since_the_plan_is_never_overwritten(kinds: Kinds, before: Any, after: Any, by_hand: Any) -> None:
    planned, now = Memory(kinds, resources(kinds, before)), Memory(kinds, resources(kinds, by_hand))
    plan = plan_of(kinds, planned, resources(kinds, after), {r.address: {} for r in planned.resources}, prune=True)
    moved = {r.address: r.spec for r in now.resources}
    clock = FakeClock()
    report = execute(plan, now, kinds, retry=retry_of(clock), clock=clock, on_error="continue")
    for done in report.outcomes:
        was = done.change.before.spec if done.change.before else None
        if moved.get(done.change.address) != was:
            assert done.outcome.value != "applied"
            live = {r.address: r.spec for r in now.resources}
            assert live.get(done.change.address) == moved.get(done.change.address)
