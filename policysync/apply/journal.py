"""The journal of one apply: a line for every event, on disk before the next change begins.

The ledger is written before the first change and after the last. What happened in between, in a run that died, is
known from here: `.policysync/runs/<apply id>.jsonl`, on the machine it ran on.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from policysync.apply.events import Event, Outcome, What
from policysync.state.resource import Address

KEPT = 500

_KEPT_AT_ONCE = frozenset({What.STARTED, What.ENDED, What.FINISHED})
"""Events that are on disk before anything else happens; a full disk is noticed before the first change."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How one change ended, as far as it is written down."""

    outcome: Outcome
    message: str = ""
    fields: tuple[str, ...] = ()


class Journal:
    """A listener that writes. Use it as a context manager, or close it.

    Where nothing can be written `stop` is set, so that nothing is begun whose end nobody could tell, and `problem` says
    why.
    """

    def __init__(self, file: Path, stop: threading.Event | None = None) -> None:
        self.file = file
        self.problem = ""
        self._stop = stop or threading.Event()
        self._out: TextIO | None = None
        with self._noticed():
            prepare(file.parent)
            self._out = file.open("a", encoding="utf-8")

    def __call__(self, event: Event) -> None:
        if self._out is None or self.problem:
            return
        with self._noticed():
            self._out.write(json.dumps(_line(event)) + "\n")
            if event.what in _KEPT_AT_ONCE:
                self._out.flush()
                os.fsync(self._out.fileno())

    @contextmanager
    def _noticed(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.problem = f"the journal {self.file} cannot be written: {error.strerror}"
            self._stop.set()

    def close(self) -> None:
        """Close the file; what could not be written by then is lost."""
        if self._out is not None:
            with self._noticed():
                self._out.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


def runs_folder(root: Path) -> Path:
    """Return where the journals of a policy repository are."""
    return root / ".policysync" / "runs"


def prepare(folder: Path) -> None:
    """Make the folder of the journals, and keep git from ever seeing what stands around it."""
    folder.mkdir(parents=True, exist_ok=True)
    ignore = folder.parent / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="utf-8")


def prune(folder: Path, keep: int = KEPT) -> None:
    """Delete all but the newest journals; apply ids begin with the time, so names sort by it."""
    for old in sorted(folder.glob("*.jsonl"))[:-keep]:
        with suppress(OSError):
            old.unlink()


def endings(file: Path) -> dict[str, Ending]:
    """Return how the changes of a run ended, by their ids. No journal means that nothing is known."""
    return {
        f"{line['action']}:{Address(line['kind'], line['name'])}": Ending(
            Outcome(line["outcome"]), line["message"], tuple(line["fields"])
        )
        for line in _lines(file)
        if line["what"] == What.ENDED
    }


def _lines(file: Path) -> Iterator[dict[str, Any]]:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return
    for line in text.splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            # The machine went down in the middle of this line; nothing was written behind it.
            return


def _line(event: Event) -> dict[str, Any]:
    said: dict[str, Any] = {"at": event.at.isoformat(), "what": event.what, "target": event.target}
    if event.address is not None:
        said |= {"kind": event.address.kind, "name": event.address.name, "action": event.action}
    if event.outcome is not None:
        said["outcome"] = event.outcome
    return said | {"message": event.message, "fields": event.fields, "done": event.done, "total": event.total}
