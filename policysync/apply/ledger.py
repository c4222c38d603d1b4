"""The memory of a stage, kept in git: who applied what, when, from which revision, and how it ended.

An apply is two commits on `refs/policysync/ledger/<stage>`: its intent before the first write, its outcome after
the last. An intent without an outcome is a run that died. Its journal, where it is still there, tells how far it
came; what nobody knows keeps the state before. Secrets are here as salted digests only.
"""

from __future__ import annotations

import os
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from copy import copy
from dataclasses import replace
from pathlib import Path
from secrets import token_hex
from types import MappingProxyType
from typing import Any, NamedTuple

import orjson

from policysync.apply.events import Outcome
from policysync.apply.gitstore import GitStore, RefMoved
from policysync.apply.intent import link_of, record_of, remembered, stated_by
from policysync.apply.journal import Ending, endings, runs_folder
from policysync.apply.layout import (
    LEDGERS,
    RECORD,
    SALT,
    address_of,
    adopted_folder,
    file_of,
    last_applied_folder,
    open_folder,
    ref_of,
    stated_folder,
    unrepaired_folder,
)
from policysync.apply.lock import Lock
from policysync.apply.record import Record, State, dump, load
from policysync.apply.report import GOOD, Report
from policysync.apply.run import Contents, Run
from policysync.apply.seen import Seen
from policysync.apply.sharedstore import SharedStore
from policysync.apply.taken import mark, marked
from policysync.apply.tree import Files, Tree
from policysync.apply.undone import Undone, loaded, marks_of
from policysync.clock import Clock
from policysync.errors import PartlyApplied, PolicySyncError, StalePlan
from policysync.plan.change import Action, Plan
from policysync.state.resource import Address, Resource
from policysync.state.sharing import sharing

Stated = dict[Address, dict[str, Any]]


class Remembered(NamedTuple):
    """What git stated for each resource of a target when it was last applied, and what it asked never to delete."""

    last_applied: Stated
    protected: frozenset[Address]


TRIES = 20

AT_ONCE = 50
"""Commits of the history that are read together; each may name thousands of changes."""


