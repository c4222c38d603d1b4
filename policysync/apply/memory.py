"""What the ledger of a stage says: what was last applied, what was left undone, and every apply.

An intent without an outcome is a run that died. Its journal, where it is still there, tells how far it came; what
nobody knows keeps the state before.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from copy import copy
from pathlib import Path
from secrets import token_hex
from types import MappingProxyType
from typing import Any, NamedTuple, Self

import orjson

from policysync.apply.gitstore import GitStore
from policysync.apply.journal import endings, runs_folder
from policysync.apply.layout import (
    LEDGERS,
    RECORD,
    SALT,
    address_of,
    adopted_folder,
    last_applied_folder,
    ref_of,
    stated_folder,
    unrepaired_folder,
)
from policysync.apply.record import Record, State, load
from policysync.apply.report import GOOD
from policysync.apply.run import Contents
from policysync.apply.seen import Seen
from policysync.apply.sharedstore import SharedStore
from policysync.apply.taken import marked
from policysync.apply.tree import Tree
from policysync.apply.undone import Undone, loaded
from policysync.clock import Clock
from policysync.errors import PolicySyncError
from policysync.plan.change import Action
from policysync.state.resource import Address
from policysync.state.sharing import sharing

Stated = dict[Address, dict[str, Any]]


class Remembered(NamedTuple):
    """What git stated for each resource of a target when it was last applied, and what it asked never to delete."""

    last_applied: Stated
    protected: frozenset[Address]


AT_ONCE = 50
"""Commits of the history that are read together; each may name thousands of changes."""


class Memory:
    """What is known of one stage, as far as it can be read.

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
            known |= folded(self._as_far_as_known(record), self._contents(tree, stated_folder(record.id)))
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

    def beside(self, stage: str) -> Self:
        """Return the ledger of another stage, from the same store, so that nothing is fetched twice."""
        other = copy(self)
        other.stage, other.ref, other._doubt = stage, ref_of(stage), ""
        return other

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

    def _as_far_as_known(self, record: Record) -> Record:
        journal = endings(runs_folder(self.root) / f"{record.id}.jsonl")
        return record.closed(State.INTERRUPTED, self.clock.now(), journal)


def folded(record: Record, stated: Mapping[Address, bytes]) -> dict[Address, bytes | None]:
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
