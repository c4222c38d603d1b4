"""What a long run is doing, on stderr: a bar on a terminal, and for an apply lines elsewhere."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

import click

from policysync.apply.events import Event, Listener, Outcome, What


@contextmanager
def progress(total: int) -> Iterator[Listener]:
    """Yield a listener that shows how far an apply of `total` changes has come, as long as somebody reads it."""
    if not sys.stderr.isatty():
        yield _line
        return
    with click.progressbar(length=total, label="applying", file=_Heard(sys.stderr), show_pos=True) as bar:

        def move(event: Event) -> None:
            if event.what is What.ENDED:
                bar.update(1)

        yield move


@contextmanager
def counted(total: int, label: str) -> Iterator[Callable[[], None]]:
    """Yield what is to be called for each of `total` things that is done; on a terminal a bar shows how far it is.

    Several threads may call it.
    """
    if not sys.stderr.isatty() or not total:
        yield lambda: None
        return
    lock = threading.Lock()
    with click.progressbar(length=total, label=label, file=sys.stderr, show_pos=True) as bar:

        def move() -> None:
            with lock:
                bar.update(1)

        yield move


class _Heard(io.StringIO):
    """A terminal that may go; what is written after that is heard by nobody."""

    def __init__(self, terminal: TextIO) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal.isatty()

    def write(self, text: str) -> int:
        with suppress(OSError):
            self._terminal.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError):
            self._terminal.flush()


def _line(event: Event) -> None:
    if event.what is What.RETRYING:
        _say(f"{event.address}: trying again: {event.message}")
    if event.what is What.ENDED:
        remark = f": {event.message}" if event.message and event.outcome is not Outcome.APPLIED else ""
        _say(f"[{event.done}/{event.total}] {event.outcome} {event.action} {event.address}{remark}")


def _say(text: str) -> None:
    with suppress(OSError):
        click.echo(f"  {text}", err=True)
