"""The gate `window-open`."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import takewhile
from typing import Any

from policysync.documents.window_settings import Closed, Window, Windows
from policysync.promotion.case import Case, Verdict

_CLOCKS_CHANGE = timedelta(hours=2)
_OPENINGS = 400
"""How many openings ahead are looked at: more than a year of working days."""


def window_open(case: Case) -> Verdict:
    """Ask that it is a time at which something may happen."""
    windows = case.settings.window_open
    if windows is None:
        return Verdict(True, "any time is good")
    frozen = _closed(windows, case.now)
    opened = next((window for window in windows.open if _is_open(window, case.now)), None)
    if frozen is None and (opened or not windows.open):
        return Verdict(True, f"open: {opened.said}" if opened else "no freeze")
    at = _next(windows, case.now)
    if frozen:
        why = f": {frozen.reason}" if frozen.reason else ""
        return Verdict(False, f"frozen before {frozen.end:%Y-%m-%d %H:%M} UTC{why}", at)
    return Verdict(False, f"closed; open is {' or '.join(window.said for window in windows.open)}", at)


def _closed(windows: Windows, at: datetime) -> Closed | None:
    return next((closed for closed in windows.closed if closed.start <= at < closed.end), None)


def _is_open(window: Window, at: datetime) -> bool:
    # A day on which the clocks change makes a window longer than it says.
    starts = takewhile(lambda start: start <= at, _openings(window, at - window.length - _CLOCKS_CHANGE))
    return any(at < _end(window, start) for start in starts)


def _next(windows: Windows, now: datetime) -> datetime | None:
    """Return the first moment from now on that is in a window and in no freeze; None when there is none in sight."""
    ends = sorted(closed.end for closed in windows.closed if closed.end > now)
    for at in merge(ends, *(_ahead(window, now) for window in windows.open)):
        if _closed(windows, at) is None and (not windows.open or any(_is_open(w, at) for w in windows.open)):
            return at
    return None


def _ahead(window: Window, now: datetime) -> Iterator[datetime]:
    for _, at in zip(range(_OPENINGS), _openings(window, now), strict=False):
        yield at


def _openings(window: Window, after: datetime) -> Iterator[datetime]:
    """Yield when a window opens after a moment, in UTC."""
    # What asks for no windows pays for no import.
    cronsim: Any = importlib.import_module("cronsim")
    for at in cronsim.CronSim(window.cron, after.astimezone(window.zone)):
        yield at.astimezone(UTC)


def _end(window: Window, start: datetime) -> datetime:
    # By the clock on the wall, so that 08:00-16:00 ends at 16:00 on the day the clocks change.
    wall = start.astimezone(window.zone).replace(tzinfo=None) + window.length
    end = wall.replace(tzinfo=window.zone).astimezone(UTC)
    return max(end, start + timedelta(minutes=1))
