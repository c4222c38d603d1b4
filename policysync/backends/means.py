"""What a backend is made from, besides its target."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policysync.backends.http import Local
from policysync.backends.port import Again
from policysync.clock import Clock
from policysync.documents.project import Limits, Target
from policysync.kinds.kind import Kind
from policysync.secret import Secret

Secrets = Callable[[str], Secret]
"""Returns what a reference such as `${env:NAME}` stands for."""


@dataclass(frozen=True, slots=True)
class Means:
    """What every factory is handed.

    Attributes:
        again: runs a read again while it is Unavailable.
        local: answers in process; None when the target is reached over the network.
        root: where relative paths in a target's options start.
        peers: the other targets of the stage, for what a resource takes from another one elsewhere.
    """

    kinds: Mapping[str, Kind]
    secrets: Secrets
    again: Again[Any]
    limits: Limits
    local: Local | None
    clock: Clock
    root: Path
    peers: tuple[Target, ...] = ()
