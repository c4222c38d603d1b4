"""`policysync plan`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from policysync.commands.comparing import Comparing, Comparison, comparing, each_target
from policysync.commands.forms import Output, folder_in_repository, forms_option, write, write_file
from policysync.commands.guarded import case_of, remembered_consoles, seen, with_notice
from policysync.commands.options import (
    heal_accepted_option,
    pace_options,
    render_only_option,
    selection_options,
    stage_option,
)
from policysync.commands.rehearsing import refusals_in, rehearsed
from policysync.commands.selection import Selection
from policysync.commands.session import Session
from policysync.commands.unmanaged import seen_whole, unmanaged
from policysync.errors import Exit
from policysync.plan.build import World
from policysync.plan.change import Plan
from policysync.plan.codec import FORMAT_VERSION, dump
from policysync.plan.drift import drift
from policysync.plan.guards.listed import refusals
from policysync.reports.planned import Planned
from policysync.reports.text import LISTED

Judged = tuple[list[Plan], dict[str, Mapping[str, str]]]


@click.command()
@stage_option
@selection_options
@click.option("--prune", is_flag=True, help="Also delete what git no longer has and policysync once applied.")
@heal_accepted_option
@click.option("--refresh-only", is_flag=True, help="Only show what somebody changed by hand.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Save the plan for `apply`.")
@click.option("--show-unmanaged", is_flag=True, help="Read every kind, and list all that git does not have.")
@click.option("--fail-unmanaged", is_flag=True, help="The same, and exit with 3 when there is any.")
@click.option("--server-side", is_flag=True, help="Send each change as a dry run, where the target has one.")
@click.option("--detailed-exitcode", is_flag=True, help="Exit with 2 when there are changes.")
@render_only_option
@pace_options
@forms_option("plan")
def command(
    *,
    stage: str,
    targets: Sequence[str],
    revision: str | None,
    selection: Selection,
    prune: bool,
    heal_accepted: bool,
    refresh_only: bool,
    out: Path | None,
    show_unmanaged: bool,
    fail_unmanaged: bool,
    server_side: bool,
    detailed_exitcode: bool,
    render_only: Path | None,
    session: Session,
    outputs: Sequence[Output],
) -> int:
    """Show what would change in the targets of a stage.

    \b
    Example:
      policysync plan --stage dev
      policysync plan --stage prod --revision v1.4 --out plan.json --detailed-exitcode
      policysync plan --stage prod --fail-unmanaged
      policysync plan --stage clusters --server-side
      policysync plan --stage prod --format text --format markdown=comment.md --format sarif=plan.sarif
    """
    against = comparing(
        session, stage, revision, selection, prune=prune, heal_accepted=heal_accepted, render_only=render_only
    )
    fail_unmanaged = fail_unmanaged or (session.project.guard_settings.unmanaged and not refresh_only)
    whole = show_unmanaged or fail_unmanaged
    look = partial(seen_whole if whole else seen, against)
    comparisons = each_target(against, targets, rehearsed(against, look) if server_side else look)
    plans, refused = (_drifted if refresh_only else _judged)(against, comparisons)
    failed = {plan.target: said for plan in plans if fail_unmanaged and (said := unmanaged(plan))}
    document = plan_document(stage, plans, [c.world for c in comparisons])
    document |= {name: said for name, said in (("guards", refused), ("checks", failed)) if any(said.values())}
    if out:
        write_file(out, json.dumps(document, indent=1) + "\n")
    guards = {(stage, target): said for target, said in refused.items()}
    view = Planned(plans, document, refresh_only, guards, None if whole else LISTED)
    show("plan", outputs, session, view)
    for said in failed.values():
        click.echo(f"unmanaged: {said['unmanaged']}", err=True)
    if any(map(refusals_in, plans)):
        return Exit.ERROR
    changes = any(plan.changes or plan.blocked for plan in plans)
    return Exit.BLOCKED if failed else Exit.CHANGES if detailed_exitcode and changes else Exit.DONE


def _drifted(against: Comparing, comparisons: Sequence[Comparison]) -> Judged:
    """Return what somebody changed by hand in each target; nothing of it is applied, so nothing refuses it."""
    stage, kinds = against.stage.name, against.session.kinds
    return [drift(stage, c.target.name, c.world, kinds) for c in comparisons], {}


def _judged(against: Comparing, comparisons: Sequence[Comparison]) -> Judged:
    """Return the plans, and by target what would refuse an apply of each."""
    known = remembered_consoles(against)
    cases = [case_of(against, comparison, comparison.plan, known) for comparison in comparisons]
    return [with_notice(case) for case in cases], {case.plan.target: refusals(case) for case in cases}


def plan_document(stage: str, plans: Sequence[Plan], worlds: Sequence[World]) -> dict[str, Any]:
    """Return the plans of a stage as JSON data: what `--out` saves and `--format json` prints."""
    return {
        "format_version": FORMAT_VERSION,
        "stage": stage,
        "plans": [dump(plan, world.salt) for plan, world in zip(plans, worlds, strict=True)],
    }


def show(command: str, outputs: Sequence[Output], session: Session, view: Planned) -> None:
    """Write plans, or what drifted, in every form that was asked for."""
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    write(command, outputs, replace(view, colour=colour, folder=folder_in_repository(session.project.root)))
