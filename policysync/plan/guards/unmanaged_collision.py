"""The guard `unmanaged-collision`, and what it is about."""

from __future__ import annotations

from policysync.plan.change import Action, Change
from policysync.plan.guards.built_in import is_built_in
from policysync.plan.guards.case import Case, named
from policysync.state.resource import Address
from policysync.state.slots import is_reset


def unmanaged_collision(case: Case) -> str | None:
    """Refuse to overwrite what somebody made by hand under a name that git states for the first time.

    Without any memory of the target that cannot be told from what an earlier run wrote; see `first_sight`.
    """
    found = collisions(case) if case.world.remembers else []
    if not found:
        return None
    return (
        f"git newly states what somebody made by hand, and would overwrite it: {named(found)}; "
        "take what is there into git with `policysync adopt`, or give yours another name"
    )


def first_sight(case: Case) -> str | None:
    """Return a notice where an empty ledger cannot tell what was made by hand from what git wrote before."""
    found = [] if case.world.remembers else collisions(case)
    if not found:
        return None
    return (
        f"nothing was applied to {case.plan.target} yet as far as the ledger knows, and these exist there and differ: "
        f"{named(found)}; an apply overwrites them"
    )


def collisions(case: Case) -> list[Address]:
    """Return what a plan changes though no apply ever set out to make or change it, and git never took it as it is.

    What the product ships is nobody's work.
    """
    ours = case.world.last_applied.keys() | case.begun | case.taken
    return [
        change.address
        for change in case.plan.changes
        if change.action is Action.UPDATE and change.address not in ours and not _is_as_shipped(case, change)
    ]


def _is_as_shipped(case: Case, change: Change) -> bool:
    untouched = change.before is not None and is_reset(case.kinds[change.address.kind], change.before)
    return untouched or is_built_in(case, change)
