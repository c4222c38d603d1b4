"""The gate `soaked`."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.promotion.gates.cases import GDPR, NOW, PCI, case_of

from policysync.documents.gate_settings import GateSettings, Soak
from policysync.plan.change import Posture
from policysync.promotion.case import Promoted
from policysync.promotion.gates.soaked import soaked, span

HOUR = timedelta(hours=1)
SETTINGS = GateSettings(soaked=Soak(stricter=HOUR, looser=72 * HOUR, default=24 * HOUR))


@pytest.mark.parametrize(
    ("posture", "hours", "left"),
    [
        (Posture.STRICTER, 1, 0),
        (Posture.STRICTER, 0, 1),
        (Posture.NEUTRAL, 24, 0),
        (Posture.NEUTRAL, 20, 4),
        (Posture.LOOSER, 72, 0),
        (Posture.LOOSER, 24, 48),
        (Posture.MIXED, 24, 48),
    ],
)
def test_looser_changes_wait_longer_than_stricter_ones(posture: Posture, hours: int, left: int) -> None:
    verdict = soaked(case_of(SETTINGS, promoted=(Promoted(PCI, posture, NOW - hours * HOUR),)))
    assert verdict.passed is (left == 0)
    assert verdict.could_pass_at == (NOW + left * HOUR if left else None)


def test_the_one_that_waits_longest_is_named() -> None:
    promoted = (Promoted(PCI, Posture.NEUTRAL, NOW - HOUR), Promoted(GDPR, Posture.LOOSER, NOW - 2 * HOUR))
    said = soaked(case_of(SETTINGS, promoted=promoted)).said
    assert said == "Label/gdpr (looser) was in sync in nonprod for 2h of 3d, and 1 more wait"


def test_what_is_not_upstream_has_not_begun() -> None:
    verdict = soaked(case_of(SETTINGS, promoted=(Promoted(PCI), Promoted(GDPR, since=NOW))))
    assert (verdict.passed, verdict.could_pass_at) == (False, None)
    assert verdict.said == "the time has not begun: nonprod does not have Label/pci"


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(Posture), st.integers(0, 100)), min_size=1, max_size=5))
def test_at_the_time_it_names_it_passes_and_not_before(drawn: list[tuple[Posture, int]]) -> None:
    promoted = tuple(Promoted(PCI, posture, NOW - hours * HOUR) for posture, hours in drawn)
    at = soaked(case_of(SETTINGS, promoted=promoted)).could_pass_at
    if at is not None:
        assert soaked(case_of(SETTINGS, promoted=promoted, now=at)).passed
        assert not soaked(case_of(SETTINGS, promoted=promoted, now=at - timedelta(seconds=1))).passed


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0s"), (61, "1m 1s"), (90061, "1d 1h"), (86399 + 60, "1d"), (3601, "1h"), (-5, "0s")]
)
def test_a_span_is_said_in_two_units(seconds: int, said: str) -> None:
    assert span(timedelta(seconds=seconds)) == said
