"""`policysync status`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import click

from policysync.commands.forms import Output, forms_option, write
from policysync.commands.progress import counted
from policysync.commands.promotable import with_promotable
from policysync.commands.session import open_session
from policysync.commands.standing import look
from policysync.errors import Exit


@click.command()
@click.option("--stage", "-s", "names", multiple=True, help="Only this stage; may be repeated.")
@click.option("--all", "--resources", "resources", is_flag=True, help="Also a row for every resource.")
@click.option("--offline", is_flag=True, help="Ask git and the ledger only, no console.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 unless every target is in sync.")
@forms_option("status")
def command(
    *, names: Sequence[str], resources: bool, offline: bool, detailed_exitcode: bool, outputs: Sequence[Output]
) -> int:
    """Show where every stage stands.

    A row for each target: the revision that was applied last, what git says it should be, whether the two agree with
    what is there now, since when and by whom, and what the stage before it has and this one has not.

    A target that cannot be reached is a row like the others; the exit status is 1 then. `*` marks what was not
    committed.

    \b
    Example:
      policysync status
      policysync status --stage prod --all
      policysync status --offline --format json
    """
    session = open_session()
    stages = [session.project.stage(name) for name in names] or list(session.project.stages)
    with counted(sum(len(stage.targets) for stage in stages), "looking") as looked:
        status = with_promotable(session, look(session, stages, offline=offline, looked=looked))
    write("status", outputs, replace(status, resources=resources))
    if status.broken:
        return Exit.ERROR
    return Exit.CHANGES if detailed_exitcode and not status.calm else Exit.DONE
