"""From a target of policysync.yaml to a backend that is ready to be read and written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from policysync.backends.apono.target import apono
from policysync.backends.aqua_target import aqua
from policysync.backends.cloudformation.target import cloudformation
from policysync.backends.cluster import cluster
from policysync.backends.files import files
from policysync.backends.http import Local
from policysync.backends.means import Means, Secrets
from policysync.backends.memory import Memory
from policysync.backends.port import Again, Backend
from policysync.backends.skyhigh.target import skyhigh
from policysync.clock import Clock, SystemClock
from policysync.documents.project import Limits, Target
from policysync.errors import PolicySyncError, Refused
from policysync.kinds.kind import Kind


def connect(
    target: Target,
    kinds: Mapping[str, Kind],
    *,
    secrets: Secrets,
    again: Again[Any],
    limits: Limits,
    local: Local | None = None,
    clock: Clock | None = None,
    root: Path | None = None,
    peers: tuple[Target, ...] = (),
) -> Backend:
    """Return the backend of a target. Nothing is sent before it is used.

    Args:
        again: runs a read again while it is Unavailable.
        local: answers in process; needed by targets with `url: embedded:NAME`.
        root: the policy repository, where relative paths in a target's options start.
        peers: the other targets of the stage.

    Raises:
        PolicySyncError: the target cannot be used as it is written; names the target.
    """
    factory = BACKENDS.get(target.backend)
    if factory is None:
        known = ", ".join(sorted(BACKENDS))
        raise PolicySyncError(f"target {target.name}: backend {target.backend!r} is not served here; known are {known}")
    means = Means(kinds, secrets, again, limits, local, clock or SystemClock(), root or Path(), peers)
    try:
        return factory(target, means)
    except Refused as error:
        raise Refused(f"target {target.name}: {error}") from error


def _memory(target: Target, means: Means) -> Backend:
    return Memory(means.kinds, identity=f"memory:{target.name}")


BACKENDS: Mapping[str, Callable[[Target, Means], Backend]] = {
    "apono": apono,
    "aqua": aqua,
    "cloudformation": cloudformation,
    "files": files,
    "helm": cluster,
    "kubernetes": cluster,
    "memory": _memory,
    "skyhigh": skyhigh,
}
