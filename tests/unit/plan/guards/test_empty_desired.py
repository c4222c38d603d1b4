"""The guard `empty-desired`."""

from __future__ import annotations

from unit.plan.guards.cases import case_of
from unit.plan.small import desired, live

from policysync.kinds.kind import Kind
from policysync.plan.guards.empty_desired import empty_desired


def test_an_empty_folder_deletes_nothing(kinds: dict[str, Kind]) -> None:
    gone = case_of(kinds, (), [live(kinds, "Scope", "a")], [desired(kinds, "Scope", "a")])
    said = empty_desired(gone)
    assert said
    assert "git describes no resource for console, and the plan would delete 1" in said


def test_one_may_go_when_it_was_selected_and_others_stay(kinds: dict[str, Kind]) -> None:
    gone = case_of(kinds, (), [live(kinds, "Scope", "a")], [desired(kinds, "Scope", "a")], stated=5)
    assert empty_desired(gone) is None


def test_an_empty_folder_beside_an_empty_console_is_nothing(kinds: dict[str, Kind]) -> None:
    assert empty_desired(case_of(kinds)) is None
