"""The journal of one apply: a line for every event, on disk before the next change begins.

The ledger is written before the first change and after the last. What happened in between, in a run that died, is
known from here: `.policysync/runs/<apply id>.jsonl`, on the machine it ran on.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from policysync.apply.events import Event, Outcome, What
from policysync.state.resource import Address

KEPT = 500


@dataclass(frozen=True, slots=True)
class Ending:
    """How one change ended, as far as it is written down."""

    outcome: Outcome
    message: str = ""
    fields: tuple[str, ...] = ()


class Journal:
    """A listener that writes. Use it as a context manager, or close it."""

    def __init__(self, file: Path) -> None:
        self.file = file
        prepare(file.parent)
        self._out = file.open("a", encoding="utf-8")

    def __call__(self, event: Event) -> None:
        self._out.write(json.dumps(_line(event)) + "\n")
        if event.what in (What.ENDED, What.FINISHED):
            self._out.flush()
            os.fsync(self._out.fileno())

    def close(self) -> None:
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
        old.unlink(missing_ok=True)


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
