"""What guards judge: a plan, and what was known when it was made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from policysync.documents.guard_settings import GuardSettings
from policysync.kinds.kind import Kind
from policysync.plan.build import World
from policysync.plan.change import Action, Change, Plan
from policysync.state.resource import Address

Consoles = Mapping[tuple[str, str], str]
"""Which console each target (stage, name) was when it was last applied."""

_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Case:
    """Everything a guard may look at, so that none of them has to ask anybody.

    Attributes:
        stated: how many resources git describes for the target, whatever was selected.
        consoles: what the ledger remembers.
        begun: what an apply once set out to create or was let overwrite here, and may not have ended.
        taken: what `adopt` took into git and is live exactly as it was then.
        embedded: the target is an embedded console, where nothing real can break.
        released: what the pin of the stage names, empty where there is none; None for a stage that follows the branch.
    """

    plan: Plan
    world: World
    kinds: Mapping[str, Kind]
    settings: GuardSettings = field(default_factory=GuardSettings)
    stated: int = 0
    consoles: Consoles = field(default_factory=dict)
    begun: frozenset[Address] = frozenset()
    taken: frozenset[Address] = frozenset()
    now: datetime = _NEVER
    embedded: bool = False
    released: str | None = None


Guard = Callable[[Case], str | None]


def goes(change: Change) -> bool:
    """Return whether a change takes an object away, for good or to make it anew."""
    return change.action is Action.DELETE or (change.action is Action.UPDATE and change.replace)


def named(addresses: list[Address], listed: int = 10) -> str:
    """Return names for a sentence, not all of them where there are many."""
    more = f" and {len(addresses) - listed} more" if len(addresses) > listed else ""
    return ", ".join(str(address) for address in addresses[:listed]) + more
