from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest

from policysync.backends.bucket import Bucket
from policysync.clock import FakeClock
from policysync.errors import Refused, Unavailable


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


def test_without_a_limit_a_busy_console_sets_one() -> None:
    clock = FakeClock()
    bucket = Bucket(None, clock)
    for _ in range(30):
        bucket.heard(bucket.take(), busy=False)
    bucket.heard(clock.monotonic(), busy=True)
    before = clock.monotonic()
    for _ in range(21):
        bucket.take()
    assert clock.monotonic() - before == pytest.approx(1, abs=0.1)


def test_a_pause_holds_for_everybody_and_no_burst_follows() -> None:
    clock = FakeClock()
    bucket = Bucket(10, clock)
    for _ in range(10):
        bucket.heard(bucket.take(), busy=False)
    start = clock.monotonic()
    bucket.heard(start, busy=True, retry_after=5)
    seen = [bucket.take() - start for _ in range(3)]
    assert seen[0] == pytest.approx(5)
    assert min(b - a for a, b in pairwise(seen)) >= 0.09


class Meanwhile(FakeClock):
    """A clock by which something happens once, as soon as somebody sleeps."""

    def __init__(self, happens: Callable[[], None]) -> None:
        super().__init__()
        self._happens: Callable[[], None] | None = happens

    def sleep(self, seconds: float) -> None:
        happens, self._happens = self._happens, None
        if happens is not None:
            happens()
        super().sleep(seconds)


def test_who_already_waits_waits_for_a_pause_as_well() -> None:
    clock = Meanwhile(lambda: bucket.heard(clock.monotonic(), busy=True, retry_after=0.6))
    bucket = Bucket(4, clock, burst=0)
    assert bucket.take() >= 0.6


def test_nobody_is_kept_waiting_for_the_end_of_a_very_long_pause() -> None:
    clock = FakeClock()
    bucket = Bucket(10, clock)
    bucket.heard(0.0, busy=True, retry_after=3600)
    with pytest.raises(Unavailable, match="left alone, for 3600 more seconds") as caught:
        bucket.take()
    assert caught.value.retry_after == 3600
    clock.sleep(3600)
    bucket.take()


def test_closing_wakes_who_waits() -> None:
    clock = Meanwhile(lambda: bucket.close())  # noqa: PLW0108  # there is no bucket yet
    bucket = Bucket(1, clock)
    bucket.take()
    bucket.heard(clock.monotonic(), busy=True, retry_after=30)
    with pytest.raises(Refused, match="closed while a request waited"):
        bucket.take()
    assert clock.monotonic() < 1
