"""Every guard by the name that `--allow` lifts it with."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from policysync.documents.guard_settings import ANY
from policysync.plan.guards.built_in import built_in
from policysync.plan.guards.case import Case, Guard
from policysync.plan.guards.dirty_tree import dirty_tree
from policysync.plan.guards.empty_desired import empty_desired
from policysync.plan.guards.freeze import freeze
from policysync.plan.guards.immutable import immutable
from policysync.plan.guards.not_released import not_released
from policysync.plan.guards.protected import protected
from policysync.plan.guards.too_many_changes import too_many_changes
from policysync.plan.guards.too_many_deletes import too_many_deletes
from policysync.plan.guards.unmanaged_collision import unmanaged_collision
from policysync.plan.guards.wrong_console import wrong_console

GUARDS: Mapping[str, Guard] = {
    "too-many-deletes": too_many_deletes,
    "too-many-changes": too_many_changes,
    "protected": protected,
    "built-in": built_in,
    "immutable": immutable,
    "empty-desired": empty_desired,
    "dirty-tree": dirty_tree,
    "unmanaged-collision": unmanaged_collision,
    "wrong-console": wrong_console,
    "freeze": freeze,
    "not-released": not_released,
}


def refusals(case: Case, allowed: frozenset[str] = frozenset()) -> dict[str, str]:
    """Return the guards that say no, and why, without those that were allowed."""
    said = ((name, guard(case)) for name, guard in GUARDS.items() if name not in allowed)
    return {name: why for name, why in said if why}


def not_liftable(asked: Iterable[str], forbidden: Iterable[str]) -> list[str]:
    """Return the guards somebody asked to lift although the stage forbids it; `*` forbids all."""
    barred = set(forbidden)
    return sorted(name for name in set(asked) if name in barred or ANY in barred)
