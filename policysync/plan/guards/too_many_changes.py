"""The guard `too-many-changes`."""

from __future__ import annotations

from policysync.plan.change import Action
from policysync.plan.guards.case import Case
from policysync.plan.guards.share import too_large


def too_many_changes(case: Case) -> str | None:
    """Refuse when a plan changes a larger part of what git manages than is usual. What is new does not count."""
    return too_large(case, Action.UPDATE, case.settings.changes, "change")
