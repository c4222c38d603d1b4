"""What the ledger says about one apply, and how that is written down."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from policysync.apply.events import Outcome
from policysync.apply.journal import Ending
from policysync.errors import PolicySyncError
from policysync.plan.change import Action, Change
from policysync.state.normalize import digest
from policysync.state.resource import Address, Resource

FORMAT = 1

_LOST = Ending(Outcome.UNKNOWN, "the run died before it said how this ended")


class State(StrEnum):
    """How far an apply is known to have come."""

    INTENT = "intent"  # it began; unless it still runs, it died
    FINISHED = "finished"  # it ended by itself, well or not
    INTERRUPTED = "interrupted"  # it died, and the next one wrote down what was known
    SETTLED = "settled"  # nothing had to be changed; what was found in sync is on record now
    ADOPTED = "adopted"  # no apply: live objects were taken into git


@dataclass(frozen=True, slots=True)
class Entry:
    """One change of an apply. Digests are of specs in normal form, salted; empty where there was or is no object."""

    address: Address
    action: Action
    before: str = ""
    after: str = ""
    outcome: Outcome | None = None
    message: str = ""
    fields: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """The name of the change inside its plan."""
        return f"{self.action.value}:{self.address}"


@dataclass(frozen=True, slots=True)
class Record:
    """One apply.

    Attributes:
        by: git's user, `name <email>`.
        link: the page of the pipeline run, where there was one.
        digest: of the plan.
        allowed: guards that were lifted by name.
        settled: what an apply found to be so already, and nobody had on record.
        gone: what neither git nor live has any more, and was on record.
        taken: what was taken into git as it was live.
        identity: of the console, as it gave itself out; empty where it is not known.
        occasion: why it was done outside the usual course, such as a rollback in an emergency; mostly empty.
        commit: where git keeps it; empty until it was read back.
    """

    id: str
    state: State
    stage: str
    target: str
    by: str
    at: datetime
    ended: datetime | None = None
    host: str = ""
    link: str = ""
    revision: str = ""
    dirty: bool = False
    digest: str = ""
    allowed: tuple[str, ...] = ()
    entries: tuple[Entry, ...] = ()
    identity: str = ""
    occasion: str = ""
    settled: tuple[Address, ...] = ()
    gone: tuple[Address, ...] = ()
    taken: tuple[Address, ...] = ()
    commit: str = field(default="", compare=False)

    @property
    def addresses(self) -> frozenset[Address]:
        """What the changes are about."""
        return frozenset(entry.address for entry in self.entries)

    def closed(self, state: State, at: datetime, known: Mapping[str, Ending]) -> Record:
        """Return the record with the outcomes that are known; a change nobody heard of again is UNKNOWN."""
        entries = tuple(_ended(entry, known.get(entry.id, _LOST)) for entry in self.entries)
        return replace(self, state=state, ended=at, entries=entries)


def entries_of(changes: Iterable[Change], salt: str) -> tuple[Entry, ...]:
    """Return the changes of a plan as they are written down before the first of them is carried out."""
    return tuple(Entry(c.address, c.action, _digest(c.before, salt), _digest(c.after, salt)) for c in changes)


def dump(record: Record) -> bytes:
    """Return a record as JSON, one change a line, so that `git diff` of two of them can be read."""
    said = {
        "format_version": FORMAT,
        "id": record.id,
        "state": record.state,
        "stage": record.stage,
        "target": record.target,
        "by": record.by,
        "at": record.at.isoformat(),
        "ended": record.ended.isoformat() if record.ended else None,
        "host": record.host,
        "link": record.link,
        "revision": record.revision,
        "dirty": record.dirty,
        "plan": record.digest,
        "allowed": record.allowed,
        "identity": record.identity,
        **({"occasion": record.occasion} if record.occasion else {}),
        "settled": [str(address) for address in record.settled],
        "gone": [str(address) for address in record.gone],
        "taken": [str(address) for address in record.taken],
    }
    head = ",\n".join(f" {json.dumps(name)}: {json.dumps(value)}" for name, value in said.items())
    rows = ",\n".join(f"  {json.dumps(_entry(entry))}" for entry in record.entries)
    return f'{{\n{head},\n "changes": [\n{rows}\n ]\n}}\n'.encode()


def load(text: bytes, commit: str = "") -> Record:
    """Return the record that `dump` wrote.

    Raises:
        PolicySyncError: it is not one.
    """
    try:
        return _record(json.loads(text), commit)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        where = f"commit {commit[:12]}" if commit else "an apply that is open"
        raise PolicySyncError(f"the ledger cannot be read: {where} has no record of a form known here") from error


def _record(said: Mapping[str, Any], commit: str) -> Record:
    return Record(
        id=said["id"],
        state=State(said["state"]),
        stage=said["stage"],
        target=said["target"],
        by=said["by"],
        at=datetime.fromisoformat(said["at"]),
        ended=datetime.fromisoformat(said["ended"]) if said["ended"] else None,
        host=said["host"],
        link=said["link"],
        revision=said["revision"],
        dirty=said["dirty"],
        digest=said["plan"],
        allowed=tuple(said["allowed"]),
        entries=tuple(_loaded(entry) for entry in said["changes"]),
        identity=said.get("identity", ""),
        occasion=said.get("occasion", ""),
        settled=tuple(_address(text) for text in said.get("settled", ())),
        gone=tuple(_address(text) for text in said.get("gone", ())),
        taken=tuple(_address(text) for text in said.get("taken", ())),
        commit=commit,
    )


def _entry(entry: Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "action": entry.action,
        "kind": entry.address.kind,
        "name": entry.address.name,
        "before": entry.before,
        "after": entry.after,
        "outcome": entry.outcome,
        "message": entry.message,
        "fields": entry.fields,
    }


def _loaded(said: Mapping[str, Any]) -> Entry:
    return Entry(
        Address(said["kind"], said["name"]),
        Action(said["action"]),
        said["before"],
        said["after"],
        Outcome(said["outcome"]) if said["outcome"] else None,
        said["message"],
        tuple(said["fields"]),
    )


def _address(text: str) -> Address:
    kind, _, name = text.partition("/")
    return Address(kind, name)


def _ended(entry: Entry, ending: Ending) -> Entry:
    return replace(entry, outcome=ending.outcome, message=ending.message, fields=ending.fields)


def _digest(resource: Resource | None, salt: str) -> str:
    return digest(resource.spec, salt) if resource is not None else ""
