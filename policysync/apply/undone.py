"""What an apply left undone, kept in the ledger until a later one makes up for it."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from policysync.apply.events import Outcome
from policysync.apply.layout import file_of, unrepaired_folder
from policysync.apply.record import Record
from policysync.apply.report import GOOD
from policysync.apply.tree import Files
from policysync.errors import PolicySyncError
from policysync.plan.change import Action


@dataclass(frozen=True, slots=True)
class Undone:
    """A change that did not succeed. `apply` is the id of the apply it belonged to."""

    apply: str
    action: Action
    outcome: Outcome
    message: str = ""


def marks_of(record: Record) -> Files:
    """Return the files that say what an apply left undone; None for what it did."""
    folder = unrepaired_folder(record.target)
    return {
        file_of(folder, entry.address): None
        if entry.outcome is None or entry.outcome in GOOD
        else dump(Undone(record.id, entry.action, entry.outcome, entry.message))
        for entry in record.entries
    }


def dump(undone: Undone) -> bytes:
    """Return a mark as it is written down."""
    said = {"apply": undone.apply, "action": undone.action, "outcome": undone.outcome, "message": undone.message}
    return orjson.dumps(said, option=orjson.OPT_APPEND_NEWLINE)


def loaded(text: bytes) -> Undone:
    """Return the mark that `dump` wrote.

    Raises:
        PolicySyncError: it is not one.
    """
    try:
        said = orjson.loads(text)
        return Undone(said["apply"], Action(said["action"]), Outcome(said["outcome"]), said["message"])
    except (ValueError, KeyError, TypeError) as error:
        raise PolicySyncError("the ledger cannot be read: what it says about an undone change is not one") from error
