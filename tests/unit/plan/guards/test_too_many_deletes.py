"""The guard `too-many-deletes`."""

from __future__ import annotations

import pytest
from unit.plan.guards.cases import case_of
from unit.plan.small import desired, live

from policysync.documents.guard_settings import GuardSettings, Threshold
from policysync.kinds.kind import Kind
from policysync.plan.guards.case import Case
from policysync.plan.guards.too_many_deletes import too_many_deletes


def gone(kinds: dict[str, Kind], deletes: int, managed: int, limit: Threshold, kind: str = "Scope") -> Case:
    """Return the case of a plan that deletes some of what is managed."""
    there = [live(kinds, kind, f"r{n}") for n in range(managed)]
    kept = [desired(kinds, kind, f"r{n}") for n in range(deletes, managed)]
    last = [desired(kinds, kind, f"r{n}") for n in range(managed)]
    return case_of(kinds, kept, there, last, settings=GuardSettings(deletes=limit))


@pytest.mark.parametrize(
    ("deletes", "managed", "refused"),
    [(10, 10, False), (11, 11, True), (30, 100, False), (31, 100, True), (0, 0, False)],
    ids=["the floor", "above the floor", "the limit", "above the limit", "nothing"],
)
def test_a_larger_part_than_usual_is_refused(kinds: dict[str, Kind], deletes: int, managed: int, refused: bool) -> None:
    said = too_many_deletes(gone(kinds, deletes, managed, Threshold(30, 10)))
    assert bool(said) is refused
    if said:
        assert said.startswith(f"would delete {deletes} of {managed} managed resources, limit 30%")


def test_a_kind_is_held_to_its_own_threshold_alone(kinds: dict[str, Kind]) -> None:
    own = Threshold(30, 10, {"Scope": Threshold(0, 0)})
    said = too_many_deletes(gone(kinds, 1, 100, own))
    assert said
    assert said.startswith("would delete 1 of 100 managed Scope resources, limit 0%")
    assert too_many_deletes(gone(kinds, 1, 100, own, kind="Waiver")) is None
    lenient = Threshold(0, 0, {"Scope": Threshold(100, 0)})
    assert too_many_deletes(gone(kinds, 100, 100, lenient)) is None
