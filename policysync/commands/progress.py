"""What an apply is doing, on stderr: a bar on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
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


def _line(event: Event) -> None:
    if event.what is What.RETRYING:
        click.echo(f"  {event.address}: trying again: {event.message}", err=True)
    if event.what is What.ENDED:
        remark = f": {event.message}" if event.message and event.outcome is not Outcome.APPLIED else ""
        click.echo(f"  [{event.done}/{event.total}] {event.outcome} {event.action} {event.address}{remark}", err=True)
