"""A plan, as plain frozen data: it can be compared, hashed, saved, reviewed, and carried out or refused later."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from policysync.pointer import MISSING
from policysync.state.resource import Address, Hindrance, Resource


class Action(StrEnum):
    """What happens to a resource."""

    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


class Cause(StrEnum):
    """Why desired and live differ."""

    PENDING = "pending"  # git moved
    DRIFT = "drift"  # somebody moved the console
    CONFLICT = "conflict"  # both moved


class Posture(StrEnum):
    """What a change does to the strength of the policy."""

    STRICTER = "stricter"
    LOOSER = "looser"
    MIXED = "mixed"
    NEUTRAL = "neutral"


OPPOSITE = {Posture.STRICTER: Posture.LOOSER, Posture.LOOSER: Posture.STRICTER}
"""What a change does that takes another one back; the others are their own opposite."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One path inside a resource.

    `path` are the steps to the value; an element of a keyed list is named by its key (`name=web`), joined by `,`.
    `before` is MISSING for something added, `after` for something taken away. `gated` says that the field has no
    effect because its switch is off, or because of what stands beside it.
    """

    path: tuple[str, ...]
    before: Any = MISSING
    after: Any = MISSING
    cause: Cause = Cause.PENDING
    posture: Posture = Posture.NEUTRAL
    gated: bool = False

    def flipped(self) -> Edit:
        """Return the edit that takes this one back."""
        posture = OPPOSITE.get(self.posture, self.posture)
        return replace(self, before=self.after, after=self.before, posture=posture)


@dataclass(frozen=True, slots=True)
class Change:
    """One action on one resource.

        action   before   after
        CREATE   None     desired
        UPDATE   live     desired
        DELETE   live     None

    Desired holds only what git states. The edits of a CREATE also show the values every new object gets.

    `steps` are what a person has to do, where no interface does it; empty where one does.

    `replace` says that the object has to be deleted and created: its kind knows no update, or `immutable`, a field
    that cannot change has to. `cause`, `posture` and `edits` are for people;
    apply does not branch on them. `remembered` is what the ledger is to remember where that is not `after`, because
    an edit by hand is accepted and stays.
    """

    action: Action
    address: Address
    before: Resource | None
    after: Resource | None
    edits: tuple[Edit, ...] = ()
    cause: Cause = Cause.PENDING
    posture: Posture = Posture.NEUTRAL
    replace: bool = False
    immutable: bool = False
    remembered: Resource | None = None
    steps: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The stable name of the change inside its plan."""
        return f"{self.action.value}:{self.address}"


@dataclass(frozen=True, slots=True)
class Release:
    """A field that git stated before and states no more: it is left as it is."""

    address: Address
    path: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Spared:
    """What somebody changed by hand on one resource, and what is left so before `until`.

    `edits` say what happened: `before` is what git states, `after` what is there. There are none where somebody deleted
    the resource. `said` is the date as it stands in policysync.yaml.
    """

    address: Address
    edits: tuple[Edit, ...]
    until: datetime
    said: str
    reason: str


@dataclass(frozen=True, slots=True)
class Blockage:
    """A resource that git states and that can neither be compared nor changed at the moment."""

    address: Address
    hindrance: Hindrance


@dataclass(frozen=True, slots=True)
class Plan:
    """What makes one target match one revision. Waves run one after another; changes in a wave may run at once.

    `revision` is the git revision of the documents, empty outside git; `dirty` says that the work tree differed
    from it. `live` counts the live resources of the kinds that were read. `schemas` maps each kind in
    the plan to the digest of its schema. `notices` are sentences for people. `identity` is the console's that live
    was read from, empty where nobody asked it. `spared` is accepted drift that stays; with `heals_accepted` none does.
    """

    stage: str
    target: str
    revision: str = ""
    dirty: bool = False
    waves: tuple[tuple[Change, ...], ...] = ()
    unmanaged: tuple[Address, ...] = ()
    released: tuple[Release, ...] = ()
    kept: tuple[Address, ...] = ()
    live: int = 0
    desired: int = 0
    schemas: tuple[tuple[str, str], ...] = ()
    notices: tuple[str, ...] = ()
    identity: str = ""
    blocked: tuple[Blockage, ...] = ()
    spared: tuple[Spared, ...] = ()
    heals_accepted: bool = False

    @property
    def changes(self) -> tuple[Change, ...]:
        """Every change, in the order of the waves."""
        return tuple(change for wave in self.waves for change in wave)
