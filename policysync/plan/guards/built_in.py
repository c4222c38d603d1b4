"""The guard `built-in`."""

from __future__ import annotations

from policysync.plan.change import Change
from policysync.plan.guards.case import Case, goes, named


def built_in(case: Case) -> str | None:
    """Refuse to take away what the product ships: consoles refuse that as well, or cannot make it again."""
    going = [change.address for change in case.plan.changes if goes(change) and is_built_in(case, change)]
    if not going:
        return None
    return f"the product ships these, and they would be deleted: {named(going)}; they can only be changed"


def is_built_in(case: Case, change: Change) -> bool:
    """Return whether a change is about something the product ships, or of which there is always exactly one."""
    kind = case.kinds[change.address.kind]
    values = {**change.before.raw, **change.before.spec} if change.before else None
    return kind.singleton or kind.builtin(change.address.name, values) is not None
