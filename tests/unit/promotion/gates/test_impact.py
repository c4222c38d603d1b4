"""The gate `impact`."""

from __future__ import annotations

import pytest
from unit.promotion.gates.cases import case_of

from policysync.documents.gate_settings import GateSettings, Impact
from policysync.promotion.gates.impact import impact


@pytest.mark.parametrize(
    ("setting", "failing", "passed"),
    [
        (Impact(0), None, False),
        (Impact(0, ignore=True), None, True),
        (Impact(2), 2, True),
        (Impact(2), 3, False),
        (Impact(0, ignore=True), 1, False),
    ],
)
def test_what_nobody_can_say_does_not_pass_by_itself(setting: Impact, failing: int | None, passed: bool) -> None:
    assert impact(case_of(GateSettings(impact=setting), newly_failing=failing)).passed is passed
