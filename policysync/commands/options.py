"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from policysync.commands.selection import Selection
from policysync.commands.session import open_session
from policysync.commands.stage_name import StageName

Command = Callable[..., Any]
_ANY = "* matches anything, [*] a star."

stage_option = click.option(
    "--stage", "-s", required=True, type=StageName(), help="The stage, as policysync.yaml names it."
)
heal_accepted_option = click.option(
    "--heal-accepted", is_flag=True, help="Also take back edits by hand that policysync.yaml accepts."
)
render_only_option = click.option(
    "--render-only",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Keep artefacts below DIR for Argo CD, Flux or a pipeline to install; what is there is live.",
)
format_option = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the result on stdout."
)


def selection_options(command: Command) -> Command:
    """Add the options that pick targets and resources; the command gets `targets`, `revision` and a `selection`."""

    @wraps(command)
    def run(*, all_targets: bool, select: list[str], only: list[str], exclude: list[str], **rest: Any) -> Any:
        del all_targets  # every target is the default; the option lets a script say so
        return command(selection=Selection.of(select, only, exclude), **rest)

    return _with(
        run,
        click.option("--target", "targets", multiple=True, help="Only this target of the stage; may be repeated."),
        click.option("--all-targets", is_flag=True, help="Every target of the stage, which is also the default."),
        click.option("--revision", help="Read the documents from this git revision instead of the work tree."),
        click.option("--select", multiple=True, metavar="K=V", help="Only resources with this label."),
        click.option("--only", multiple=True, metavar="KIND/NAME", help=f"Only these; {_ANY}"),
        click.option("--exclude", multiple=True, metavar="KIND/NAME", help=f"All but these; {_ANY}"),
    )


def pace_options(command: Command) -> Command:
    """Add the options that say how hard targets may be driven; the command gets an open `session`."""

    @wraps(command)
    def run(*, parallelism: int | None, max_rps: float | None, **rest: Any) -> Any:
        return command(session=open_session(parallelism, max_rps), **rest)

    return _with(
        run,
        click.option("--parallelism", type=click.IntRange(1), help="Requests at once."),
        click.option("--max-rps", type=click.FloatRange(0), help="Requests a second, for each target; 0 lifts it."),
    )


def _with(run: Command, *options: Callable[[Command], Command]) -> Command:
    for option in reversed(options):
        run = option(run)
    return run
