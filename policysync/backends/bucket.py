"""A token bucket: no more requests a second than the target is meant to bear, or turns out to bear."""

from __future__ import annotations

import math
import threading
from collections import deque

from policysync.backends.pace import LONGEST, Pace, slowed
from policysync.clock import Clock, sleep_unless
from policysync.errors import Refused, Unavailable

_WINDOW = 1.0
"""Seconds over which it is counted what the target bears."""


class Bucket:
    """Lets `rate` requests a second through, after a burst of a few, and fewer while the target is too busy.

    Threads share one. No rate means no limit but the target's own.
    """

    def __init__(self, rate: float | None, clock: Clock, burst: int = 3) -> None:
        self._burst = burst
        self._clock = clock
        self._lock = threading.Lock()
        self._next = -math.inf
        self._pace = Pace(most=rate or math.inf)
        self._accepted: deque[float] = deque(maxlen=4096)
        self._closed = False

    def take(self) -> float:
        """Return when the next request may go: the time, in seconds of the clock.

        Raises:
            Unavailable: the target wants to be left alone for longer than anybody waits here.
            Refused: the bucket was closed.
        """
        while True:
            with self._lock:
                now, at = self._clock.monotonic(), self._pace.at
                until = self._turn(now)
            if not sleep_unless(self._clock, until - now, self._is_closed):
                raise Refused("the connection was closed while a request waited for its turn")
            with self._lock:
                now = self._clock.monotonic()
                # Turns given out before the target complained are void.
                if self._pace.at == at and now >= self._pace.pause:
                    return now

    def heard(self, sent: float, *, busy: bool, retry_after: float | None = None) -> None:
        """Learn from an answer to the request that went at `sent`."""
        with self._lock:
            now = self._clock.monotonic()
            if not busy:
                self._accepted.append(now)
                return
            before = self._pace.at
            bears = sum(at > now - _WINDOW for at in self._accepted) / _WINDOW
            self._pace = slowed(self._pace, now, sent, bears, retry_after)
            if self._pace.at != before:
                self._next = now

    def close(self) -> None:
        """Let nothing through any more, and wake who waits."""
        self._closed = True

    def _is_closed(self) -> bool:
        return self._closed

    def _turn(self, now: float) -> float:
        """Return when the request that asks now may go."""
        if self._pace.pause - now > LONGEST:
            asked = self._pace.pause - now
            raise Unavailable(f"the console asked to be left alone, for {asked:.0f} more seconds", asked)
        rate = self._pace.rate(now)
        if math.isinf(rate):
            return max(now, self._pace.pause)
        # Time that passed unused is worth one burst at most; after a cut, and after a pause, it is worth nothing.
        earliest = max(now - self._burst / rate, self._pace.pause - 1 / rate, self._pace.at - 1 / rate)
        self._next = max(self._next, earliest) + 1 / rate
        return max(now, self._next)
