"""What a long run is doing, on stderr: a bar on a terminal, and for an apply lines elsewhere."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from policysync.apply.events import Event, Listener, Outcome, What


@contextmanager
def progress(total: int) -> Iterator[Listener]:
    """Yield a listener that shows how far an apply of `total` changes has come."""
    if not sys.stderr.isatty():
        yield _line
        return
    with click.progressbar(length=total, label="applying", file=sys.stderr, show_pos=True) as bar:

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


def _line(event: Event) -> None:
    if event.what is What.RETRYING:
        click.echo(f"  {event.address}: trying again: {event.message}", err=True)
    if event.what is What.ENDED:
        remark = f": {event.message}" if event.message and event.outcome is not Outcome.APPLIED else ""
        click.echo(f"  [{event.done}/{event.total}] {event.outcome} {event.action} {event.address}{remark}", err=True)
