"""What gates judge: a release that wants into a stage, and everything that was known about it. Pure data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from policysync.documents.gate_settings import GateSettings
from policysync.plan.change import Posture
from policysync.state.resource import Address

_NEVER = datetime.min.replace(tzinfo=UTC)
_LISTED = 5


@dataclass(frozen=True, slots=True)
class Promoted:
    """One resource that the release changes in the stage.

    Attributes:
        posture: the worst of what git says and what live would see: what may be looser is looser.
        since: from when on every target upstream has had it as the release has it; None where one has not.
    """

    address: Address
    posture: Posture = Posture.NEUTRAL
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Upstream:
    """One target of the stage before.

    Attributes:
        applied: the revision last applied there in whole or in part; empty when nothing was.
        apply: the id of that apply.
        lacks: what the release states for it and the ledger does not have so.
        unfinished: an apply there began and did not end, or left changes undone.
    """

    target: str
    applied: str = ""
    apply: str = ""
    lacks: tuple[Address, ...] = ()
    unfinished: bool = False


@dataclass(frozen=True, slots=True)
class Checked:
    """How a check of the world ended; `said` is a sentence."""

    passed: bool
    said: str


@dataclass(frozen=True, slots=True)
class Approval:
    """Somebody's yes to this release in this stage; `via` says how it was given."""

    who: str
    via: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """Everything a gate may look at, so that none of them has to ask anybody.

    Attributes:
        release: what identifies the release.
        before: what the stage before is called.
        promoted: what the release changes in the stage.
        upstream: the targets of the stage before, as its ledger knows them.
        drift: what somebody changed by hand upstream, by target.
        checks: how `verified` and `verified-upstream` ended.
        approvals: those that count; `approvers` says in words whose do.
        unplanned: what the plan of the stage would change besides what is promoted, by target.
        newly_failing: images that start to fail; None where nobody can say.
    """

    stage: str
    before: str
    release: str
    settings: GateSettings = field(default_factory=GateSettings)
    now: datetime = _NEVER
    promoted: tuple[Promoted, ...] = ()
    upstream: tuple[Upstream, ...] = ()
    drift: Mapping[str, tuple[Address, ...]] = field(default_factory=dict)
    checks: Mapping[str, Checked] = field(default_factory=dict)
    approvals: tuple[Approval, ...] = ()
    approvers: str = ""
    unplanned: Mapping[str, tuple[Address, ...]] = field(default_factory=dict)
    newly_failing: int | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a gate says: `said` is why, or what is missing; `could_pass_at` when it could pass by waiting alone."""

    passed: bool
    said: str
    could_pass_at: datetime | None = None


Gate = Callable[[Case], Verdict]


def named(addresses: Iterable[Address]) -> str:
    """Return names for a sentence, not all of them where there are many."""
    listed = [str(address) for address in addresses]
    more = f" and {len(listed) - _LISTED} more" if len(listed) > _LISTED else ""
    return ", ".join(listed[:_LISTED]) + more


def is_looser(posture: Posture) -> bool:
    """Return whether a change weakens something, whatever else it does."""
    return posture in (Posture.LOOSER, Posture.MIXED)
