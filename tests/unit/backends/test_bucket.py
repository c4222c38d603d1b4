from __future__ import annotations

import pytest

from policysync.backends.bucket import Bucket
from policysync.clock import FakeClock


def test_a_burst_goes_at_once_and_then_one_an_interval() -> None:
    clock = FakeClock()
    bucket = Bucket(10, clock, burst=3)
    seen = []
    for _ in range(6):
        bucket.take()
        seen.append(clock.monotonic())
    assert seen == pytest.approx([0, 0, 0, 0.1, 0.2, 0.3])


def test_time_unused_is_worth_one_burst() -> None:
    clock = FakeClock()
    bucket = Bucket(10, clock, burst=3)
    clock.sleep(1000)
    for _ in range(4):
        bucket.take()
    assert clock.monotonic() == pytest.approx(1000.1)


def test_many_requests_keep_to_the_rate() -> None:
    clock = FakeClock()
    bucket = Bucket(4, clock)
    for _ in range(403):
        bucket.take()
    assert clock.monotonic() == pytest.approx(100)


@pytest.mark.parametrize("rate", [None, 0])
def test_no_rate_is_no_limit(rate: float | None) -> None:
    clock = FakeClock()
    bucket = Bucket(rate, clock)
    for _ in range(1000):
        bucket.take()
    assert clock.monotonic() == 0
