"""What `adopt` took into git as it was live: a mark for each, so that an apply may go on from there.

A mark says what live was like, by a salted digest, and nothing else. It is not last-applied: nothing is compared with
it and nothing is deleted because of it. It goes when an apply has the resource on record.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import orjson

from policysync.errors import PolicySyncError
from policysync.state.normalize import digest
from policysync.state.resource import Address, Resource


def mark(live: Resource, salt: str) -> bytes:
    """Return a mark as it is written down."""
    return orjson.dumps({"live": digest(live.spec, salt)}, option=orjson.OPT_APPEND_NEWLINE)


def marked(text: bytes) -> str:
    """Return the digest in what `mark` wrote.

    Raises:
        PolicySyncError: it is not one.
    """
    try:
        said = orjson.loads(text)["live"]
    except (ValueError, KeyError, TypeError):
        said = None
    if not isinstance(said, str):
        raise PolicySyncError("the ledger cannot be read: what it says of an adopted resource is not a digest")
    return said


def still_as_taken(marks: Mapping[Address, str], live: Iterable[Resource], salt: str) -> frozenset[Address]:
    """Return what is live exactly as it was when it was taken into git."""
    return frozenset(
        resource.address for resource in live if marks.get(resource.address) == digest(resource.spec, salt)
    )
