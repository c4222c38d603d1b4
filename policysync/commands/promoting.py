"""Gathering what the gates judge: the release, the ledger upstream, live where a gate looks at it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import click

from policysync.apply.ledger import Ledger
from policysync.apply.record import Record
from policysync.commands.approving import approvals_of
from policysync.commands.comparing import Comparing, Comparison, compare_targets, each_target
from policysync.commands.offering import covering, desired_at, history_of, ledger_of, running
from policysync.commands.selection import Selection
from policysync.commands.session import Session
from policysync.documents.pin import Pin
from policysync.documents.project import Stage
from policysync.documents.revision import resolve
from policysync.documents.serving import belongs
from policysync.documents.source import Released
from policysync.errors import Blocked, PolicySyncError
from policysync.plan.between import State, between
from policysync.plan.change import Change, Posture
from policysync.plan.drift import drift
from policysync.promotion.candidate import chosen, with_references, with_singles
from policysync.promotion.case import Approval, Case, Checked, Promoted, Upstream, is_looser
from policysync.promotion.checks import checked
from policysync.promotion.upstream import since, upstream_of
from policysync.state.resource import Address

EVERYTHING = Selection()


@dataclass(frozen=True)
class Promotion:
    """One release on its way into one stage.

    Attributes:
        before: the stage before.
        now: what the stage follows at the moment.
        offered: what is offered as a whole.
        pin: what the stage would follow: `offered`, or single resources of it beside what there is.
        only: the resources that are promoted alone; None for all of it.
    """

    session: Session
    stage: Stage
    before: Stage
    now: Pin | None
    offered: Pin
    pin: Pin
    only: frozenset[Address] | None = None

    @cached_property
    def changes(self) -> Mapping[Address, Change]:
        """What git says otherwise from now on."""
        old = desired_at(self.session, self.stage, self.now) if self.now else ()
        new = desired_at(self.session, self.stage, self.pin)
        plan = between(State(old), State(new), self.session.kinds)
        return {change.address: change for change in plan.changes}

    @cached_property
    def ledger(self) -> Ledger:
        """The ledger of the stage before.

        Raises:
            PolicySyncError: there is none, because this is no git repository.
        """
        return ledger_of(self.session, self.before)

    @cached_property
    def against(self) -> Comparing:
        """The stage as the release has it, ready to be held against its targets; secrets are looked up."""
        source = Released(self.session.project.root, self.pin, in_tree=False)
        desired, warnings = self.session.desired(source, self.stage)
        for warning in warnings:
            click.echo(str(warning), err=True)
        ledger = self.session.ledger(self.stage)
        return Comparing(self.session, self.stage, source, desired, ledger, EVERYTHING, ledger.salt)

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """The plans of the stage with the release."""
        return compare_targets(self.against, ())

    @cached_property
    def records(self) -> Mapping[str, list[Record]]:
        """The applies to every target of the stage before, the newest first."""
        return {target.name: history_of(self.ledger, target) for target in self.before.targets}

    @property
    def applies(self) -> tuple[str, ...]:
        """The ids of the applies that the release stands on."""
        return tuple(records[0].id for records in self.records.values() if records)

    def case(self) -> Case:
        """Return what the gates judge; only what one of them looks at is asked for."""
        asked = set(self.stage.gate_settings.asked)
        soak = self.stage.gate_settings.soaked
        looks_live = "looser" in asked or "plan-clean" in asked or (soak and len(set(soak)) > 1)
        approvals, approvers = self._approvals() if asked & {"approvals", "looser"} else ((), "")
        return Case(
            stage=self.stage.name,
            before=self.before.name,
            release=self.pin.id,
            settings=self.stage.gate_settings,
            now=self.session.clock.now(),
            promoted=tuple(self._promoted(live=bool(looks_live))),
            upstream=tuple(self._upstream()),
            drift=self._drift() if "no-drift" in asked else {},
            checks=self._checks(asked),
            approvals=approvals,
            approvers=approvers,
            unplanned=self._unplanned() if "plan-clean" in asked else {},
        )

    def _promoted(self, *, live: bool) -> Iterator[Promoted]:
        covers = covering(self.session, self.offered)
        seen = [c for one in self.comparisons for c in one.plan.changes] if live else []
        weaker = {change.address for change in seen if is_looser(change.posture)}
        for address, change in sorted(self.changes.items()):
            moments = [since(self.records[target.name], address, covers) for target in self.before.targets]
            posture = Posture.LOOSER if address in weaker else change.posture
            yield Promoted(address, posture, _latest(moments))

    def _upstream(self) -> Iterator[Upstream]:
        stated = desired_at(self.session, self.before, self.offered)
        for target in self.before.targets:
            mine = [r for r in stated if belongs(target, self.session.kinds[r.address.kind], r)]
            yield upstream_of(self.ledger, target.name, self.records[target.name], mine, self.only)

    def _drift(self) -> dict[str, tuple[Address, ...]]:
        session = self.session
        against = Comparing(session, self.before, session.source(), (), self.ledger, EVERYTHING, self.ledger.salt)
        worlds = zip(session.targets(self.before), each_target(against, (), against.world), strict=True)
        plans = (drift(self.before.name, target.name, world, session.kinds) for target, world in worlds)
        return {plan.target: tuple(change.address for change in plan.changes) for plan in plans}

    def _unplanned(self) -> dict[str, tuple[Address, ...]]:
        return {
            one.target.name: tuple(c.address for c in one.plan.changes if c.address not in self.changes)
            for one in self.comparisons
        }

    def _approvals(self) -> tuple[tuple[Approval, ...], str]:
        root, environ = self.session.project.root, self.session.environ
        revisions = {self.offered.revision_of(address) for address in self.changes} or {self.offered.revision}
        return approvals_of(root, self.pin, revisions, self.session.clock, environ)

    def _checks(self, asked: Iterable[str]) -> dict[str, Checked]:
        settings = self.stage.gate_settings
        found = {}
        for name, check, stage in (
            ("verified-upstream", settings.verified_upstream, self.before),
            ("verified", settings.verified, self.stage),
        ):
            if name not in asked or check is None:
                continue
            if check.command or check.url:
                about = {"POLICYSYNC_STAGE": stage.name, "POLICYSYNC_RELEASE": self.pin.id}
                found[name] = checked(check, self.session.project.root, {**self.session.environ, **about})
            else:
                found[name] = self._read_back()
        return found

    def _read_back(self) -> Checked:
        """Hold the stage before against the release: what it states has to be live there."""
        source = Released(self.session.project.root, self.offered, in_tree=False)
        desired, _ = self.session.desired(source, self.before)
        wanted = tuple(r for r in desired if self.only is None or r.address in self.only)
        against = Comparing(self.session, self.before, source, wanted, self.ledger, EVERYTHING, self.ledger.salt)
        plans = [one.plan for one in compare_targets(against, ())]
        differing = [f"{change.address} of {plan.target}" for plan in plans for change in plan.changes]
        differing += [f"{blocked.address} of {plan.target}" for plan in plans for blocked in plan.blocked]
        if differing:
            return Checked(False, f"{self.before.name} is not as the release has it: {', '.join(differing[:5])}")
        return Checked(True, f"read back: {len(wanted)} resources of {self.before.name} are as the release has them")


def promotion(
    session: Session, to: str, revision: str | None, only: Sequence[str], *, committed: Pin | None = None
) -> Promotion:
    """Return what is to be promoted: what the stage before runs, or a revision; all of it or some resources.

    With `committed`, it is held against that pin instead of the one in the work tree.

    Raises:
        Blocked: the stage before runs nothing that could be promoted, or what was chosen cannot go alone.
        PolicySyncError: there is no such stage, revision or resource.
    """
    stage = session.project.stage(to)
    names = [one.name for one in session.project.stages]
    if stage.first:
        raise PolicySyncError(f"{to} is the first stage: it follows the branch that is checked out, so merge there")
    before = session.project.stage(names[names.index(to) - 1])
    now = committed or session.pin(stage)
    offered = Pin(to, resolve(session.project.root, revision)) if revision else running(session, before, to)
    if not only:
        return Promotion(session, stage, before, now, offered, offered)
    if now is None:
        raise Blocked(f"nothing is released to {to} yet, so nothing can go there alone; promote all of it first")
    whole = Promotion(session, stage, before, now, offered, offered)
    offers = {resource.address: resource for resource in desired_at(session, stage, offered)}
    differing = frozenset(whole.changes)
    wanted = chosen(only, differing, {*offers, *differing})
    together = with_references(wanted, offers, differing, session.kinds)
    pin = with_singles(now, offered, together)
    _must_fit(session, stage, pin, only)
    return Promotion(session, stage, before, now, offered, pin, together)


def _must_fit(session: Session, stage: Stage, pin: Pin, only: Sequence[str]) -> None:
    try:
        desired_at(session, stage, pin)
    except Blocked as error:
        _, _, problems = str(error).partition("\n")
        raise Blocked(f"--only {' '.join(only)}: this cannot go to {stage.name} alone\n{problems}") from error


def _latest(moments: Sequence[datetime | None]) -> datetime | None:
    known = [moment for moment in moments if moment is not None]
    return max(known) if known and len(known) == len(moments) else None
