"""The rules a ledger is written by, applied again to what is there. Pure.

An intent puts `open/<id>/` in place and touches nothing else, and an adoption only marks. An outcome takes `open/<id>/`
away, and moves last-applied and what is unrepaired exactly as its record says. Blobs are compared by name, so no
content is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from policysync.apply.chain import Link
from policysync.apply.gitstore import blob_id
from policysync.apply.layout import (
    RECORD,
    SALT,
    adopted_folder,
    file_of,
    last_applied_folder,
    open_folder,
    stated_folder,
    unrepaired_folder,
)
from policysync.apply.record import Record, State
from policysync.apply.report import GOOD
from policysync.apply.undone import marks_of
from policysync.plan.change import Action
from policysync.state.resource import Address

Blobs = dict[str, str]


@dataclass(frozen=True, slots=True)
class _Begun:
    """An apply as its intent said; `stated` has the blobs by resource."""

    record: Record
    stated: Mapping[Address, str]


@dataclass
class Replay:
    """What the ledger must hold after each commit. `before` is what the paths a commit changed held before it."""

    stage: str
    tree: Blobs = field(default_factory=dict)
    open: dict[str, _Begun] = field(default_factory=dict)
    closed: dict[str, _Begun] = field(default_factory=dict)
    settled: set[str] = field(default_factory=set)

    def take(self, link: Link) -> None:
        """Go on with what a commit holds, right or not."""
        for path, blob in link.changed.items():
            if blob:
                self.tree[path] = blob
            else:
                self.tree.pop(path, None)

    def step(self, link: Link, record: Record) -> Iterator[str]:
        """Yield what is wrong with the next commit, and take it."""
        before = {path: self.tree.get(path, "") for path in link.changed}
        self.take(link)
        if record.stage != self.stage:
            yield f"it is about stage {record.stage}, in the ledger of {self.stage}"
        if before.get(SALT) or SALT not in self.tree:
            yield "the salt was changed"
        if record.ended is not None and record.ended < record.at:
            yield f"apply {record.id} ended before it began"
        if record.state is State.INTENT:
            yield from self._intent(before, record)
        elif record.state is State.ADOPTED:
            yield from self._adopted(before, record)
        elif record.id in self.open:
            yield from self._outcome(before, record)
        elif record.id in self.closed and record.entries:
            yield from self._late(before, record)
        else:
            yield from self._settled(before, record)

    def _intent(self, before: Blobs, record: Record) -> Iterator[str]:
        if record.id in self.open or record.id in self.closed or record.id in self.settled:
            yield f"apply {record.id} begins a second time"
        for other in self.open.values():
            if other.record.target == record.target:
                yield f"apply {record.id} begins while {other.record.id} to {record.target} is open"
        folder = stated_folder(record.id)
        wanted = {e.address: file_of(folder, e.address) for e in record.entries if e.action is not Action.DELETE}
        files = {open_folder(record.id) + RECORD, *wanted.values()}
        yield from self._only(before, files)
        if missing := [path for path in files if path not in self.tree]:
            yield f"apply {record.id} does not say what it wants: {missing[0]} is missing"
        elif self.tree[open_folder(record.id) + RECORD] != self.tree.get(RECORD):
            yield f"apply {record.id} has two records, and they differ"
        stated = {address: self.tree.get(path, "") for address, path in wanted.items()}
        self.open[record.id] = _Begun(record, stated)

    def _outcome(self, before: Blobs, record: Record) -> Iterator[str]:
        begun = self.open.pop(record.id)
        self.closed[record.id] = begun
        if _unended(record) != _unended(begun.record):
            yield f"apply {record.id} ends as another one than it began"
        if any(entry.outcome is None for entry in record.entries):
            yield f"apply {record.id} ended, and does not say how"
        stated = stated_folder(record.id)
        opened = {open_folder(record.id) + RECORD, *(file_of(stated, address) for address in begun.stated)}
        if left := sorted(opened & set(self.tree)):
            yield f"apply {record.id} ended, and {left[0]} was left"
        yield from self._only(before, opened | set(self._moved(record)))
        folder = last_applied_folder(record.target)
        for entry in record.entries:
            path = file_of(folder, entry.address)
            held = self.tree.get(path, "")
            if held != (begun.stated.get(entry.address, "") if entry.outcome in GOOD else before.get(path, held)):
                yield f"last-applied of {entry.address} is not what apply {record.id} made it"
        yield from self._marks(record)
        yield from self._others(record)

    def _late(self, before: Blobs, record: Record) -> Iterator[str]:
        """An apply that was given up for dead may add what nobody else knew of."""
        begun, folder = self.closed[record.id], last_applied_folder(record.target)
        paths = {file_of(folder, address): blob for address, blob in begun.stated.items()}
        if not before.keys() & paths.keys():
            yield f"apply {record.id} ends a second time, and adds nothing"
        yield from self._only(before, set(paths))
        for path, blob in paths.items():
            if before.get(path):
                yield f"apply {record.id} ended a second time and overwrote {path}"
            elif path in before and self.tree.get(path) != blob:
                yield f"{path} is not what apply {record.id} stated"

    def _settled(self, before: Blobs, record: Record) -> Iterator[str]:
        if record.state is not State.SETTLED or record.entries:
            yield f"apply {record.id} ends and never began"
        elif record.id in self.settled or record.id in self.closed:
            yield f"apply {record.id} is there twice"
        self.settled.add(record.id)
        yield from self._only(before, set(self._moved(record)))
        yield from self._others(record)

    def _adopted(self, before: Blobs, record: Record) -> Iterator[str]:
        """An adoption leaves marks and touches nothing that an apply wrote."""
        if record.id in self.settled or record.id in self.open or record.id in self.closed:
            yield f"apply {record.id} is there twice"
        self.settled.add(record.id)
        if record.entries or record.settled or record.gone:
            yield f"adoption {record.id} says that it applied something"
        marks = {file_of(adopted_folder(record.target), address) for address in record.taken}
        yield from self._only(before, marks)
        if missing := sorted(marks - self.tree.keys()):
            yield f"adoption {record.id} took {missing[0]}, which is not there"

    def _moved(self, record: Record) -> Iterator[str]:
        """Yield what an outcome may touch of last-applied and of the marks beside it."""
        for address in {*record.addresses, *record.settled, *record.gone}:
            for folder in (last_applied_folder, unrepaired_folder, adopted_folder):
                yield file_of(folder(record.target), address)

    def _others(self, record: Record) -> Iterator[str]:
        folder, undone = last_applied_folder(record.target), unrepaired_folder(record.target)
        for address in {*record.settled, *record.gone} - record.addresses:
            if (file_of(folder, address) in self.tree) != (address in record.settled):
                yield f"last-applied of {address} is not what apply {record.id} found"
            if file_of(undone, address) in self.tree:
                yield f"{address} is in order, and stands among what is unrepaired"

    def _marks(self, record: Record) -> Iterator[str]:
        for path, content in marks_of(record).items():
            blob = self.tree.get(path, "")
            if blob != (blob_id(content, like=blob) if content is not None else ""):
                yield f"{path} is not what apply {record.id} left undone"

    def _only(self, before: Blobs, allowed: set[str]) -> Iterator[str]:
        if odd := sorted(set(before) - allowed - {RECORD, SALT}):
            more = f" and {len(odd) - 1} more" if len(odd) > 1 else ""
            yield f"{odd[0]}{more} was changed, and no apply did that"


def _unended(record: Record) -> Record:
    """Return what an intent and its outcome must agree on."""
    entries = tuple(replace(entry, outcome=None, message="", fields=()) for entry in record.entries)
    return replace(record, state=State.INTENT, ended=None, entries=entries, settled=(), gone=(), commit="")
