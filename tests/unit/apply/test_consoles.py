"""What ledgers remember of consoles."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import pytest

from policysync.apply.consoles import begun, consoles
from policysync.apply.events import Outcome
from policysync.apply.ledger import Ledger
from policysync.apply.record import Entry, Record, State, dump, load
from policysync.plan.change import Action
from policysync.state.resource import Address

WEB = Address("Policy", "web")


class Past:
    """Something with a history, the newest first."""

    def __init__(self, *records: Record) -> None:
        self.records = records

    def history(self) -> tuple[Record, ...]:
        return self.records


def ledger(*records: Record) -> Ledger:
    return cast(Ledger, Past(*records))


def record(target: str, identity: str = "", *entries: Entry) -> Record:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    return Record("1", State.FINISHED, "dev", target, "me", at, entries=entries, identity=identity)


def test_the_last_console_of_each_target() -> None:
    past = ledger(record("a", ""), record("a", "new"), record("b", "other"), record("a", "old"), record("gone", "x"))
    assert consoles(past, ["a", "b", "never"]) == {"a": "new", "b": "other"}


def test_the_console_is_in_the_record() -> None:
    written = record("a", "https://console.example")
    assert load(dump(written)) == written
    older = dump(written).replace(b' "identity": "https://console.example",\n', b"")
    assert load(older).identity == ""


@pytest.mark.parametrize(
    ("entry", "ours"),
    [
        (Entry(WEB, Action.CREATE, outcome=None), True),
        (Entry(WEB, Action.CREATE, outcome=Outcome.UNKNOWN), True),
        (Entry(WEB, Action.CREATE, outcome=Outcome.APPLIED), True),
        (Entry(WEB, Action.CREATE, outcome=Outcome.FAILED, fields=("note",)), True),
        (Entry(WEB, Action.CREATE, outcome=Outcome.FAILED), False),
        (Entry(WEB, Action.CREATE, outcome=Outcome.SKIPPED), False),
        (Entry(WEB, Action.UPDATE, outcome=Outcome.FAILED), True),
        (Entry(WEB, Action.UPDATE, outcome=Outcome.SKIPPED), True),
        (Entry(WEB, Action.UPDATE, outcome=None), True),
        (Entry(WEB, Action.UPDATE, outcome=Outcome.APPLIED), False),
        (Entry(WEB, Action.DELETE, outcome=Outcome.FAILED), False),
    ],
    ids=[
        *("died", "unknown", "made", "stored otherwise", "refused", "skipped"),
        *("to overwrite", "not overwritten", "died before that", "overwritten", "to delete"),
    ],
)
def test_what_an_apply_made_or_was_let_overwrite_is_ours(entry: Entry, ours: bool) -> None:
    assert (WEB in begun(ledger(record("a", "", entry)), "a", [WEB])) is ours
    assert begun(ledger(record("b", "", entry)), "a", [WEB]) == frozenset()
