"""Waiting until a cluster has done what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from policysync.backends.kubernetes.failures import Missing
from policysync.clock import Clock
from policysync.errors import OutcomeUnknown

_FIRST, _LONGEST = 0.1, 2.0
"""Seconds between two looks; each wait is twice the one before."""

Look = Callable[[], Mapping[str, Any]]


def is_behind(held: Mapping[str, Any]) -> bool:
    """Return whether a controller that reports what it has seen has not seen the newest generation."""
    seen = (held.get("status") or {}).get("observedGeneration")
    generation = (held.get("metadata") or {}).get("generation")
    return isinstance(seen, int) and isinstance(generation, int) and seen < generation


def condition(held: Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    """Return a condition of an object; empty when it has none of that kind."""
    for each in (held.get("status") or {}).get("conditions") or ():
        if isinstance(each, Mapping) and each.get("type") == kind:
            return each
    return {}


def settled(held: Mapping[str, Any], look: Look, clock: Clock, limit: float) -> str:
    """Wait until a controller has seen an object as it is now, and return what is wrong with it, or nothing.

    An object of which no controller says what it has seen is done as soon as it is stored.
    """
    until, pause = clock.monotonic() + limit, _FIRST
    while is_behind(held):
        if clock.monotonic() >= until:
            return f"progressing: its controller has not seen the change after {limit:g} seconds"
        clock.sleep(pause)
        pause = min(2 * pause, _LONGEST)
        held = look()
    stalled = condition(held, "Stalled")
    if stalled.get("status") == "True":
        return f"degraded: {stalled.get('reason', 'Stalled')}: {stalled.get('message', '')}"
    return ""


def wait_until_gone(look: Look, uid: str, clock: Clock, limit: float) -> None:
    """Wait until an object is gone with all that it owns.

    Raises:
        OutcomeUnknown: it is still there.
    """
    until, pause = clock.monotonic() + limit, _FIRST
    while True:
        try:
            about = look().get("metadata") or {}
        except Missing:
            return
        if uid and about.get("uid") != uid:
            return
        if clock.monotonic() >= until:
            waits = ", ".join(about.get("finalizers") or ()) or "nobody says what"
            raise OutcomeUnknown(f"still being deleted after {limit:g} seconds; it waits for {waits}")
        clock.sleep(pause)
        pause = min(2 * pause, _LONGEST)
