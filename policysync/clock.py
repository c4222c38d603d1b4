"""Time as an argument, so that a test about a day takes no time at all."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

PIECE = 0.1
"""The longest sleep, in seconds, that nothing wakes anybody from."""


_OFFSET = re.compile(r"([+-])(\d{1,6})([dhms])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}


class Clock(Protocol):
    """Where time comes from."""

    def now(self) -> datetime:
        """Return the time of day, in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class ShiftedClock(SystemClock):
    """The machine's own clock, moved by a fixed time: for stories about days that are told in minutes."""

    def __init__(self, by: timedelta) -> None:
        self._by = by

    def now(self) -> datetime:
        return super().now() + self._by


def shift(text: str, now: datetime) -> timedelta:
    """Return by how much a clock is moved that `text` sets: to a moment, or by an offset such as `+26h`.

    Raises:
        ValueError: it is neither.
    """
    found = _OFFSET.fullmatch(text)
    if found:
        moved = timedelta(**{_UNITS[found[3]]: int(found[2])})
        return -moved if found[1] == "-" else moved
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return moment - now


class FakeClock:
    """A clock that moves only when somebody sleeps."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._start = start
        self._passed = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self._start.timestamp() + self._passed, UTC)

    def monotonic(self) -> float:
        return self._passed

    def sleep(self, seconds: float) -> None:
        self._passed += seconds


def sleep_unless(clock: Clock, seconds: float, over: Callable[[], bool]) -> bool:
    """Wait, and return whether it was to the end: `over` ends a wait early."""
    until = clock.monotonic() + seconds
    while (left := until - clock.monotonic()) > 0:
        if over():
            return False
        clock.sleep(min(left, PIECE))
    return not over()
