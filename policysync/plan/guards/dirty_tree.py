"""The guard `dirty-tree`."""

from __future__ import annotations

from policysync.plan.guards.case import Case


def dirty_tree(case: Case) -> str | None:
    """Refuse to apply what no revision holds to anything but an embedded console."""
    if not case.plan.dirty or case.embedded:
        return None
    return "the work tree has changes that are not committed; nobody could say later what was applied"
