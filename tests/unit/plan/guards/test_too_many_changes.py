"""The guard `too-many-changes`."""

from __future__ import annotations

import pytest
from unit.plan.guards.cases import case_of
from unit.plan.small import desired, live

from policysync.documents.guard_settings import GuardSettings, Threshold
from policysync.kinds.kind import Kind
from policysync.plan.guards.too_many_changes import too_many_changes


@pytest.mark.parametrize(("changed", "refused"), [(4, False), (5, False), (6, True)])
def test_a_larger_part_than_usual_is_refused(kinds: dict[str, Kind], changed: int, refused: bool) -> None:
    there = [live(kinds, "Scope", f"r{n}") for n in range(10)]
    wanted = [desired(kinds, "Scope", f"r{n}", note="new" if n < changed else "") for n in range(10)]
    case = case_of(kinds, wanted, there, wanted, settings=GuardSettings(changes=Threshold(50, 3)))
    said = too_many_changes(case)
    assert bool(said) is refused
    if said:
        assert "would change 6 of 10" in said


def test_what_is_new_does_not_count(kinds: dict[str, Kind]) -> None:
    wanted = [desired(kinds, "Scope", f"r{n}") for n in range(100)]
    assert too_many_changes(case_of(kinds, wanted, settings=GuardSettings(changes=Threshold(0, 0)))) is None
