"""One apply, from its intent to its outcome."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from policysync.apply.journal import Journal, prune, runs_folder
from policysync.apply.record import Record
from policysync.apply.report import Report
from policysync.state.resource import Address, Resource

Contents = dict[Address, bytes]
"""Stated specs in canonical form; secrets are in it as salted digests."""

Remember = Callable[["Run", Report, Iterable[Resource], Iterable[Address]], Record | None]


@dataclass(frozen=True, slots=True)
class Run:
    """An apply whose intent is on record. `stated` is what it makes last-applied where it succeeds."""

    root: Path
    record: Record
    stated: Mapping[Address, bytes]
    remember: Remember

    @property
    def id(self) -> str:
        """The apply id, which begins with the time."""
        return self.record.id

    def journal(self, stop: threading.Event | None = None) -> Journal:
        """Return a listener that writes down what happens, as it happens, and sets `stop` where it cannot. Close it."""
        folder = runs_folder(self.root)
        prune(folder)
        return Journal(folder / f"{self.id}.jsonl", stop)

    def finish(self, report: Report, settled: Iterable[Resource] = (), gone: Iterable[Address] = ()) -> Record | None:
        """Record how it ended, and return the record; None when there was nothing to remember.

        `settled` are desired resources that live agrees with and no change of the plan is about: they are
        last-applied from now on. `gone` are resources that neither git nor live has any more.
        """
        return self.remember(self, report, settled, gone)
