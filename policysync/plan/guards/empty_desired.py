"""The guard `empty-desired`."""

from __future__ import annotations

from policysync.plan.change import Action
from policysync.plan.guards.case import Case


def empty_desired(case: Case) -> str | None:
    """Refuse to delete anything while git says nothing at all, as it does when the folder is wrong."""
    deletes = sum(change.action is Action.DELETE for change in case.plan.changes)
    if case.stated or not deletes:
        return None
    return (
        f"git describes no resource for {case.plan.target}, and the plan would delete {deletes}; is the folder right?"
    )
