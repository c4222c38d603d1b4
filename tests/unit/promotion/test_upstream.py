"""Since when a target has had a resource as a release has it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from policysync.apply.events import Outcome
from policysync.apply.record import Entry, Record, State
from policysync.plan.change import Action
from policysync.promotion.upstream import since
from policysync.state.resource import Address

PCI, GDPR = Address("Label", "pci"), Address("Label", "gdpr")
START = datetime(2026, 11, 1, tzinfo=UTC)


def record(day: int, revision: str, *wrote: Address, outcome: Outcome = Outcome.APPLIED) -> Record:
    entries = tuple(Entry(address, Action.UPDATE, outcome=outcome) for address in wrote)
    return Record(str(day), State.FINISHED, "nonprod", "eu", "ann", START + timedelta(day), None, revision=revision,
                  entries=entries)  # fmt: skip


def has(revision: str, _address: Address) -> bool:
    """Revisions are numbers here, and the release is 5."""
    return int(revision) >= 5


@pytest.mark.parametrize(
    ("history", "day"),
    [
        ([], None),
        ([record(9, "4", PCI)], None),
        ([record(9, "6", GDPR), record(7, "5", PCI), record(2, "3", PCI)], 7),
        ([record(9, "6", PCI), record(7, "5", PCI)], 9),
        ([record(9, "6"), record(7, "5"), record(2, "3", PCI)], 7),
        ([record(9, "5"), record(8, "4", PCI), record(7, "5", PCI)], 9),
        ([record(9, "5", PCI, outcome=Outcome.FAILED), record(7, "5", PCI)], 7),
    ],
    ids=["nothing", "older", "written", "written again", "brought by an apply of other things", "went back", "failed"],
)
def test_time_begins_with_the_apply_that_brought_it(history: list[Record], day: int | None) -> None:
    assert since(history, PCI, has) == (None if day is None else START + timedelta(day))
