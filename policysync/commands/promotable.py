"""What a stage could get from the one before it, and whether the gates that ask nobody let it in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from policysync.commands.promoting import Promotion, promotion
from policysync.commands.session import Session
from policysync.documents.gate_settings import GateSettings
from policysync.errors import PolicySyncError
from policysync.promotion.case import Case, Verdict
from policysync.promotion.gates.listed import judge
from policysync.reports.standing import Promotable, StageStanding, Status


def with_promotable(session: Session, status: Status) -> Status:
    """Return the status with what each stage but the first could get. Only git, the ledger and the clock are asked."""
    return replace(status, stages=tuple(_offered(session, one) for one in status.stages))


def _offered(session: Session, one: StageStanding) -> StageStanding:
    if session.project.stage(one.stage).first:
        return one
    try:
        return replace(one, upstream=_promotable(promotion(session, one.stage, None, ())))
    except PolicySyncError as error:
        names = [stage.name for stage in session.project.stages]
        before = names[names.index(one.stage) - 1]
        return replace(one, upstream=Promotable(before, "", problem=str(error)))


def _promotable(moving: Promotion) -> Promotable:
    resources = tuple(sorted(moving.changes)) if moving.now != moving.pin else ()
    offered = Promotable(moving.before.name, moving.pin.id, resources)
    if not resources:
        return offered
    settings = moving.stage.gate_settings
    quiet = _quiet(settings)
    case = replace(_case(moving, quiet), settings=quiet)
    verdicts = judge(case)
    refused = {name: verdict.said for name, verdict in verdicts.items() if not verdict.passed}
    asks = tuple(name for name in settings.asked if name not in quiet.asked)
    return replace(offered, refused=refused, asks=asks, since=_when(case, verdicts))


def _quiet(settings: GateSettings) -> GateSettings:
    """Return the gates that can be judged without asking a console, a program or a person."""
    return settings._replace(
        no_drift=False,
        verified_upstream=None,
        verified=None,
        approvals=0,
        looser_approvals=0,
        impact=None,
        plan_clean=False,
    )


def _case(moving: Promotion, quiet: GateSettings) -> Case:
    soak = quiet.soaked
    # One time for all: else the plan of the stage would be made, to see what is looser there.
    flat = quiet._replace(soaked=soak._replace(stricter=soak.looser, default=soak.looser)) if soak else quiet
    return replace(moving, stage=moving.stage._replace(gate_settings=flat)).case()


def _when(case: Case, verdicts: Mapping[str, Verdict]) -> datetime | None:
    """Return since when the stage before has all of it, or when the gates that refuse could pass."""
    refused = [verdict for verdict in verdicts.values() if not verdict.passed]
    moments = [v.could_pass_at for v in refused] if refused else [one.since for one in case.promoted]
    known = [moment for moment in moments if moment is not None]
    return max(known) if known and len(known) == len(moments) else None
