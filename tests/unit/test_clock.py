"""Time as an argument."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from policysync.clock import Clock, FakeClock, SystemClock, sleep_unless


def test_a_fake_clock_moves_only_when_somebody_sleeps() -> None:
    clock: Clock = FakeClock(datetime(2026, 3, 1, tzinfo=UTC))
    assert clock.now() == datetime(2026, 3, 1, tzinfo=UTC)
    clock.sleep(90)
    assert clock.now() == datetime(2026, 3, 1, 0, 1, 30, tzinfo=UTC)
    assert clock.monotonic() == 90


def test_the_system_clock_is_in_utc_and_runs_forward() -> None:
    clock: Clock = SystemClock()
    before = clock.monotonic()
    clock.sleep(0)
    assert clock.monotonic() >= before
    assert clock.now().utcoffset() == timedelta(0)


def test_a_wait_is_as_long_as_asked() -> None:
    clock = FakeClock()
    assert sleep_unless(clock, 2.05, lambda: False)
    assert clock.monotonic() == pytest.approx(2.05)
    assert sleep_unless(clock, -1, lambda: False)


def test_a_wait_ends_soon_after_it_is_over() -> None:
    clock = FakeClock()
    assert not sleep_unless(clock, 1000, lambda: clock.monotonic() >= 3)
    assert clock.monotonic() <= 3.2