class Ledger:
    """The ledger of one stage. Several processes may use it at once: a lost race is run again on what the other wrote.

    Raises:
        PolicySyncError: git refused.
    """

    def __init__(
        self,
        root: Path,
        stage: str,
        clock: Clock,
        *,
        environ: Mapping[str, str] = os.environ,
        remote: str = "",
    ) -> None:
        """With `remote`, the ledger is shared through that git remote."""
        self.root = root
        self.stage = stage
        self.clock = clock
        self.ref = ref_of(stage)
        self.store = SharedStore(root, environ, remote) if remote else GitStore(root, environ)
        self._environ = environ
        self._salt = ""
        self._doubt = ""

    @property
    def notice(self) -> str:
        """A sentence about what the ledger cannot know at the moment, or nothing."""
        return "; ".join(said for said in (self.store.notice, self._doubt) if said)

    @property
    def salt(self) -> str:
        """What digests of secrets are made with: random, one for a repository, kept from the first apply on."""
        if not self._salt:
            tips = self.store.tips(LEDGERS)
            own_first = sorted(tips, key=lambda ref: ref != self.ref)
            kept = self.store.read(f"{tips[ref]}:{SALT}" for ref in own_first)
            self._salt = next((content.decode("utf-8", "replace") for content in kept), "") or token_hex(16)
        return self._salt

    def last_applied(self, target: str) -> Stated:
        """Return what git stated for each resource when it was last applied, secrets as `{"$digest": …}`."""
        return self.remembered(target).last_applied

    def remembered(self, target: str, stated: Mapping[Address, Mapping[str, Any]] = MappingProxyType({})) -> Remembered:
        """Return what is known of a target. What `stated` says just so is held once."""
        tree = self._tree()
        known: dict[Address, bytes | None] = dict(self._contents(tree, last_applied_folder(target)))
        for record in self._open(tree, target):
            known |= _fold(self._as_far_as_known(record), self._contents(tree, stated_folder(record.id)))
        specs: Stated = {}
        protected = set()
        for address, text in known.items():
            if text is not None:
                kept = _kept(address, text)
                specs[address] = sharing(kept["spec"], stated.get(address))
                if kept.get("protect"):
                    protected.add(address)
        return Remembered(specs, frozenset(protected))

    def unrepaired(self, target: str) -> dict[Address, Undone]:
        """Return what applies left undone and no later one has made up for."""
        found = self._contents(self._tree(), unrepaired_folder(target))
        return {address: loaded(text) for address, text in found.items()}

    def adopted(self, target: str) -> dict[Address, str]:
        """Return what was taken into git and not applied since, with the salted digest of what it was like."""
        found = self._contents(self._tree(), adopted_folder(target))
        return {address: marked(text) for address, text in found.items()}

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

    def history(self) -> Iterator[Record]:
        """Yield every apply, the newest first; one that did not end as its intent."""
        tip = self._tip()
        commits = self.store.commits(tip) if tip else []
        seen: set[str] = set()
        for start in range(0, len(commits), AT_ONCE):
            some = commits[start : start + AT_ONCE]
            for commit, text in zip(some, self.store.contents(f"{c}:{RECORD}" for c in some), strict=True):
                record = load(text or b"", commit)
                if record.id not in seen:
                    seen.add(record.id)
                    yield record

    def unfinished(self, target: str = "") -> Record | None:
        """Return the oldest apply (to `target`, where one is named) that began and did not end, or None."""
        return next(iter(self._open(self._tree(), target)), None)

    def beside(self, stage: str) -> Ledger:
        """Return the ledger of another stage, from the same store, so that nothing is fetched twice."""
        other = copy(self)
        other.stage, other.ref, other._doubt = stage, ref_of(stage), ""
        return other

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
            commit = self._amend(record, lambda tree: self._outcome(tree, record, ours | _fold(record, run.stated)))
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
            return self._outcome(tree, record, _fold(record, self._contents(tree, stated_folder(dead.id))))

        self._amend(record, files_of)

    def _as_far_as_known(self, record: Record) -> Record:
        journal = endings(runs_folder(self.root) / f"{record.id}.jsonl")
        return record.closed(State.INTERRUPTED, self.clock.now(), journal)

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

    @property
    def seen(self) -> Seen:
        """What this folder remembers of the ledger."""
        return Seen(self.root, self.stage, self.ref)

    def _tip(self) -> str:
        """Return the newest commit, and hold it to what was seen before."""
        before = self.seen.tip()
        tip = self.store.tips(self.ref).get(self.ref, "")
        self._doubt = self.seen.doubt(self.store, before, tip)
        if tip != before and not self._doubt:
            self.seen.remember(tip)
        return tip

    def _hold_to_what_was_seen(self) -> None:
        tip = self._tip()
        if self._doubt:
            raise PolicySyncError(self._doubt)
        if tip and self.store.is_cut(tip):
            raise PolicySyncError(
                f"only the newest part of the ledger of {self.stage} is here (a shallow clone); fetch all of it with "
                f"`git fetch --depth=2147483646 REMOTE '+{self.ref}:{self.ref}'`"
            )

    def _tree(self) -> Tree:
        commit = self._tip()
        return Tree(commit, self.store.tree(commit)) if commit else Tree()

    def _contents(self, tree: Tree, folder: str) -> Contents:
        paths = tree.below(folder)
        texts = self.store.read(tree.blobs[path] for path in paths)
        return {address_of(folder, path): text for path, text in zip(paths, texts, strict=True)}

    def _open(self, tree: Tree, target: str) -> list[Record]:
        names = sorted(path for path in tree.below("open/") if path.endswith(f"/{RECORD}") and path.count("/") == 2)
        records = [load(text) for text in self.store.read(tree.blobs[name] for name in names)]
        return [record for record in records if target in ("", record.target)]


def _fold(record: Record, stated: Mapping[Address, bytes]) -> dict[Address, bytes | None]:
    """Return what an apply made last-applied; None for what it deleted. Changes that did not succeed say nothing."""
    return {
        entry.address: None if entry.action is Action.DELETE else stated[entry.address]
        for entry in record.entries
        if entry.outcome in GOOD
    }


def _kept(address: Address, text: bytes) -> dict[str, Any]:
    """Return what the ledger says of a resource: its stated spec, and whether git protects it.

    Raises:
        PolicySyncError: it is something else.
    """
    try:
        said = orjson.loads(text)
    except ValueError:
        said = None
    if not isinstance(said, dict) or not isinstance(said.get("spec"), dict):
        raise PolicySyncError(f"the ledger cannot be read: what it says of {address} is not a stated spec")
    return said


def _subject(record: Record) -> str:
    ends = Counter(entry.outcome.value for entry in record.entries if entry.outcome is not None)
    said = (
        ", ".join(f"{count} {outcome}" for outcome, count in sorted(ends.items())) or f"{len(record.entries)} changes"
    )
    return f"{record.state.value}: {record.id} to {record.target}: {said}\n"
