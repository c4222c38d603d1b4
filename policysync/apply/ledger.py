"""The memory of a stage, kept in git: who applied what, when, from which revision, and how it ended.

An apply is two commits on `refs/policysync/ledger/<stage>`: its intent before the first write, its outcome after
the last. Secrets are here as salted digests only.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace

from policysync.apply.events import Outcome
from policysync.apply.gitstore import RefMoved
from policysync.apply.intent import link_of, record_of, remembered, stated_by
from policysync.apply.journal import Ending, runs_folder
from policysync.apply.layout import (
    RECORD,
    SALT,
    address_of,
    adopted_folder,
    file_of,
    last_applied_folder,
    open_folder,
    stated_folder,
    unrepaired_folder,
)
from policysync.apply.lock import Lock
from policysync.apply.memory import Memory, folded
from policysync.apply.record import Record, State, dump
from policysync.apply.report import Report
from policysync.apply.run import Run
from policysync.apply.taken import mark
from policysync.apply.tree import Files, Tree
from policysync.apply.undone import marks_of
from policysync.errors import PartlyApplied, PolicySyncError, StalePlan
from policysync.plan.change import Plan
from policysync.state.resource import Address, Resource

TRIES = 20


class Ledger(Memory):
    """The ledger of one stage. Several processes may use it at once: a lost race is run again on what the other wrote.

    Raises:
        PolicySyncError: git refused.
    """

    def adopt(self, target: str, live: Iterable[Resource]) -> None:
        """Remember what was taken into git as it is live, so that an apply may change it; nothing else follows.

        Raises:
            PolicySyncError: as `begin` does.
        """
        self._hold_to_what_was_seen()
        by, at = self.store.author(), self.clock.now()
        marks: Files = {file_of(adopted_folder(target), each.address): mark(each, self.salt) for each in live}
        taken = tuple(sorted(address_of(adopted_folder(target), path) for path in marks))
        record = record_of(Plan(self.stage, target), "", at, self.salt, self._environ, by=str(by))
        record = replace(record, state=State.ADOPTED, ended=at, taken=taken)
        self._amend(record, lambda tree: tree.different(marks) or None)

    def lock(
        self,
        target: str,
        stop: threading.Event | None = None,
        *,
        timeout: float = 0.0,
        say: Callable[[str], None] = lambda _: None,
    ) -> Lock:
        """Return the lock that keeps two applies to one target apart; take it before live is read.

        `timeout` is how many seconds it is waited for; `say` hears whom for, and what became of it.
        """
        link = link_of(self._environ)
        return Lock(self.store, target, self.clock, stop, link=link, timeout=timeout, say=say)

    def begin(
        self, plan: Plan, digest: str, *, allowed: Iterable[str] = (), identity: str = "", occasion: str = ""
    ) -> Run:
        """Record what is about to be done. A plan without changes is not recorded.

        `identity` is the console's, remembered so that the next apply notices when the address leads elsewhere.
        `occasion` is why it is done outside the usual course.

        What an apply left open that died is closed first.

        Raises:
            StalePlan: another apply to the same target has begun.
            PolicySyncError: the ledger is missing, was rewritten, or is only here in part.
        """
        self._hold_to_what_was_seen()
        by, at = self.store.author(), self.clock.now()
        self.store.sweep(at)
        about = {"by": str(by), "identity": identity, "occasion": occasion}
        record = record_of(plan, digest, at, self.salt, self._environ, allowed=tuple(allowed), **about)
        run = Run(self.root, record, stated_by(plan, self.salt), self._finish)
        for dead in self._open(self._tree(), plan.target):
            self._close(dead)
        if plan.changes:
            self._amend(record, lambda tree: self._intent(tree, run))
        return run

    def _finish(self, run: Run, report: Report, settled: Iterable[Resource], gone: Iterable[Address]) -> Record | None:
        """Record how a run ended; see `Run.finish`."""
        known = {done.change.id: Ending(done.outcome, done.message, done.fields) for done in report.outcomes}
        state = State.FINISHED if run.record.entries else State.SETTLED
        record = run.record.closed(state, max(self.clock.now(), run.record.at), known)
        ours: dict[Address, bytes | None] = dict.fromkeys(gone)
        ours |= {resource.address: remembered(resource, self.salt) for resource in settled}
        # What a change says about its own resource outranks both: a failed one keeps what it had.
        ours = {address: text for address, text in ours.items() if address not in record.addresses}
        try:
            commit = self._amend(record, lambda tree: self._outcome(tree, record, ours | folded(record, run.stated)))
        except PolicySyncError as error:
            journal = runs_folder(self.root) / f"{run.id}.jsonl"
            kind = PartlyApplied if report.count(Outcome.APPLIED) else PolicySyncError
            raise kind(
                f"how this ended is not on record: {error}\n"
                f"what was done is in {journal}; the next apply here completes it"
            ) from error
        return replace(record, commit=commit) if commit else None

    def _intent(self, tree: Tree, run: Run) -> Files | None:
        for other in self._open(tree, run.record.target):
            if other.id == run.id:
                # The answer to our own push was lost on the way.
                return None
            raise StalePlan(f"apply {other.id} to {other.target} was begun by {other.by} meanwhile; plan again")
        folder = stated_folder(run.id)
        files: Files = {file_of(folder, address): text for address, text in run.stated.items()}
        return files | {open_folder(run.id) + RECORD: dump(run.record)}

    def _outcome(self, tree: Tree, record: Record, known: Mapping[Address, bytes | None]) -> Files | None:
        folder = last_applied_folder(record.target)
        files: Files = {file_of(folder, address): text for address, text in known.items()}
        if record.entries and not tree.below(open_folder(record.id)):
            return self._too_late(tree, record, files)
        marks = (unrepaired_folder(record.target), adopted_folder(record.target))
        files |= {file_of(mark, address): None for address in known for mark in marks} | marks_of(record)
        files = tree.different(files)
        if not files and not record.entries and not self._moved(tree, record):
            return None
        places = {file_of(place, address): address for address in known for place in (folder, *marks)}
        touched = {places[path] for path in files if path in places}
        others = sorted(touched - record.addresses)
        record = replace(
            record,
            settled=tuple(address for address in others if known[address] is not None),
            gone=tuple(address for address in others if known[address] is None),
        )
        return files | dict.fromkeys(tree.below(open_folder(record.id))) | {RECORD: dump(record)}

    def _moved(self, tree: Tree, record: Record) -> bool:
        """Say whether the target is known to be in sync with another revision only, or with none."""
        if not record.revision or record.dirty or not tree.commit:
            return False
        before = next((known for known in self.history() if known.target == record.target), None)
        return before is None or (before.revision, before.dirty) != (record.revision, record.dirty)

    def _too_late(self, tree: Tree, record: Record, files: Files) -> Files | None:
        """Return what is left to say for an apply that was given up for dead while it ran.

        Another one may have applied since, and knows better; only what nobody else knows of is added.
        """
        mine = {file_of(last_applied_folder(record.target), address) for address in record.addresses}
        return {p: text for p, text in files.items() if p in mine and text is not None and p not in tree.blobs} or None

    def _close(self, dead: Record) -> None:
        record = self._as_far_as_known(dead)

        def files_of(tree: Tree) -> Files | None:
            if not tree.below(open_folder(dead.id)):
                return None
            return self._outcome(tree, record, folded(record, self._contents(tree, stated_folder(dead.id))))

        self._amend(record, files_of)

    def _amend(self, record: Record, files_of: Callable[[Tree], Files | None]) -> str:
        """Add a commit about `record` and return it; `files_of` says what it changes, None that there is no need."""
        for _ in range(TRIES):
            tree = self._tree()
            files = files_of(tree)
            if files is None:
                return ""
            salt = self.salt.encode()
            if SALT in tree.blobs and tree.different({SALT: salt}):
                raise StalePlan(f"the ledger of {self.stage} was begun by another run meanwhile; plan again")
            about: Files = {RECORD: dump(record), SALT: salt}
            files = about | files
            with suppress(RefMoved):
                commit = self.store.commit(
                    self.ref,
                    tree.commit,
                    files,
                    message=_subject(record),
                    author=self.store.author(),
                    at=self.clock.now(),
                    sign=True,
                )
                self.seen.remember(commit)
                return commit
        raise PolicySyncError(f"{self.ref} is written too often by others; try again")

    def _hold_to_what_was_seen(self) -> None:
        tip = self._tip()
        if self._doubt:
            raise PolicySyncError(self._doubt)
        if tip and self.store.is_cut(tip):
            raise PolicySyncError(
                f"only the newest part of the ledger of {self.stage} is here (a shallow clone); fetch all of it with "
                f"`git fetch --depth=2147483646 REMOTE '+{self.ref}:{self.ref}'`"
            )


def _subject(record: Record) -> str:
    ends = Counter(entry.outcome.value for entry in record.entries if entry.outcome is not None)
    said = (
        ", ".join(f"{count} {outcome}" for outcome, count in sorted(ends.items())) or f"{len(record.entries)} changes"
    )
    return f"{record.state.value}: {record.id} to {record.target}: {said}\n"
