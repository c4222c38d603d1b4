"""A kind's fields, made ready for completing many bodies quickly.

A shape knows what the server stores when a member is left out; for whole objects that value is made once
and shared, because what is stored is only ever written out again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policysync.emulator.settings import Settings
from policysync.kinds.field import Field
from policysync.pointer import MISSING, split

_ZERO: Mapping[str, Any] = {"boolean": False, "string": "", "integer": 0, "number": 0}


@dataclass(frozen=True, slots=True)
class Shape:
    """One field as the server sees it.

    Attributes:
        types: JSON types it takes; empty takes any.
        members: the fields of an object; None when it is not an object or has free names only.
        free: what members with free names are.
        on_create, on_update: what is stored when the field is left out; MISSING leaves it out there too.
        fills: null and empty values count as left out.
        reversed: lists come back in another order.
        alternates: whole numbers come back as 7.0 or 7.
        hidden: the value is not given out again.
        closed: it has no members but these.
    """

    name: str
    types: frozenset[str]
    members: Mapping[str, Shape] | None = None
    free: Shape | None = None
    each: Shape | None = None
    positions: tuple[Shape, ...] = ()
    on_create: Any = None
    on_update: Any = None
    empties: tuple[Any, ...] = ()
    fills: bool = False
    reversed: bool = False
    alternates: bool = False
    read_only: bool = False
    removed: bool = False
    server_filled: bool = False
    sensitive: bool = False
    hidden: bool = False
    closed: bool = True

    def missing(self, creating: bool) -> Any:
        return self.on_create if creating else self.on_update


def shape_of(node: Field, settings: Settings, name: str = "") -> Shape:
    """Return the shape of a field and of everything below it. `name` is its name in a body where that is another."""
    members = _members(node, settings) if node.properties else None
    types = node.types - {"null"}
    on_create = _left_out(node, types, members, settings, creating=True)
    on_update = _left_out(node, types, members, settings, creating=False)
    # Made in one go: a console is ready only when every field of every kind has its shape.
    return Shape(
        name=name or node.name,
        types=types,
        members=members,
        free=shape_of(node.values, settings) if node.values else None,
        each=shape_of(node.each, settings) if node.each else None,
        positions=tuple(shape_of(sub, settings) for sub in node.positions),
        on_create=on_create,
        on_update=on_update,
        empties=node.empty,
        fills=bool(on_update) and on_update is not MISSING and not members,
        reversed=node.unordered and settings.quirks != "off",
        alternates="number" in node.types and settings.quirks != "off",
        read_only=node.read_only,
        removed=bool(node.removed) and settings.edition == "saas",
        server_filled=bool(node.server_filled),
        sensitive=node.sensitive,
        hidden=(node.write_only and settings.secrets != "clear") or bool(node.computed),
    )


def _members(node: Field, settings: Settings) -> dict[str, Shape]:
    members: dict[str, Shape] = {}
    for sub in node.properties.values():
        *outer, last = split(sub.wire) or (sub.name,)
        place = members
        for step in outer:
            inner = place.get(step) or Shape(step, frozenset({"object"}), members={}, on_create={}, on_update={})
            place[step] = inner
            assert isinstance(inner.members, dict)  # noqa: S101  only such were put there
            place = inner.members
        place[last] = shape_of(sub, settings, last)
    return members


def _left_out(
    node: Field, types: frozenset[str], members: Mapping[str, Shape] | None, settings: Settings, *, creating: bool
) -> Any:
    """Return what the server stores for a field that was not sent.

    Source: reference, policies 3 and 15: a sparse create is completed, a replace resets to zero values, and
    sets that were never set read back as null. Switches stay off until somebody turns them on.
    """
    filled: Any = node.server_filled
    if isinstance(filled, Mapping) and "value" in filled:
        return filled["value"]
    if creating and node.initial is not MISSING and not isinstance(node.initial, bool):
        return node.initial
    if node.optional:
        return MISSING
    if members is not None:
        given = node.default if isinstance(node.default, Mapping) else {}
        blank = {name: given.get(name, sub.missing(creating)) for name, sub in members.items()}
        return {name: value for name, value in blank.items() if value is not MISSING and not members[name].hidden}
    if node.default is not MISSING and node.default not in (None, []):
        return node.default
    return _zero(types, node.unordered and settings.quirks != "off")


def _zero(types: frozenset[str], null: bool) -> Any:
    for name, zero in _ZERO.items():
        if types == {name}:
            return zero
    if types == {"array"}:
        return None if null else []
    return {} if types == {"object"} else None
