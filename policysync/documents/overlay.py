"""Base and overlay → one spec, and from a pointer in it back to the document that says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policysync.kinds.field import Field
from policysync.pointer import MISSING

NOTHING = Field()
GONE = "$absent"
"""In an element of a keyed list of an overlay, next to its key: `$absent: true` takes that element out."""


def merge(field: Field, base: Any, over: Any) -> Any:
    """Return `base` with `over` laid on it.

    Mappings merge, lists whose field has a key merge by key, everything else replaces. A member that says null
    is unset, and an element that says `$absent: true` goes. Neither argument is changed.
    """
    if isinstance(over, Mapping):
        return _members(field, base if isinstance(base, Mapping) else {}, over)
    if isinstance(over, list) and isinstance(base, list) and field.key:
        return _by_key(field, base, over)
    return over


def below(field: Field, name: str) -> Field:
    """Return the field of a member; one that says nothing where the schema does not know it."""
    return field.properties.get(name) or field.values or NOTHING


def key_of(field: Field, item: Any) -> tuple[str, ...] | None:
    """Return what identifies an element of a keyed list, defaults included; None where it is no mapping."""
    if not isinstance(item, Mapping):
        return None
    members = field.each.properties if field.each else {}
    values = [item[name] if name in item else _usual(members.get(name)) for name in field.key]
    return tuple(f"{type(value).__name__}:{value}" for value in values)


def _usual(member: Field | None) -> Any:
    return None if member is None or member.default is MISSING else member.default


def _members(field: Field, base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in over.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(below(field, name), merged.get(name), value)
    return merged


def _by_key(field: Field, base: list[Any], over: list[Any]) -> list[Any]:
    each = field.each or NOTHING
    merged = list(base)
    places = {key: index for index, item in reversed([*enumerate(base)]) if (key := key_of(field, item)) is not None}
    for item in over:
        key = key_of(field, item)
        if key is not None and _goes(item):
            # Without its place the key is new, so that another element of that name can follow.
            places.pop(key, None)
            gone = {index for index, other in enumerate(base) if key_of(field, other) == key}
            merged = [MISSING if index in gone else other for index, other in enumerate(merged)]
        elif key in places:
            merged[places[key]] = merge(each, merged[places[key]], item)
        else:
            merged.append(merge(each, None, item))
    return [item for item in merged if item is not MISSING]


def _goes(item: Any) -> bool:
    return isinstance(item, Mapping) and item.get(GONE) is True


def trace(field: Field, merged: Any, layer: Any, path: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the path inside one layer that a path inside the merged spec came from; None if it is not there."""
    own: list[str] = []
    for step in path:
        if isinstance(layer, Mapping):
            if step not in layer:
                return None
            own.append(step)
            layer, field = layer[step], below(field, step)
            merged = merged.get(step) if isinstance(merged, Mapping) else None
        elif isinstance(layer, list) and isinstance(merged, list) and int(step) < len(merged):
            index = _index(field, merged, layer, int(step))
            if index is None:
                return None
            own.append(str(index))
            merged, layer, field = merged[int(step)], layer[index], field.each or NOTHING
        else:
            return None
    return tuple(own)


def _index(field: Field, merged: list[Any], layer: list[Any], index: int) -> int | None:
    key = key_of(field, merged[index]) if field.key else None
    if key is None:
        return index if index < len(layer) else None
    # The same key twice is a mistake, and each of the two has its own place.
    before = sum(key_of(field, item) == key for item in merged[:index])
    same = [at for at, item in enumerate(layer) if key_of(field, item) == key and not _goes(item)]
    return same[before] if before < len(same) else None
