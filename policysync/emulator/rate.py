"""A limit on requests a second."""

from __future__ import annotations

import threading

from policysync.clock import Clock
from policysync.emulator.exchange import Response


class Rate:
    """A bucket that holds one second's worth of requests."""

    def __init__(self, per_second: float, clock: Clock) -> None:
        self._per_second = per_second
        self._clock = clock
        self._left = per_second
        self._seen = clock.monotonic()
        self._lock = threading.Lock()

    def refusal(self) -> Response | None:
        """Count a request and return the answer that refuses it, or nothing.

        Source: reference, policies 3.1: past the limit answers are errors and need not be JSON.
        """
        with self._lock:
            now = self._clock.monotonic()
            self._left = min(self._per_second, self._left + (now - self._seen) * self._per_second)
            self._seen = now
            if self._left >= 1:
                self._left -= 1
                return None
        return Response(429, b"Too Many Requests\n", (("content-type", "text/plain"), ("retry-after", "1")))
