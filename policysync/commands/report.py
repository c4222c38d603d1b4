"""`policysync report`: everything about a policy repository on one page."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import click

from policysync.apply.ledger import Ledger
from policysync.apply.record import Record
from policysync.commands.comparing import Comparing, Comparison, comparing, each_target
from policysync.commands.guarded import case_of, remembered_consoles, seen, with_notice
from policysync.commands.options import pace_options
from policysync.commands.selection import Selection
from policysync.commands.session import Session
from policysync.documents.project import Stage
from policysync.errors import PolicySyncError
from policysync.plan.drift import drift
from policysync.plan.guards.listed import refusals
from policysync.reports.history import History, apply_lines
from policysync.reports.page import Page, StagePart, TargetPart, render, target_part
from policysync.reports.planned import Planned
from policysync.secret import told

_APPLIES = 5


@click.command(short_help="Write one page a person can read about every stage.")
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), default="report.html", help="Where to; report.html."
)
@click.option("--stage", "-s", "names", multiple=True, help="Only this stage; may be repeated. All of them by default.")
@pace_options
def command(*, out: Path, names: Sequence[str], session: Session) -> None:
    """Write one page a person can read: what is pending in every stage and target, what makes policies weaker, what
    somebody changed by hand, and the last applies.

    The page holds everything it needs and runs no script, so that it can be mailed, archived and printed. A stage that
    cannot be read is shown with the reason.

    \b
    Example:
      policysync report --out report.html
      policysync report --stage prod --out prod.html
    """
    stages = [session.project.stage(name) for name in names] or list(session.project.stages)
    parts = tuple(_part(session, stage, number) for number, stage in enumerate(stages, 1))
    at = session.clock.now().strftime("%Y-%m-%d %H:%M UTC")
    page = Page(f"policysync: {session.project.root.name}", f"As of {at}", parts, whole=True)
    try:
        out.write_text(render(page), encoding="utf-8")
    except OSError as error:
        raise PolicySyncError(f"{out} cannot be written: {error.strerror}") from error
    click.echo(f"wrote {out}", err=True)


def _part(session: Session, stage: Stage, number: int) -> StagePart:
    try:
        against = comparing(session, stage.name, None, Selection())
        records = list(against.ledger.history()) if isinstance(against.ledger, Ledger) else []
        comparisons = each_target(against, (), lambda target, backend: seen(against, target, backend))
        targets = tuple(_target(against, comparison, records) for comparison in comparisons)
    except PolicySyncError as error:
        return StagePart(number, stage.name, trouble=told(str(error)))
    history = History(stage.name, records)
    last = ("\n".join(apply_lines(record, history)) for record in islice(records, _APPLIES))
    return StagePart(number, stage.name, targets, history=tuple(last))


def _target(against: Comparing, comparison: Comparison, records: Sequence[Record]) -> TargetPart:
    case = case_of(against, comparison, comparison.plan, remembered_consoles(against))
    plan, name = with_notice(case), comparison.target.name
    view = Planned([plan], guards={(plan.stage, plan.target): refusals(case)})
    found = drift(plan.stage, name, comparison.world, against.session.kinds) if comparison.world.last_applied else None
    applied = next((record.at.strftime("%Y-%m-%d %H:%M UTC") for record in records if record.target == name), "never")
    return target_part(view, plan, found, applied)
