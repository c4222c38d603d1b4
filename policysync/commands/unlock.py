"""`policysync unlock`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from policysync.commands.options import stage_option
from policysync.commands.session import open_session
from policysync.errors import PolicySyncError


@click.command()
@stage_option
@click.option("--target", "targets", multiple=True, help="Only this target of the stage; may be repeated.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def command(*, stage: str, targets: Sequence[str], yes: bool) -> None:
    """Take away the lock of an apply that died.

    A lock ends by itself after a quarter of an hour. Take it away sooner only when you know that its holder is gone:
    one that still runs stops before its next write, and what it was about is for the next apply.

    \b
    Example:
      policysync unlock --stage prod --target prod-console
    """
    session = open_session()
    found = session.project.stage(stage)
    ledger = session.ledger(found)
    for target in session.targets(found, targets):
        lock = ledger.lock(target.name)
        holder = lock.holder()
        if holder is None:
            click.echo(f"{target.name}: not locked")
            continue
        begun = ledger.unfinished(target.name)
        during = f", in the middle of apply {begun.id} of {len(begun.entries)} changes" if begun else ""
        if not yes and not click.confirm(f"{target.name} is locked by {holder}{during}. Take it away?", err=True):
            raise PolicySyncError(f"{target.name} stays locked by {holder}")
        lock.take_away()
        click.echo(f"{target.name}: took the lock of {holder} away{during}")
        if begun:
            click.echo(f"{target.name}: `policysync apply --stage {stage}` completes {begun.id}", err=True)
