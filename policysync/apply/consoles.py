"""What ledgers remember of consoles: which one each target was, and what was begun there."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import islice

from policysync.apply.events import Outcome
from policysync.apply.ledger import Ledger
from policysync.apply.no_ledger import NoLedger
from policysync.apply.record import Entry
from policysync.apply.report import GOOD
from policysync.apply.taken import still_as_taken
from policysync.plan.change import Action
from policysync.state.resource import Address, Resource

_LOOKED_AT = 1000


def consoles(ledger: Ledger | NoLedger, targets: Iterable[str]) -> dict[str, str]:
    """Return which console each of these targets was when it was last applied; those never applied are left out."""
    wanted = set(targets)
    found: dict[str, str] = {}
    for record in islice(ledger.history(), _LOOKED_AT):
        if record.identity and record.target in wanted:
            found[record.target] = record.identity
            wanted.remove(record.target)
        if not wanted:
            break
    return found


def begun(ledger: Ledger | NoLedger, target: str, addresses: Collection[Address]) -> frozenset[Address]:
    """Return which of these are the work of some apply, or were to be.

    It set out to create them, and may have; or it was to overwrite what lay there, which the guards let it, and is
    repeated because that was not done.
    """
    if not addresses:
        return frozenset()
    entries = (entry for record in ledger.history() if record.target == target for entry in record.entries)
    return frozenset(entry.address for entry in entries if entry.address in addresses and _is_its_work(entry))


def taken(
    ledger: Ledger | NoLedger, target: str, live: Iterable[Resource], addresses: Collection[Address]
) -> frozenset[Address]:
    """Return which of these `adopt` took into git, and nobody changed since: what git states then is meant."""
    if not addresses:
        return frozenset()
    some = (resource for resource in live if resource.address in addresses)
    return still_as_taken(ledger.adopted(target), some, ledger.salt)


def _is_its_work(entry: Entry) -> bool:
    if entry.action is Action.UPDATE:
        return entry.outcome not in GOOD
    # A failure that names fields is of an object that was made and does not hold what it was given.
    unmade = entry.outcome is Outcome.SKIPPED or (entry.outcome is Outcome.FAILED and not entry.fields)
    return entry.action is Action.CREATE and not unmade
