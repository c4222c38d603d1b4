"""How many requests a second a console bears: found out by what it refuses.

A console that is too busy cuts the rate; quiet time brings it back, in larger steps up to where it last was too much
and in small ones from there. Deciding only: what waits is the bucket.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

CUT = 0.7
"""What is left of the rate after one refusal."""

LEAST = 1.0
"""Requests a second that are always tried, unless fewer are allowed."""

FEW = 5.0
"""Requests a second that count as borne: whoever sent fewer has not found a limit."""

NEAR = 0.9
"""The part of the rate that was too much up to which it comes back in larger steps."""

LONGEST = 60.0
"""Seconds. A console that asks for a longer pause gets it, but nobody is kept waiting for the end of it."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Requests a second.

    Attributes:
        most: never go faster; infinite where nobody has set a limit.
        base: the rate at the time `at`; infinite as long as nothing was refused.
        knee: the rate that was last too much.
        at: when the rate was last cut, in seconds of a clock.
        pause: when the next request may go at the earliest.
    """

    most: float = math.inf
    base: float = math.inf
    knee: float = math.inf
    at: float = -math.inf
    pause: float = -math.inf

    def rate(self, now: float) -> float:
        """Return the requests a second that may go now."""
        if math.isinf(self.base):
            return self.most
        quick, slow = max(1.0, 0.1 * self.knee), max(0.2, 0.02 * self.knee)
        passed, near = max(0.0, now - self.at), max(self.base, NEAR * self.knee)
        until_near = (near - self.base) / quick
        grown = self.base + quick * passed if passed <= until_near else near + slow * (passed - until_near)
        return min(self.most, grown)


def slowed(pace: Pace, now: float, sent: float, accepted: float, retry_after: float | None) -> Pace:
    """Return the pace after a console said that it is too busy.

    Args:
        sent: when the refused request went. One that went before the last cut tells nothing new.
        accepted: the requests a second it has borne lately.
        retry_after: the seconds it asks to be left alone.
    """
    paused = replace(pace, pause=max(pace.pause, now + retry_after)) if retry_after else pace
    if sent <= pace.at:
        return paused
    knee = min(pace.rate(now), max(FEW, accepted))
    return replace(paused, base=min(pace.most, max(LEAST, CUT * knee)), knee=knee, at=now)
