"""Refs that keep a new commit alive until the ref it is for has it, and what is left of them by writers that died."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from secrets import token_hex

from policysync.apply.layout import encode

HOLDING = "refs/policysync/new/"

LISTED = "%(refname) %(committerdate:unix)"
"""How git has to list them for `left`."""

_HELD = timedelta(hours=1)
"""How long the ref of a writer on another machine is left alone; writing takes seconds."""


def new_ref() -> str:
    """Return a ref nobody else holds, which tells who does."""
    return f"{HOLDING}{_here()}/{os.getpid()}-{token_hex(8)}"


def left(lines: Iterable[str], now: datetime) -> Iterator[str]:
    """Yield the refs whose writer is gone."""
    for ref, _, at in (line.rpartition(" ") for line in lines):
        host, _, writer = ref.removeprefix(HOLDING).rpartition("/")
        pid = writer.partition("-")[0]
        if host == _here() and pid.isdecimal():
            gone = not runs(int(pid))
        else:
            gone = not at.isdecimal() or now.timestamp() - int(at) > _HELD.total_seconds()
        if gone:
            yield ref


def runs(pid: int) -> bool:
    """Return whether a process of this machine is still there."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _here() -> str:
    return encode(platform.node()) or "-"
