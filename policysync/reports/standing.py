"""Where every target of every stage stands: what `policysync status` tells, as plain data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from policysync.apply.record import Record
from policysync.apply.undone import Undone
from policysync.plan.change import Blockage, Spared
from policysync.state.resource import Address

SHORT = 10


class Sync(StrEnum):
    """How one resource stands in one target."""

    IN_SYNC = "in sync"
    PENDING = "pending"  # git moved
    DRIFT = "drift"  # somebody moved the console
    CONFLICT = "conflict"  # both moved
    ACCEPTED = "accepted"  # drift that policysync.yaml accepts until a date
    BLOCKED = "blocked"  # nothing there can hold it
    FAILED = "failed"  # an apply left it undone
    NOT_THERE = "not there"  # the stage does not state it
    UNKNOWN = "unknown"  # the target could not be read


@dataclass(frozen=True, slots=True)
class Standing:
    """One target of one stage.

    Attributes:
        record: the newest apply that says which revision is there; None when nothing was applied.
        unfinished: the apply that began and did not end.
        unrepaired: what applies left undone.
        resources: how each resource stands that git states or that was applied.
        guards: those that would refuse to apply what is pending, and why.
        problem: why it could not be looked at; then only the ledger is known.
        live: whether the target was read; without it drift is not known.
    """

    target: str
    record: Record | None = None
    unfinished: Record | None = None
    unrepaired: Mapping[Address, Undone] = field(default_factory=dict)
    resources: Mapping[Address, Sync] = field(default_factory=dict)
    guards: Mapping[str, str] = field(default_factory=dict)
    spared: Sequence[Spared] = ()
    blocked: Sequence[Blockage] = ()
    problem: str = ""
    live: bool = True

    def count(self, sync: Sync) -> int:
        """Return how many resources stand so."""
        return sum(one is sync for one in self.resources.values())

    @property
    def pending(self) -> int:
        """How many resources an apply would change because git moved."""
        return self.count(Sync.PENDING) + self.count(Sync.CONFLICT)

    @property
    def drift(self) -> int:
        """How many resources somebody changed by hand, without what is accepted."""
        return self.count(Sync.DRIFT) + self.count(Sync.CONFLICT)

    @property
    def in_sync(self) -> bool:
        """Whether there is nothing to do, and nothing to know better."""
        moved = self.pending or self.drift or self.blocked or self.unrepaired or self.unfinished
        return not (moved or self.problem) and self.record is not None


@dataclass(frozen=True, slots=True)
class Promotable:
    """What the stage before has, and this one has not.

    Attributes:
        source: the stage it would come from.
        revision: what is applied there.
        resources: those it would change here; they are told apart as git states them for this stage.
        refused: the gates that say no, and why, of those that need to ask nobody.
        asks: the gates that only `promote` asks.
        since: since when the stage before has all of it; with `refused`, when these could pass.
        problem: why nothing can be promoted from there.
    """

    source: str
    revision: str
    resources: Sequence[Address] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    asks: tuple[str, ...] = ()
    since: datetime | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class StageStanding:
    """One stage.

    Attributes:
        revision: what git says it should be: what is checked out for the first stage, the pinned release for others.
        dirty: the documents, or the pin, are not committed.
        released: something is released to it; the first stage follows what is checked out, so that always is.
        problem: why git does not say anything.
        upstream: None for the first stage.
        notice: what is wrong with its ledger.
    """

    stage: str
    revision: str = ""
    dirty: bool = False
    released: bool = True
    targets: Sequence[Standing] = ()
    upstream: Promotable | None = None
    problem: str = ""
    notice: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """Every stage that was asked for, in order. `resources` says that each resource is wanted as a row."""

    at: datetime
    stages: Sequence[StageStanding]
    offline: bool = False
    resources: bool = False

    @property
    def broken(self) -> bool:
        """Whether something could not be looked at."""
        return any(stage.problem or any(t.problem for t in stage.targets) for stage in self.stages)

    @property
    def calm(self) -> bool:
        """Whether every target is in sync."""
        return all(standing.in_sync for stage in self.stages for standing in stage.targets)

    @property
    def addresses(self) -> tuple[Address, ...]:
        """Every resource of every stage, and what could come from the one before."""
        coming = {address for stage in self.stages if stage.upstream for address in stage.upstream.resources}
        stated = {address for stage in self.stages for standing in stage.targets for address in standing.resources}
        return tuple(sorted(stated | coming))


def short(revision: str) -> str:
    """Return a revision as people write it; a release with single resources from elsewhere keeps its mark."""
    commit, plus, rest = revision.partition("+")
    return f"{commit[:SHORT]}{plus}{rest[:4]}"
