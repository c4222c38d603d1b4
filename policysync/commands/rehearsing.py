"""`plan --server-side`: every change is sent to its target as a dry run, which looks at it and keeps nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from policysync.backends.port import Backend, Rehearses
from policysync.commands.comparing import Comparing, Comparison
from policysync.documents.project import Target
from policysync.errors import BackendError
from policysync.plan.change import Plan

Look = Callable[[Target, Backend], Comparison]
REFUSED = "the server would refuse it: "
_PREFIX = "dry run"


def rehearsed(against: Comparing, look: Look) -> Look:
    """Return a look that also asks the target what it would say of each change, and notes it beside the plan."""

    def looked(target: Target, backend: Backend) -> Comparison:
        comparison = look(target, backend)
        said = tuple(_said(against, comparison.plan, backend))
        plan = replace(comparison.plan, notices=(*comparison.plan.notices, *said))
        return replace(comparison, plan=plan)

    return looked


def refusals_in(plan: Plan) -> list[str]:
    """Return what a dry run was refused with."""
    return [notice for notice in plan.notices if notice.startswith(_PREFIX) and REFUSED in notice]


def _said(against: Comparing, plan: Plan, backend: Backend) -> Iterator[str]:
    if not isinstance(backend, Rehearses):
        yield f"{_PREFIX}: {plan.target} has none; its changes were only compared"
        return
    for change in plan.changes:
        try:
            backend.rehearse(change, against.session.kinds[change.address.kind])
        except BackendError as error:
            yield f"{_PREFIX}: {change.action.value} {change.address}: {REFUSED}{error}"
        else:
            yield f"{_PREFIX}: {change.action.value} {change.address}: the server would accept it"
