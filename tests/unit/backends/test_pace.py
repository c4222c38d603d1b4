from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policysync.backends.pace import CUT, LEAST, NEAR, Pace, slowed

times = st.floats(0, 1000)
refusals = st.lists(st.tuples(st.floats(0.001, 30), st.floats(0, 500), st.none() | st.floats(0, 300)), max_size=8)


def after(pace: Pace, told: list[tuple[float, float, float | None]]) -> tuple[Pace, float]:
    """Return the pace after some refusals, so long after each other, and the time then."""
    now = 0.0
    for passed, accepted, retry_after in told:
        now += passed
        pace = slowed(pace, now, now, accepted, retry_after)
    return pace, now


def test_nothing_refused_is_the_limit_that_was_set() -> None:
    assert Pace(most=10).rate(5) == 10
    assert Pace().rate(5) == math.inf


def test_a_refusal_cuts_to_a_part_of_what_was_borne() -> None:
    assert slowed(Pace(), 10, 9.9, 30, None).rate(10) == pytest.approx(CUT * 30)
    assert slowed(Pace(most=10), 10, 9.9, 30, None).rate(10) == pytest.approx(CUT * 10)


def test_requests_that_were_under_way_cut_it_no_further() -> None:
    once = slowed(Pace(), 10, 9.9, 30, None)
    assert slowed(once, 10.2, 9.95, 30, None) == once
    assert slowed(once, 10.2, 10.1, 30, None).rate(10.2) < once.rate(10.2)


def test_it_comes_back_fast_and_then_slowly() -> None:
    pace = slowed(Pace(), 0, 0, 30, None)
    near = next(second for second in range(100) if pace.rate(second) >= NEAR * 30)
    full = next(second for second in range(100) if pace.rate(second) >= 30)
    assert near <= 3
    assert full >= near + 4


@given(refusals, st.floats(0.5, 100) | st.just(math.inf), times, times)
def test_the_rate_stays_between_what_is_always_tried_and_the_limit(
    told: list[tuple[float, float, float | None]], most: float, first: float, second: float
) -> None:
    pace, now = after(Pace(most=most), told)
    early, late = sorted((now + first, now + second))
    assert min(LEAST, most) <= pace.rate(early) <= pace.rate(late) <= most


@given(refusals, st.floats(1, 100))
def test_quiet_time_brings_the_whole_limit_back(told: list[tuple[float, float, float | None]], most: float) -> None:
    pace, now = after(Pace(most=most), told)
    assert pace.rate(now + 5 * most + 10) == most


@given(refusals, st.floats(0.001, 300))
def test_a_pause_is_never_made_shorter(told: list[tuple[float, float, float | None]], asked: float) -> None:
    pace, now = after(Pace(), told)
    longer = slowed(pace, now, now, 1, asked)
    assert longer.pause >= max(pace.pause, now + asked)
