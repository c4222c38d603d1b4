"""A release applied to a copy of what a stage holds, in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from policysync.apply.execute import execute
from policysync.apply.report import Report
from policysync.backends.memory import Memory
from policysync.backends.port import Backend
from policysync.commands.comparing import Comparing, each_target
from policysync.documents.project import Target
from policysync.errors import NotServed
from policysync.plan.change import Plan
from policysync.state.resource import Resource


@dataclass(frozen=True, slots=True)
class Rehearsal:
    """How it went on one target: the plan, how every change ended, and what a second plan would still change."""

    plan: Plan
    report: Report
    left: Plan

    @property
    def went_well(self) -> bool:
        """Whether everything was applied, and nothing is left to do."""
        return not self.report.status and not self.left.changes and not self.left.blocked


def rehearse(against: Comparing) -> list[Rehearsal]:
    """Copy every target of a stage into memory and apply there; nothing is written anywhere else."""

    def one(target: Target, backend: Backend) -> Rehearsal:
        copy = Memory(against.session.kinds, _held(against, target, backend))
        plan = against.compare(target, copy).plan
        session = against.session
        report = execute(plan, copy, session.kinds, retry=session.retry, clock=session.clock, salt=against.salt)
        return Rehearsal(plan, report, against.compare(target, copy).plan)

    return each_target(against, (), one)


def _held(against: Comparing, target: Target, backend: Backend) -> Iterator[Resource]:
    backend.probe()
    stated = {resource.address: resource.spec for resource in against.stated(target)}
    last = against.ledger.last_applied(target.name)
    backend.expect(last | stated)
    for name in sorted({address.kind for address in (*stated, *last)}):
        try:
            yield from backend.read(against.session.kinds[name])
        except NotServed:
            continue
