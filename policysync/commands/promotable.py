"""What a stage could get from the one before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from policysync.apply.record import Record
from policysync.commands.session import Session
from policysync.commands.standing import look, stated
from policysync.documents.project import Stage
from policysync.documents.released import Released
from policysync.documents.source import Source
from policysync.errors import PolicySyncError
from policysync.plan.between import State, between
from policysync.reports.standing import Promotable, StageStanding, Status
from policysync.state.resource import Address


def with_promotable(session: Session, status: Status) -> Status:
    """Return the status with what each stage could get from the one before it, where both are known."""
    known = {one.stage: one for one in status.stages}
    before = {later.name: earlier for earlier, later in pairwise(session.project.stages)}
    wanted = [before[name] for name in known if name in before]
    # Nobody asked to reach a stage that was not named; its ledger knows enough.
    rest = look(session, [stage for stage in wanted if stage.name not in known], offline=True)
    known |= {one.stage: one for one in rest.stages}
    found = [
        replace(one, upstream=_offered(session, one, known[before[one.stage].name], before[one.stage]))
        if one.stage in before
        else one
        for one in status.stages
    ]
    return replace(status, stages=tuple(found))


def _offered(session: Session, here: StageStanding, upstream: StageStanding, stage: Stage) -> Promotable | None:
    revision = _applied(upstream)
    if not revision:
        return None
    try:
        return Promotable(upstream.stage, revision, _differing(session, here.stage, stage, revision))
    except PolicySyncError:
        # What the documents of a revision have wrong, or that it is not here, is said where somebody wants to use it.
        return None


def _applied(upstream: StageStanding) -> str:
    """Return the revision that every target of a stage is at; the one longest applied where they differ."""
    if upstream.targets and upstream.released and all(one.live and one.in_sync for one in upstream.targets):
        # An apply of a revision that changed nothing leaves no record.
        return "" if upstream.dirty else upstream.revision
    records: list[Record] = [one.record for one in upstream.targets if one.record]
    if len(records) < len(upstream.targets):
        return ""
    return min(records, key=lambda record: record.at).revision if records else ""


def _differing(session: Session, name: str, before: Stage, revision: str) -> Sequence[Address]:
    stage = session.project.stage(name)
    pin = session.pin(stage)
    if pin and pin.id == revision:
        return ()
    now = State(stated(session, session.source_of(stage), stage) if pin else ())
    then = State(stated(session, _source(session, before, revision), stage))
    return tuple(change.address for change in between(now, then, session.kinds).changes)


def _source(session: Session, before: Stage, revision: str) -> Source:
    pin = session.pin(before)
    return Released(session.project.root, pin) if pin and pin.id == revision else session.source(revision)
