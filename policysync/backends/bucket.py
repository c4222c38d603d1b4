"""A token bucket: no more requests a second than the target is meant to bear."""

from __future__ import annotations

import threading

from policysync.clock import Clock


class Bucket:
    """Lets `rate` requests a second through, after a burst of a few. Threads share one; no rate means no limit."""

    def __init__(self, rate: float | None, clock: Clock, burst: int = 3) -> None:
        self._interval = 1.0 / rate if rate else 0.0
        self._burst = burst
        self._clock = clock
        self._lock = threading.Lock()
        self._next = clock.monotonic() - burst * self._interval

    def take(self) -> None:
        """Return when the next request may go."""
        if not self._interval:
            return
        with self._lock:
            now = self._clock.monotonic()
            # Time that passed unused is worth one burst at most.
            self._next = max(self._next, now - self._burst * self._interval) + self._interval
            wait = self._next - now
        if wait > 0:
            self._clock.sleep(wait)
