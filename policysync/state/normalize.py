"""The one form in which == means "no change".

Read-only members go, defaults come, sets are sorted, keyed lists are sorted by key, numbers are spelt one way.
Doing it twice changes nothing. Fields are compiled into functions once per kind: a plan over thousands of
resources spends its time here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache
from typing import Any

import orjson

from policysync.kinds.field import Field
from policysync.kinds.kind import Kind
from policysync.pointer import MISSING
from policysync.secret import Secret

Normalize = Callable[[Any], Any]


class Side(Enum):
    """Whose value it is, which decides what happens to members nobody mentioned."""

    STATED = "stated"  # git: left out
    ITEM = "item"  # an element of a list in git: defaults, because an element is stated whole
    LIVE = "live"  # the backend: defaults
    NEW = "new"  # an object to be created: initial values, else defaults


def desired_spec(kind: Kind, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return what git states, in normal form. A member that says null is left out, as if it were not there."""
    return _object(kind, spec, Side.STATED)


def live_spec(kind: Kind, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the backend says, in normal form, with the defaults of what it left out."""
    return _object(kind, body, Side.LIVE)


def new_spec(kind: Kind, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a new object is created with: what git states, the initial values and the defaults.

    What the server fills in by itself is left to it.
    """
    return _object(kind, spec, Side.NEW)


def canonical(value: Any, salt: str = "") -> bytes:
    """Return the one spelling of a value in normal form; a secret stands as its salted digest."""
    return orjson.dumps(value, default=lambda v: _stand_in(v, salt), option=orjson.OPT_SORT_KEYS)


def digest(value: Any, salt: str = "") -> str:
    """Return the sha256 of the canonical form, as 64 hex digits."""
    return hashlib.sha256(canonical(value, salt)).hexdigest()


def item_key(field: Field, item: Any) -> tuple[bytes, ...]:
    """Return what identifies an element of a keyed list."""
    if not isinstance(item, Mapping):
        return (canonical(item),)
    return tuple(canonical(item.get(member, "")) for member in field.key)


def own_elements(field: Field, value: list[Any]) -> list[Any]:
    """Return the elements of a live list that are not the server's own."""
    if not field.exclude:
        return value
    return [item for item in value if not _is_servers(field, item)]


def _is_servers(field: Field, item: Any) -> bool:
    return isinstance(item, Mapping) and all(item.get(name) == value for name, value in field.exclude.items())


def _stand_in(value: Any, salt: str) -> Any:
    if isinstance(value, Secret):
        return {"$digest": value.digest(salt)}
    raise TypeError(f"{type(value).__name__} has no canonical form")


def _object(kind: Kind, value: Mapping[str, Any], side: Side) -> dict[str, Any]:
    spec: dict[str, Any] = normalizer(kind.root, side)(value)
    return spec


@cache
def normalizer(field: Field, side: Side) -> Normalize:
    """Return the function that puts a value of this field into normal form.

    It answers MISSING where the member is to be left out. Values of a wrong type are returned as they are:
    saying so is the validator's business, and a live value of an unexpected type is a difference.
    """
    if field.properties:
        return _of_object(field, side)
    if field.values is not None:
        return _of_map(field, side)
    if field.each is not None or field.positions or "array" in field.types:
        return _of_list(field, side)
    return _of_scalar(field)


def _of_object(field: Field, side: Side) -> Normalize:
    members = {name: normalizer(below, side) for name, below in sorted(field.properties.items()) if below.compared}
    if side is Side.STATED:

        def stated(value: Any) -> Any:
            if not isinstance(value, Mapping):
                return value
            kept = ((name, members[name](value[name])) for name in sorted(value) if name in members)
            return {name: v for name, v in kept if v is not MISSING and v is not None}

        return stated

    absent = {name: _absent(field.properties[name], side) for name in members}

    def filled(value: Any) -> Any:
        if value is None:
            value = {}
        elif not isinstance(value, Mapping):
            return value
        result = {}
        for name, normalize in members.items():
            v = normalize(value[name]) if name in value else absent[name]()
            if v is not MISSING:
                result[name] = v
        return result

    return filled


def _absent(field: Field, side: Side) -> Callable[[], Any]:
    """Return what stands for a member that was not mentioned, as a function, so that nothing mutable is shared."""
    normalize = normalizer(field, side)
    left_out = field.server_filled or field.optional or field.write_only or field.removed
    if side is not Side.LIVE and (left_out or not field.relevant):
        return lambda: MISSING
    if side is Side.LIVE and field.write_only:
        return lambda: MISSING
    if side is Side.NEW and field.initial is not MISSING:
        return lambda: normalize(field.initial)
    return lambda: normalize(None)


def _of_map(field: Field, side: Side) -> Normalize:
    assert field.values is not None
    each = normalizer(field.values, Side.LIVE if side is Side.LIVE else Side.ITEM)
    default = field.default

    def normalize(value: Any) -> Any:
        if value is None:
            return default
        if not isinstance(value, Mapping):
            return value
        return {name: each(value[name]) for name in sorted(value)}

    return normalize


def _of_list(field: Field, side: Side) -> Normalize:
    inside = Side.LIVE if side is Side.LIVE else Side.ITEM
    each = normalizer(field.each, inside) if field.each is not None else None
    positions = [normalizer(position, inside) for position in field.positions]
    default = field.default
    empties = [value for value in field.empty if value != []]

    def normalize(value: Any) -> Any:
        if value is None or value in ([], "") or value in empties:
            return list(default) if isinstance(default, list) else default
        if not isinstance(value, list):
            return value
        items = own_elements(field, value)
        if positions:
            head = [at(item) for at, item in zip(positions, items, strict=False)]
            return head + items[len(positions) :]
        items = [each(item) for item in items] if each is not None else list(items)
        return _sorted(field, items)

    return normalize


def _sorted(field: Field, items: list[Any]) -> list[Any]:
    if field.key:
        return sorted(items, key=lambda item: (item_key(field, item), canonical(item)))
    if not field.unordered:
        return items
    if all(type(item) is str for item in items):
        return sorted(set(items))
    return list({spelt: item for spelt, item in sorted((canonical(item), item) for item in items)}.values())


def _of_scalar(field: Field) -> Normalize:
    default = field.default
    if field.sensitive:
        return lambda value: _secret(value, default)
    respell = _RESPELL.get(field.normalizer)
    numeric = bool(field.types & {"number", "integer"}) or not field.types
    if not (respell or numeric or field.empty):
        return lambda value: default if value is None or value == "" else value

    def normalize(value: Any) -> Any:
        if value is None or value == "" or (value in field.empty and not isinstance(value, bool)):
            return default
        if isinstance(value, float) and value.is_integer():
            return int(value)
        return respell(value) if respell and isinstance(value, str) else value

    return normalize


def _secret(value: Any, default: Any) -> Any:
    if value is None or value == "":
        return default
    return Secret(value) if isinstance(value, str) else value


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")


def _port_range(text: str) -> str:
    first, _, last = text.replace(" ", "").replace("/", "-").partition("-")
    return first if first == last or not last else f"{first}-{last}"


_RESPELL: Mapping[str, Callable[[str], str]] = {"case": str.lower, "lines": _lines, "port-range": _port_range}
