"""The guard `freeze`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from unit.plan.guards.cases import case_of
from unit.plan.small import desired

from policysync.documents.guard_settings import Freeze, GuardSettings
from policysync.kinds.kind import Kind
from policysync.plan.guards.freeze import freeze

START = datetime(2026, 12, 20, 17, tzinfo=UTC)
END = datetime(2027, 1, 3, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("now", "stages", "refused"),
    [
        (START - SECOND, (), False),
        (START, (), True),
        (END - SECOND, (), True),
        (END, (), False),
        (START, ("dev",), True),
        (START, ("prod",), False),
    ],
)
def test_nothing_is_applied_while_it_lasts(
    kinds: dict[str, Kind], now: datetime, stages: tuple[str, ...], refused: bool
) -> None:
    settings = GuardSettings(freeze=(Freeze(START, END, "holidays", stages),))
    said = freeze(case_of(kinds, [desired(kinds, "Scope", "a")], settings=settings, now=now))
    assert said == ("nothing is applied to dev before 2027-01-03 00:00 UTC: holidays" if refused else None)


def test_a_plan_without_changes_disturbs_nobody(kinds: dict[str, Kind]) -> None:
    assert freeze(case_of(kinds, settings=GuardSettings(freeze=(Freeze(START, END),)), now=START)) is None
