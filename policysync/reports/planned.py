"""Plans of one command, or what drifted, for every report."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from policysync.errors import Location
from policysync.plan.change import Action, Cause, Change, Plan, Posture
from policysync.plan.codec import summary
from policysync.reports.findings import ERROR, NOTE, WARNING, Case, Findings, Mark, moved
from policysync.reports.text import LISTED, asides, closing, drift_closing, drift_text, plan_text, spared_lines
from policysync.reports.view import is_looser, path_text
from policysync.state.resource import Address

CONFIGURATION = Location("policysync.yaml")


@dataclass(frozen=True, slots=True)
class Planned:
    """What a command found out about some targets.

    Attributes:
        document: the same as JSON data, as `--out` saves it.
        drift: the plans say what somebody changed by hand, not what would be done.
        guards: by stage and target, the guards that would refuse an apply, and why.
        listed: how many unmanaged resources are named; None for all.
        places: where resources are described, of those whose plan does not know it.
        folder: where in the git repository the policy root lies; empty for its top.
    """

    plans: Sequence[Plan]
    document: Mapping[str, Any] = field(default_factory=dict)
    drift: bool = False
    guards: Mapping[tuple[str, str], Mapping[str, str]] = field(default_factory=dict)
    listed: int | None = LISTED
    places: Mapping[tuple[str, Address], Location] = field(default_factory=dict)
    folder: str = ""
    colour: bool = False

    @property
    def command(self) -> str:
        """What it is called in reports."""
        return "drift" if self.drift else "plan"

    @property
    def closing(self) -> str:
        """The line that counts, over all targets."""
        counts = [summary(plan) for plan in self.plans]
        blocked = sum(len(plan.blocked) for plan in self.plans)
        looser = sum(is_looser(change.posture) for plan in self.plans for change in plan.changes)
        changed, gone = (sum(count[name] for count in counts) for name in ("change", "destroy"))
        if self.drift:
            text = f"Drift: {changed} edited by hand, {gone} deleted by hand."
        else:
            text = f"Plan: {sum(count['add'] for count in counts)} to add, {changed} to change, {gone} to destroy."
        more = [f"{looser} looser"] * bool(looser) + [f"{blocked} blocked"] * bool(blocked)
        return f"{text} {', '.join(more)}." if more else text

    def guards_of(self, plan: Plan) -> Mapping[str, str]:
        """Return the guards that would refuse a plan."""
        return self.guards.get((plan.stage, plan.target), {})

    def asides_of(self, plan: Plan) -> list[str]:
        """Return what there is to say beside the changes of a plan, a sentence a line."""
        lines = spared_lines(plan) if self.drift else asides(plan, self.listed)
        return [line.strip() for line in lines]

    def closing_of(self, plan: Plan) -> str:
        """Return the line that counts for one target."""
        return drift_closing(plan) if self.drift else closing(plan)

    def findings(self) -> Findings:
        """Return a case for every guard, blocked resource and change; only what has to be looked at leaves a mark."""
        cases = tuple(case for plan in self.plans for case in self._cases(plan))
        return Findings(self.command, self.closing, cases, "+".join(dict.fromkeys(plan.stage for plan in self.plans)))

    def _cases(self, plan: Plan) -> Iterator[Case]:
        suite = f"policysync {self.command} {plan.stage} {plan.target}"
        for name, why in self.guards_of(plan).items():
            mark = Mark(ERROR, "guard", f"{plan.target}: guard {name} would refuse this: {why}", self._configuration())
            yield Case(suite, f"guard {name}", mark.where.file, (mark,), failed=True)
        for blockage in plan.blocked:
            where = self._place(plan, blockage.address)
            message = f"{plan.target}: {blockage.hindrance}"
            mark = Mark(ERROR, "blocked", message, where, str(blockage.address))
            yield Case(suite, str(blockage.address), where.file, (mark,), failed=True)
        for change in plan.changes:
            marks = tuple(self._marks(plan, change))
            failed = self.drift or any(mark.level == ERROR for mark in marks)
            text = f"{change.action.value}: {', '.join(path_text(edit.path) for edit in change.edits)}"
            yield Case(suite, str(change.address), self._where(plan, change).file, marks, failed, text)
        if not (plan.changes or plan.blocked or self.guards_of(plan)):
            yield Case(suite, plan.target, text=self.closing_of(plan))

    def _marks(self, plan: Plan, change: Change) -> Iterator[Mark]:
        where, about = self._where(plan, change), str(change.address)
        paths = [path_text(edit.path) for edit in change.edits if is_looser(edit.posture)]
        which = f" ({_some(paths)})" if paths else ""
        on = f"on {plan.target} ({plan.stage})"
        if self.drift and change.action is Action.DELETE:
            yield Mark(ERROR, "deleted-by-hand", f"somebody deleted this {on}", where, about)
        elif self.drift and is_looser(change.posture):
            yield Mark(ERROR, "drift-looser", f"somebody made this {change.posture.value} {on}{which}", where, about)
        elif self.drift:
            edited = _some([path_text(edit.path) for edit in change.edits])
            yield Mark(WARNING, "drift", f"somebody edited this {on} ({edited})", where, about)
        elif is_looser(change.posture):
            said = "looser" if change.posture is Posture.LOOSER else "partly looser"
            yield Mark(WARNING, "looser", f"{change.action.value} makes this {said} {on}{which}", where, about)
        if not self.drift and change.cause is not Cause.PENDING:
            moved_there = [path_text(edit.path) for edit in change.edits if edit.cause is not Cause.PENDING]
            undone = f" ({_some(moved_there)})" if moved_there else ""
            yield Mark(NOTE, "overwrites-drift", f"undoes an edit by hand {on}{undone}", where, about)

    def _where(self, plan: Plan, change: Change) -> Location:
        stated = change.after.where if change.after else CONFIGURATION
        return moved(stated, self.folder) if stated.file and not self.drift else self._place(plan, change.address)

    def _place(self, plan: Plan, address: Address) -> Location:
        return moved(self.places.get((plan.stage, address), CONFIGURATION), self.folder)

    def _configuration(self) -> Location:
        return moved(CONFIGURATION, self.folder)


def text(view: Planned) -> str:
    """Return every plan for a terminal."""
    if view.drift:
        return "\n\n".join(drift_text(plan, colour=view.colour) for plan in view.plans)
    return "\n\n".join(
        plan_text(plan, colour=view.colour, listed=view.listed, guards=view.guards_of(plan)) for plan in view.plans
    )


def as_json(view: Planned) -> str:
    """Return the document that `--out` saves."""
    return json.dumps(view.document, indent=1)


def _some(paths: Sequence[str], most: int = 5) -> str:
    more = f" and {len(paths) - most} more" if len(paths) > most else ""
    return f"{', '.join(paths[:most])}{more}"
