"""What stands in for the ledger outside git, and which of the two a folder gets."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from secrets import token_hex
from typing import Self

from policysync.apply.events import Event
from policysync.apply.gitstore import GitStore
from policysync.apply.intent import record_of
from policysync.apply.ledger import Ledger
from policysync.apply.memory import Remembered, Stated
from policysync.apply.record import Record
from policysync.apply.run import Run
from policysync.apply.undone import Undone
from policysync.clock import Clock
from policysync.plan.change import Plan
from policysync.state.resource import Address, Resource


class NoLock:
    """Keeps nobody out: without git there is nothing that two runs share."""

    def holder(self) -> None:
        """Return None."""

    def take_away(self) -> None:
        """Return None."""

    def __call__(self, event: Event) -> None:
        """Hear of an event."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *how: object) -> None:
        """Give nothing back."""


class NoLedger:
    """Remembers nothing, so desired and live are compared without a third side."""

    notice = "not in a git repository: there is no ledger, so drift cannot be told from a pending change; run git init"

    def __init__(self, root: Path, stage: str, clock: Clock, *, environ: Mapping[str, str] = os.environ) -> None:
        self.root = root
        self.stage = stage
        self.clock = clock
        self.salt = token_hex(16)
        self._environ = environ

    def last_applied(self, target: str) -> Stated:  # noqa: ARG002  # called as the ledger is
        """Return nothing: nobody wrote it down."""
        return {}

    def remembered(self, target: str, stated: object = None) -> Remembered:  # noqa: ARG002  # called as the ledger is
        """Return nothing."""
        return Remembered({}, frozenset())

    def unrepaired(self, target: str) -> dict[Address, Undone]:  # noqa: ARG002  # called as the ledger is
        """Return nothing."""
        return {}

    def adopted(self, target: str) -> dict[Address, str]:  # noqa: ARG002  # called as the ledger is
        """Return nothing."""
        return {}

    def adopt(self, target: str, live: Iterable[Resource]) -> None:
        """Remember nothing."""

    def history(self) -> Iterator[Record]:
        """Yield nothing."""
        return iter(())

    def unfinished(self, target: str = "") -> Record | None:  # noqa: ARG002  # called as the ledger is
        """Return None."""
        return None

    def beside(self, stage: str) -> NoLedger:
        """Return what stands in for the ledger of another stage."""
        return NoLedger(self.root, stage, self.clock, environ=self._environ)

    def lock(self, *about: object, **how: object) -> NoLock:  # noqa: ARG002  # called as the ledger is
        """Return what stands in for a lock."""
        return NoLock()

    def begin(
        self, plan: Plan, digest: str, *, allowed: Iterable[str] = (), identity: str = "", occasion: str = ""
    ) -> Run:
        """Return a run that keeps a journal and leaves nothing else."""
        lifted = tuple(allowed)
        about = {"identity": identity, "occasion": occasion}
        record = record_of(plan, digest, self.clock.now(), self.salt, self._environ, allowed=lifted, **about)
        return Run(self.root, record, {}, lambda *_: None)


def open_ledger(
    root: Path, stage: str, clock: Clock, *, environ: Mapping[str, str] = os.environ, remote: str = ""
) -> Ledger | NoLedger:
    """Return the ledger of a stage, or what stands in for it outside git."""
    if GitStore(root, environ).inside():
        return Ledger(root, stage, clock, environ=environ, remote=remote)
    return NoLedger(root, stage, clock, environ=environ)
