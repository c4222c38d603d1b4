"""`policysync drift`."""

from __future__ import annotations

from collections.abc import Sequence

import click

from policysync.apply.no_ledger import NoLedger
from policysync.commands.comparing import Comparing, each_target, remembered_names
from policysync.commands.forms import Output, forms_option, wants
from policysync.commands.plan import plan_document, show
from policysync.commands.selection import Selection
from policysync.commands.session import Session, open_session
from policysync.documents.catalog import load
from policysync.documents.project import Stage
from policysync.errors import Exit, Location, PolicySyncError
from policysync.plan.build import World
from policysync.plan.change import Plan
from policysync.plan.drift import drift
from policysync.reports.planned import Planned
from policysync.reports.view import printable
from policysync.state.resource import Address

_NEXT = (
    "{stage}: `policysync apply --stage {stage}` puts it back, `policysync adopt --stage {stage} --write-back` takes "
    "it into git, `accepted` in policysync.yaml lets it stay until a date"
)


@click.command()
@click.option("--stage", "-s", help="The stage; without it, or with --all, every stage.")
@click.option("--all", "every", is_flag=True, help="Every stage.")
@click.option("--target", "targets", multiple=True, help="Only this target of the stage; may be repeated.")
@click.option("--only", multiple=True, metavar="KIND/NAME", help="Only these; * matches anything.")
@forms_option("drift")
def command(
    *, stage: str | None, every: bool, targets: Sequence[str], only: Sequence[str], outputs: Sequence[Output]
) -> int:
    """Show what somebody changed by hand.

    Live is held against what was last applied, not against git. Exit status 2 says that there is drift.

    `policysync apply` puts back what git says, `policysync adopt --write-back` takes what somebody did into git, and
    `accepted` in policysync.yaml lets it stay until a date.

    \b
    Example:
      policysync drift --stage prod
      policysync drift --all --format json
      policysync drift --all --format text --format junit=drift.xml
    """
    if stage and every:
        raise PolicySyncError("--stage and --all were both given; want one of them")
    session = open_session()
    stages = [session.project.stage(stage)] if stage else list(session.project.stages)
    selection = Selection.of((), only, ())
    selection.hold_to(session.kinds)
    for line in selection.unmatched((), lambda: _remembered(session, stages)):
        click.echo(printable(line), err=True)
    found = [pair for one in stages for pair in _drift_of(session, one, targets, selection)]
    plans = [plan for plan, _ in found]
    document = plan_document(stage or "", plans, [world for _, world in found])
    places = _places(session) if wants(outputs, "github", "sarif", "junit") else {}
    show("drift", outputs, session, Planned(plans, document, drift=True, places=places))
    drifted = dict.fromkeys(plan.stage for plan in plans if plan.changes)
    for name in drifted if ("text", None) in outputs else ():
        click.echo(_NEXT.format(stage=name), err=True)
    return Exit.CHANGES if drifted else Exit.DONE


def _remembered(session: Session, stages: Sequence[Stage]) -> set[Address]:
    return {address for stage in stages for address in remembered_names(session.ledger(stage), stage)}


def _drift_of(session: Session, stage: Stage, targets: Sequence[str], selection: Selection) -> list[tuple[Plan, World]]:
    ledger = session.ledger(stage)
    if isinstance(ledger, NoLedger):
        raise PolicySyncError(ledger.notice)
    against = Comparing(session, stage, session.source(), (), ledger, selection, ledger.salt)
    worlds = each_target(against, targets, against.world)
    if ledger.notice:
        if not any(world.last_applied for world in worlds):
            raise PolicySyncError(ledger.notice)
        click.echo(ledger.notice, err=True)
    named = zip(session.targets(stage, targets), worlds, strict=True)
    return [(drift(stage.name, target.name, world, session.kinds), world) for target, world in named]


def _places(session: Session) -> dict[tuple[str, Address], Location]:
    """Return where git describes the resources of every stage; what an overlay says last stands there."""
    catalog = load(session.source(), session.project, session.kinds)
    return {
        (stage.name, Address(*name)): document.where
        for stage in session.project.stages
        for name, document in {**catalog.base, **catalog.overlays.get(stage.name, {})}.items()
    }
