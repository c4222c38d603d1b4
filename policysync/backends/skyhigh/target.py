"""A skyhigh target → its machines."""

from __future__ import annotations

from policysync.backends.means import Means
from policysync.backends.port import Backend
from policysync.backends.skyhigh.backend import Skyhigh
from policysync.backends.skyhigh.options import options_of
from policysync.backends.skyhigh.remote import Machines
from policysync.documents.project import Target
from policysync.errors import Refused


def skyhigh(target: Target, means: Means) -> Backend:
    """Return the machines of a target. Nothing is sent before they are used.

    Raises:
        Refused: the target cannot be used as it is written.
    """
    if target.url or target.auth:
        raise Refused("a skyhigh target has neither url nor auth: each document says where its machine is")
    return Skyhigh(Machines(options_of(target.options, means.root)), means, identity=f"skyhigh:{target.name}")
