"""Each guard: when it says no, and when it keeps quiet."""

from __future__ import annotations

import pytest

from policysync.plan.change import Action, Change, Plan
from policysync.plan.guards import GUARDS, Limits, dirty_tree, empty_desired, immutable, refusals, too_many_deletes
from policysync.state.resource import Address


def _plan(deletes: int = 0, *, live: int = 100, unmanaged: int = 0, desired: int = 1, dirty: bool = False) -> Plan:
    changes = tuple(Change(Action.DELETE, Address("Policy", f"p{n}"), None, None) for n in range(deletes))
    away = tuple(Address("Policy", f"u{n}") for n in range(unmanaged))
    return Plan("dev", "console", waves=(changes,), live=live, unmanaged=away, desired=desired, dirty=dirty)


@pytest.mark.parametrize(
    ("plan", "refused"),
    [
        (_plan(10, live=10), False),
        (_plan(11, live=11), True),
        (_plan(30, live=100), False),
        (_plan(31, live=100), True),
        (_plan(30, live=100, unmanaged=1), True),
    ],
    ids=["the floor", "above the floor", "the limit", "above the limit", "unmanaged does not count"],
)
def test_too_many_deletes(plan: Plan, refused: bool) -> None:
    said = too_many_deletes(plan, Limits(deletes_percent=30, deletes_floor=10))
    assert bool(said) is refused
    if said:
        assert "would delete" in said
        assert "30%" in said


@pytest.mark.parametrize(("deletes", "desired", "refused"), [(1, 0, True), (0, 0, False), (1, 1, False)])
def test_an_empty_folder_deletes_nothing(deletes: int, desired: int, refused: bool) -> None:
    assert bool(empty_desired(_plan(deletes, desired=desired), Limits())) is refused


@pytest.mark.parametrize(
    ("dirty", "embedded", "refused"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_what_is_not_committed_goes_only_to_an_embedded_console(dirty: bool, embedded: bool, refused: bool) -> None:
    assert bool(dirty_tree(_plan(dirty=dirty), Limits(embedded=embedded))) is refused


def test_a_field_that_cannot_change_is_named() -> None:
    fixed = Change(Action.UPDATE, Address("Policy", "web"), None, None, replace=True, immutable=True)
    other = Change(Action.UPDATE, Address("Waiver", "w"), None, None, replace=True)
    said = immutable(Plan("dev", "console", waves=((fixed, other),)), Limits())
    assert said
    assert said.endswith("created again: Policy/web")
    assert immutable(Plan("dev", "console", waves=((other,),)), Limits()) is None


def test_one_guard_is_lifted_by_its_name() -> None:
    plan = _plan(50, live=50, desired=0, dirty=True)
    assert list(refusals(plan, Limits())) == ["too-many-deletes", "empty-desired", "dirty-tree"]
    assert list(refusals(plan, Limits(), frozenset({"empty-desired"}))) == ["too-many-deletes", "dirty-tree"]
    assert refusals(plan, Limits(), frozenset(GUARDS)) == {}
