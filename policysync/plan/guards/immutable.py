"""The guard `immutable`."""

from __future__ import annotations

from policysync.plan.guards.case import Case, named


def immutable(case: Case) -> str | None:
    """Refuse to delete and create a resource because a field that cannot change has to."""
    fixed = [change.address for change in case.plan.changes if change.immutable]
    if not fixed:
        return None
    return f"a field that cannot be changed differs, so these would be deleted and created again: {named(fixed)}"
