"""New objects that cannot be read at once, as behind a cache that is filled later."""

from __future__ import annotations

from collections.abc import Sequence

from policysync.clock import Clock
from policysync.emulator.store import Stored
from policysync.kinds.kind import Kind

_BRIEFLY = 0.3
"""Seconds; enough for a read that follows at once to miss the object."""


class Hiding:
    """Remembers what was made a moment ago. `seconds` counts for every kind; None only for those known for it."""

    def __init__(self, seconds: float | None, clock: Clock) -> None:
        self._seconds = seconds
        self._clock = clock
        self._until: dict[tuple[str, str], tuple[float, Stored]] = {}

    def hide(self, kind: Kind, stored: Stored) -> None:
        seconds = self._seconds if self._seconds is not None else min(_BRIEFLY, kind.eventual)
        if seconds:
            self._until[stored.kind, stored.ident] = (self._clock.monotonic() + seconds, stored)

    def is_hidden(self, stored: Stored) -> bool:
        if not self._until:
            return False
        until, _ = self._until.get((stored.kind, stored.ident), (0.0, None))
        return self._clock.monotonic() < until

    def hidden(self, kinds: Sequence[str]) -> frozenset[bytes]:
        """Return what lists of these kinds must not show."""
        if not self._until:
            return frozenset()
        now = self._clock.monotonic()
        self._until = {place: entry for place, entry in self._until.items() if now < entry[0]}
        waiting = (stored for _, stored in self._until.values() if stored.kind in kinds)
        return frozenset(stored.body if stored.summary is None else stored.summary for stored in waiting)
