"""Targets that are consoles inside policysync: where they are kept, and the time they may be told."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from policysync.clock import Clock, ShiftedClock, SystemClock, shift
from policysync.documents.project import Project, Target
from policysync.errors import PolicySyncError

EMBEDDED = "embedded:"
LOCAL = Path(".policysync")


def is_embedded(target: Target) -> bool:
    """Return whether a target is an in-process console."""
    return target.url.startswith(EMBEDDED)


def store_of(root: Path, target: Target) -> Path:
    """Return the file of an embedded console."""
    return root / LOCAL / "consoles" / f"{target.url.removeprefix(EMBEDDED)}.sqlite"


def clock_of(project: Project, environ: Mapping[str, str]) -> Clock:
    """Return the clock that `POLICYSYNC_CLOCK` sets; only where every target is embedded may one be set.

    Raises:
        PolicySyncError: a target is not, or what is set is no time.
    """
    text = environ.get("POLICYSYNC_CLOCK")
    if not text:
        return SystemClock()
    real = [target.name for stage in project.stages for target in stage.targets if not is_embedded(target)]
    if real:
        raise PolicySyncError(
            f"POLICYSYNC_CLOCK is set, and {real[0]} is not an embedded console; unset it: no gate is to be told a "
            "time that is not so"
        )
    try:
        clock = ShiftedClock(shift(text, SystemClock().now()))
        clock.now()
    except (ValueError, OverflowError) as error:
        raise PolicySyncError(f"POLICYSYNC_CLOCK is {text!r}: want an offset such as +26h, or a moment") from error
    return clock
