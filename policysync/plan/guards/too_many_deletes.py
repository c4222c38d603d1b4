"""The guard `too-many-deletes`."""

from __future__ import annotations

from policysync.plan.change import Action
from policysync.plan.guards.case import Case
from policysync.plan.guards.share import too_large


def too_many_deletes(case: Case) -> str | None:
    """Refuse when a plan deletes a larger part of what git manages than is usual."""
    return too_large(case, Action.DELETE, case.settings.deletes, "delete")
