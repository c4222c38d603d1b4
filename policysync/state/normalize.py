"""The one form in which == means "no change".

Read-only members go, defaults come, sets are sorted, keyed lists are sorted by key, numbers are spelt one way.
Doing it twice changes nothing. Fields are compiled into functions once per kind: a plan over thousands of
resources spends its time here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from enum import Enum
from functools import cache, partial
from typing import Any

import orjson

from policysync.kinds.field import Field
from policysync.kinds.kind import Kind
from policysync.pointer import MISSING
from policysync.secret import Secret
from policysync.state.quantity import quantity

Normalize = Callable[[Any], Any]


class Side(Enum):
    """Whose value it is, which decides what happens to members nobody mentioned."""

    STATED = "stated"  # git: left out
    ITEM = "item"  # an element of a list in git: defaults, because an element is stated whole
    LIVE = "live"  # the backend: defaults
    NEW = "new"  # an object to be created: initial values, else defaults


def desired_spec(kind: Kind, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return what git states, in normal form. A member that says null is left out, as if it were not there.

    A kind whose documents state everything gets its defaults as well.
    """
    return _object(kind, spec, Side.NEW if kind.whole else Side.STATED)


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
    stand_in = partial(_stand_in, salt=salt)
    try:
        return orjson.dumps(value, default=stand_in, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        # Numbers beyond 64 bits and half surrogate pairs are JSON all the same, and a console may answer with them.
        return json.dumps(value, default=stand_in, sort_keys=True, separators=(",", ":")).encode()


def digest(value: Any, salt: str = "") -> str:
    """Return the sha256 of the canonical form, as 64 hex digits."""
    return hashlib.sha256(canonical(value, salt)).hexdigest()


def item_key(field: Field, item: Any) -> tuple[str, ...]:
    """Return what identifies an element of a keyed list; the element is in normal form."""
    if not isinstance(item, Mapping):
        return (_spelt(item),)
    return tuple([_spelt(item.get(member, "")) for member in field.key])


def _spelt(value: Any) -> str:
    # No other canonical form starts with a quotation mark.
    return f'"{value}' if type(value) is str else canonical(value).decode()


def says(value: Any, stated: Any, salt: str = "") -> bool:
    """Return whether `value` holds everything that is stated; its objects may hold more. Both are in normal form."""
    if isinstance(stated, Mapping) and isinstance(value, Mapping):
        return all(name in value and says(value[name], below, salt) for name, below in stated.items())
    if isinstance(stated, list) and isinstance(value, list):
        return len(value) == len(stated) and all(says(*pair, salt) for pair in zip(value, stated, strict=True))
    return canonical(value, salt) == canonical(stated, salt)


def is_servers(field: Field, item: Any) -> bool:
    """Return whether an element of a list is the server's own: never compared and never changed."""
    return (
        bool(field.exclude)
        and isinstance(item, Mapping)
        and all(item.get(name) == value for name, value in field.exclude.items())
    )


def left_to_server(field: Field) -> bool:
    """Return whether a member that nobody mentioned is left out of what is sent."""
    return bool(field.server_filled or field.optional or field.write_only or field.removed or not field.relevant)


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
    if field.sensitive:
        return partial(_secret, blank=_blank(field, "", side))
    if field.properties:
        return _of_object(field, side)
    if field.values is not None:
        return _of_map(field, field.values, side)
    if field.each is not None or field.positions or "array" in field.types:
        return _of_list(field, side)
    return _of_scalar(field, side)


def _blank(field: Field, empty: Any, side: Side) -> Any:
    """Return what null, `""` and `[]` are: the default; without one, the same as absent.

    In git a stated empty value is kept, or nobody could ever take the last element away.
    """
    if field.default is not MISSING:
        return field.default
    return empty if side is Side.STATED else MISSING


def _of_object(field: Field, side: Side) -> Normalize:
    members = {name: normalizer(below, side) for name, below in sorted(field.properties.items()) if below.held}
    if side is Side.STATED:
        always = {name: below.stated for name, below in field.properties.items() if below.stated is not MISSING}
        return partial(_stated, members, always)
    absent = {name: _absent(field.properties[name], side) for name in members}
    constant = {name: absent[name]() for name in absent if not isinstance(absent[name](), list | dict)}
    template = {name: value for name, value in constant.items() if value is not MISSING}
    fresh = [(name, absent[name]) for name in absent if name not in constant]
    return partial(_filled, members, template, fresh)


def _stated(members: Mapping[str, Normalize], always: Mapping[str, Any], value: Any) -> Any:
    if not isinstance(value, Mapping):
        return value
    kept = dict(always)
    for name in sorted(value):
        v = value[name]
        if v is None or name not in members:
            continue
        # Most members of a policy are switches, and a switch is in normal form already.
        normal = v if v is True or v is False else members[name](v)
        if normal is not MISSING:
            kept[name] = normal
    return kept


def _filled(
    members: Mapping[str, Normalize],
    template: dict[str, Any],
    fresh: list[tuple[str, Callable[[], Any]]],
    value: Any,
) -> Any:
    """Return the members of `value`, and for absent ones those of `template` and what `fresh` makes."""
    if value is None:
        value = {}
    elif not isinstance(value, Mapping):
        return value
    result = template.copy()
    for name, make in fresh:
        if value.get(name) is None:
            result[name] = make()
    for name, v in value.items():
        normalize = members.get(name)
        if v is None or normalize is None:
            continue
        normal = v if v is True or v is False else normalize(v)
        if normal is MISSING:
            result.pop(name, None)
        else:
            result[name] = normal
    return result


def _absent(field: Field, side: Side) -> Callable[[], Any]:
    """Return what stands for a member that was not mentioned, as a function, so that nothing mutable is shared."""
    normalize = normalizer(field, side)
    if side is Side.LIVE:
        return (lambda: MISSING) if field.write_only else (lambda: normalize(None))
    if side is Side.NEW and field.initial is not MISSING and field.relevant and not field.removed:
        return lambda: normalize(field.initial)
    return (lambda: MISSING) if left_to_server(field) else (lambda: normalize(None))


def _element(normalize: Normalize, item: Any) -> Any:
    """Return an element in normal form. It cannot be left out: an empty one stays as it is."""
    result = normalize(item)
    return item if result is MISSING else result


def _of_map(field: Field, values: Field, side: Side) -> Normalize:
    each = normalizer(values, Side.LIVE if side is Side.LIVE else Side.ITEM)
    blank = _blank(field, {}, side)

    def normalize(value: Any) -> Any:
        if not value and value in (None, {}):
            return blank.copy() if isinstance(blank, dict) else blank
        if not isinstance(value, Mapping):
            return value
        return {name: _element(each, value[name]) for name in sorted(value)}

    return normalize


def _of_list(field: Field, side: Side) -> Normalize:
    inside = Side.LIVE if side is Side.LIVE else Side.ITEM
    # Strings without further rules are in normal form already.
    each = normalizer(field.each, inside) if field.each is not None and not _is_plain_text(field.each) else None
    positions = [normalizer(position, inside) for position in field.positions]
    empties = [value for value in field.empty if value]

    def elements(value: list[Any]) -> list[Any]:
        items = [item for item in value if not is_servers(field, item)] if field.exclude else value
        head = [_element(at, item) for at, item in zip(positions, items, strict=False)] if positions else []
        rest = items[len(head) :]
        return _sorted(field, head + ([_element(each, item) for item in rest] if each else rest))

    blank = _blank(field, [], side)
    if isinstance(blank, list):
        blank = elements(blank)

    def normalize(value: Any) -> Any:
        if isinstance(value, list):
            items = elements(value) if value else value
        elif value is None or value == "":
            items = []
        else:
            return value
        if items and items not in empties:
            return items
        return list(blank) if isinstance(blank, list) else blank

    return normalize


def _is_plain_text(field: Field) -> bool:
    return field.types == {"string"} and not (field.sensitive or field.normalizer or field.empty) and not field.default


def _sorted(field: Field, items: list[Any]) -> list[Any]:
    if field.key:
        return _by_key(field, items)
    if not field.unordered:
        return items
    if all(type(item) is str for item in items):
        return sorted(set(items))
    by_spelling = {canonical(item): item for item in items}
    return [by_spelling[spelling] for spelling in sorted(by_spelling)]


def _by_key(field: Field, items: list[Any]) -> list[Any]:
    keyed = {item_key(field, item): item for item in items}
    if len(keyed) == len(items):
        return [keyed[key] for key in sorted(keyed)]
    spelt = [(item_key(field, item), canonical(item), item) for item in items]
    if field.unordered:
        spelt = list({(key, spelling): (key, spelling, item) for key, spelling, item in spelt}.values())
    return [item for _, _, item in sorted(spelt, key=lambda entry: entry[:2])]


def _of_scalar(field: Field, side: Side) -> Normalize:
    respell = _RESPELL.get(field.normalizer)
    blank = _blank(field, "", side)
    if respell and isinstance(blank, str):
        blank = respell(blank)
    # Without a default there is nothing further values could be equal to.
    empties = field.empty if field.default is not MISSING else ()

    def normalize(value: Any) -> Any:
        if isinstance(value, str):
            text = respell(value) if respell else value
            return blank if text == "" or text in empties else text
        if value is None or (value in empties and not isinstance(value, bool)):
            return blank
        return _number(value)

    return normalize


def _number(value: Any) -> Any:
    """Return a value with every number spelt one way; what the schema does not know is walked as well."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < _EXACT else value
    if isinstance(value, list):
        return [_number(item) for item in value]
    if isinstance(value, Mapping):
        return {name: _number(value[name]) for name in sorted(value)}
    return value


_EXACT = 2**53


def _secret(value: Any, blank: Any) -> Any:
    if value is None or value == "":
        return blank
    if isinstance(value, Secret):
        return value
    # A sensitive value of an unexpected type is hidden all the same.
    return Secret(value if isinstance(value, str) else canonical(value).decode())


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n")


def _port_range(text: str) -> str:
    first, _, last = text.replace(" ", "").replace("/", "-").partition("-")
    return first if first == last or not last else f"{first}-{last}"


_RESPELL: Mapping[str, Callable[[str], str]] = {
    "case": str.lower,
    "lines": _lines,
    "port-range": _port_range,
    "quantity": quantity,
}
