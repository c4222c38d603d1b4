"""The guard `protected`."""

from __future__ import annotations

from policysync.plan.guards.case import Case, goes, named


def protected(case: Case) -> str | None:
    """Refuse to take away what git says, or said when it was last applied, is never to be deleted.

    A plan deletes none of it; but a field that cannot be changed would have it deleted and created again.
    """
    kept = case.world.protected | {resource.address for resource in case.world.desired if resource.protect}
    going = [change.address for change in case.plan.changes if goes(change) and change.address in kept]
    if not going:
        return None
    return f"protected in git, and would be deleted: {named(going)}; take `protect` out and apply that first"
