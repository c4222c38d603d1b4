"""What the ledger of the stage before knows of a release: whether it has it, and since when."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from policysync.apply.ledger import Ledger
from policysync.apply.record import Record
from policysync.apply.report import GOOD
from policysync.promotion.case import Upstream
from policysync.state.normalize import canonical
from policysync.state.resource import Address, Resource

Covers = Callable[[str, Address], bool]
"""Says whether what the ledger calls a revision holds a resource as the release has it, or newer."""

_VEIL = "$digest"


def upstream_of(
    ledger: Ledger, target: str, records: Sequence[Record], stated: Iterable[Resource], of: frozenset[Address] | None
) -> Upstream:
    """Return what one target has.

    Args:
        records: the history of the target, the newest first.
        stated: what the release says of the target; secrets need not be resolved.
        of: look at these resources only; None at all of them.
    """
    last = ledger.last_applied(target)
    asked = [resource for resource in stated if of is None or resource.address in of]
    lacks = [r.address for r in asked if r.address not in last or not _same(r.spec, last[r.address])]
    undone = [address for address in ledger.unrepaired(target) if of is None or address in of]
    newest = records[0] if records else None
    return Upstream(
        target,
        newest.revision if newest else "",
        newest.id if newest else "",
        tuple(sorted(lacks)),
        bool(undone) or ledger.unfinished(target) is not None,
    )


def since(records: Sequence[Record], address: Address, covers: Covers) -> datetime | None:
    """Return from when on a target has had a resource as the release has it; None when no apply brought the release.

    Time begins anew with every apply that wrote the resource, and with one that went back to something older.
    """
    begun = None
    for record in records:
        if not covers(record.revision, address):
            break
        begun = record.ended or record.at
        if _wrote(record, address):
            break
    return begun


def _wrote(record: Record, address: Address) -> bool:
    return address in record.settled or any(e.address == address and e.outcome in GOOD for e in record.entries)


def _same(stated: Mapping[str, Any], applied: Mapping[str, Any]) -> bool:
    """Return whether two specs are the same but for the values of secrets, which nobody offline knows."""
    return bool(_veiled(orjson.loads(canonical(stated, ""))) == _veiled(applied))


def _veiled(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _VEIL if set(value) == {_VEIL} else {name: _veiled(below) for name, below in value.items()}
    return [_veiled(item) for item in value] if isinstance(value, list) else value
