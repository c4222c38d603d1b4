"""The list of guards: all of them are asked, and each is lifted by its name."""

from __future__ import annotations

import pytest
from unit.plan.guards.cases import case_of
from unit.plan.small import desired, live

from policysync.documents.guard_settings import GUARD_NAMES, GuardSettings, Threshold
from policysync.kinds.kind import Kind
from policysync.plan.guards.case import Case
from policysync.plan.guards.listed import GUARDS, not_liftable, refusals


@pytest.fixture
def case(kinds: dict[str, Kind]) -> Case:
    there, last = live(kinds, "Scope", "a"), desired(kinds, "Scope", "a")
    return case_of(kinds, (), [there], [last], settings=GuardSettings(deletes=Threshold(0, 0)), plan={"dirty": True})


def test_one_guard_is_lifted_by_its_name(case: Case) -> None:
    assert list(refusals(case)) == ["too-many-deletes", "empty-desired", "dirty-tree"]
    assert list(refusals(case, frozenset({"empty-desired"}))) == ["too-many-deletes", "dirty-tree"]
    assert refusals(case, frozenset(GUARDS)) == {}


def test_the_configuration_knows_them_by_the_same_names() -> None:
    assert tuple(GUARDS) == GUARD_NAMES


@pytest.mark.parametrize(
    ("forbidden", "barred"),
    [((), []), (("freeze",), ["freeze"]), (("immutable",), []), (("*",), ["dirty-tree", "freeze"])],
)
def test_a_stage_forbids_to_lift_some(forbidden: tuple[str, ...], barred: list[str]) -> None:
    assert not_liftable(["freeze", "dirty-tree"], forbidden) == barred
