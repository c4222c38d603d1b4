"""Trying again: the only place that does it.

Only reads are tried again here. What a write left behind has to be looked at first, which is the business of `execute`.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from policysync.clock import Clock, sleep_unless
from policysync.errors import Unavailable

T = TypeVar("T")

Retrying = Callable[[Unavailable, float], None]
"""Told before each wait: what failed, and the seconds until the next attempt."""


@dataclass(slots=True)
class _Tries:
    """What one call has left, with all the calls it makes."""

    left: int
    until: float


_TRIES: ContextVar[_Tries | None] = ContextVar("tries", default=None)


class Retry:
    """Exponential backoff with full jitter, within a budget; threads share one.

    `attempts` counts the first one too. `budget` is the seconds one call may take altogether: a wait that would
    go past it is not begun. The n-th wait lies between 0 and `first * 2**(n-1)` seconds, at most `longest`; what
    the backend asks for with Retry-After wins, whatever its length. A call made inside another one, also in a thread
    that runs in a copy of its context, shares its attempts and its budget: failures do not multiply.
    """

    def __init__(
        self,
        clock: Clock,
        attempts: int = 5,
        budget: float = 120.0,
        jitter: Callable[[], float] = random.random,
        *,
        first: float = 0.5,
        longest: float = 20.0,
        listener: Retrying | None = None,
    ) -> None:
        """`jitter` returns a number from 0 to 1."""
        self._clock = clock
        self._attempts = attempts
        self._budget = budget
        self._jitter = jitter
        self._first = first
        self._longest = longest
        self._listener = listener
        self._halted = False

    def halt(self) -> None:
        """Begin no further attempt and end every wait; a thread or a signal handler may."""
        self._halted = True

    def read(self, call: Callable[[], T]) -> T:
        """Run `call` and run it again while it is Unavailable; the last failure is passed on.

        Anything else it raises is passed on at once.
        """
        outer = _TRIES.get()
        if outer is not None:
            return self._repeated(call, outer)
        token = _TRIES.set(tries := _Tries(self._attempts, self._clock.monotonic() + self._budget))
        try:
            return self._repeated(call, tries)
        finally:
            _TRIES.reset(token)

    def _repeated(self, call: Callable[[], T], tries: _Tries) -> T:
        attempt = 0
        while True:
            try:
                return call()
            except Unavailable as error:
                tries.left -= 1
                attempt += 1
                wait = self.wait(attempt, error)
                if tries.left <= 0 or self._clock.monotonic() + wait > tries.until:
                    raise
                if self._listener is not None:
                    self._listener(error, wait)
                if not sleep_unless(self._clock, wait, self._is_halted):
                    raise

    def _is_halted(self) -> bool:
        return self._halted

    def wait(self, attempt: int, error: Unavailable) -> float:
        """Return the seconds to wait after the n-th attempt, counted from 1, failed with `error`."""
        if error.retry_after is not None:
            return error.retry_after
        return self._jitter() * min(self._longest, self._first * 2.0 ** (attempt - 1))
