"""Reasons not to carry out a plan: each one function that returns a sentence or nothing.

`--allow NAME` lifts exactly one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from policysync.plan.change import Action, Plan


@dataclass(frozen=True, slots=True)
class Limits:
    """What guards may let pass.

    `deletes_percent` counts of the live resources git manages, 0 to 100; up to `deletes_floor` deletes always pass.
    `embedded` says that the target is an embedded console, where nothing real can break.
    """

    deletes_percent: float = 30
    deletes_floor: int = 10
    embedded: bool = False


Guard = Callable[[Plan, Limits], str | None]


def too_many_deletes(plan: Plan, limits: Limits) -> str | None:
    """Refuse when a plan deletes a larger part of what git manages than is usual."""
    deletes = _deletes(plan)
    managed = plan.live - len(plan.unmanaged)
    if deletes <= limits.deletes_floor or deletes <= managed * limits.deletes_percent / 100:
        return None
    return f"would delete {deletes} of {managed} managed resources, limit {limits.deletes_percent:g}%"


def empty_desired(plan: Plan, limits: Limits) -> str | None:
    """Refuse to delete everything because git says nothing at all, as it does when the folder is wrong."""
    del limits
    if plan.desired or not _deletes(plan):
        return None
    return (
        f"git describes no resource for {plan.target}, and the plan would delete {_deletes(plan)}; is the folder right?"
    )


def dirty_tree(plan: Plan, limits: Limits) -> str | None:
    """Refuse to apply what no revision holds to anything but an embedded console."""
    if not plan.dirty or limits.embedded:
        return None
    return "the work tree has changes that are not committed; nobody could say later what was applied"


def immutable(plan: Plan, limits: Limits) -> str | None:
    """Refuse to delete and create a resource because a field that cannot change has to."""
    del limits
    fixed = [str(change.address) for change in plan.changes if change.immutable]
    if not fixed:
        return None
    return f"a field that cannot be changed differs, so these would be deleted and created again: {', '.join(fixed)}"


GUARDS: Mapping[str, Guard] = {
    "too-many-deletes": too_many_deletes,
    "empty-desired": empty_desired,
    "dirty-tree": dirty_tree,
    "immutable": immutable,
}


def refusals(plan: Plan, limits: Limits, allowed: frozenset[str] = frozenset()) -> dict[str, str]:
    """Return the guards that say no, and why, without those that were allowed."""
    said = ((name, guard(plan, limits)) for name, guard in GUARDS.items() if name not in allowed)
    return {name: why for name, why in said if why}


def _deletes(plan: Plan) -> int:
    return sum(change.action is Action.DELETE for change in plan.changes)
