"""Cases for guards, from the small kinds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from unit.plan.small import SALT, applied

from policysync.documents.guard_settings import GuardSettings
from policysync.kinds.kind import Kind
from policysync.plan.build import World, build
from policysync.plan.guards.case import Case
from policysync.state.resource import Address, Resource


def case_of(
    kinds: Mapping[str, Kind],
    wanted: Iterable[Resource] = (),
    found: Iterable[Resource] = (),
    last: Iterable[Resource] = (),
    *,
    protected: Iterable[Address] = (),
    remembers: bool | None = None,
    plan: Mapping[str, Any] | None = None,
    settings: GuardSettings | None = None,
    **known: Any,
) -> Case:
    """Return the case of a plan that prunes; `plan` are members it has besides, `known` those of the case."""
    last = tuple(last)
    knows = bool(last) if remembers is None else remembers
    world = World(tuple(wanted), tuple(found), applied(*last), frozenset(), frozenset(protected), SALT, knows)
    made = replace(build("dev", "console", world, kinds, prune=True), **(plan or {}))
    return Case(made, world, kinds, settings or GuardSettings(), **{"stated": len(world.desired), **known})
