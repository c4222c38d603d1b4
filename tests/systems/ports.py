"""Ports for programs that have to be told one before they start."""

from __future__ import annotations

import contextlib
import random
import socket
from collections.abc import Sequence
from pathlib import Path

_GIVEN_OUT = Path("/proc/sys/net/ipv4/ip_local_port_range")
_LOWEST, _ALL = 10_000, 65_536


def unused_port() -> int:
    """Return a port nobody listens on.

    It stays so until somebody asks for it by its number: it is none of those that the system gives out by itself, to
    listeners that do not mind which they get and to every connection.
    """
    for port in random.SystemRandom().sample(_asked_for(), 100):
        with contextlib.suppress(OSError), socket.socket() as tried:
            tried.bind(("127.0.0.1", port))
            return port
    raise AssertionError("of a hundred ports none is unused")


def _asked_for() -> Sequence[int]:
    try:
        first, last = (int(word) for word in _GIVEN_OUT.read_text(encoding="ascii").split())
    except OSError:
        first, last = 49_152, _ALL - 1
    return [*range(_LOWEST, first), *range(last + 1, _ALL)] or range(_LOWEST, _ALL)
