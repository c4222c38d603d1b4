"""Our shape ↔ the wire's.

A body sent to the backend is made back from the normal form, so that defaults git left out are sent too. An
update is laid over the body as it was read: a PUT replaces the whole object, so what git does not state and what
our schema does not know has to travel along.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from policysync import pointer
from policysync.kinds.field import Field
from policysync.kinds.kind import Kind, walk
from policysync.pointer import MISSING
from policysync.secret import Secret
from policysync.state.normalize import item_key, live_spec, new_spec, own_elements
from policysync.state.resource import Address, Resource

Lookup = Callable[[str, str], Any]
"""Takes a kind and a name and returns the id the object has on this console."""


def from_wire(kind: Kind, body: Mapping[str, Any]) -> Resource:
    """Return the live resource a body describes. `raw` is the body as it came."""
    ours = _shaped(kind.root, body) if _moved(kind) else body
    spec = live_spec(kind, ours)
    handle = body.get(kind.api.get("id", kind.key[0]))
    return Resource(Address(kind.name, kind.name_of(spec)), spec, id="" if handle is None else str(handle), raw=body)


def to_wire(
    kind: Kind, spec: Mapping[str, Any], raw: Mapping[str, Any] | None = None, lookup: Lookup | None = None
) -> dict[str, Any]:
    """Return the body that creates an object (`raw` None), or that updates the one that was read as `raw`.

    `lookup` finds console-specific ids by name; without it they are left out.
    """
    if raw is None:
        body = _laid_over(kind.root, new_spec(kind, spec), {}, lookup)
    else:
        ours = _shaped(kind.root, raw) if _moved(kind) else raw
        body = _laid_over(kind.root, spec, ours, lookup)
    return _placed(kind.root, body) if _moved(kind) else body


def _laid_over(field: Field, spec: Mapping[str, Any], raw: Mapping[str, Any], lookup: Lookup | None) -> dict[str, Any]:
    body = {name: value for name, value in raw.items() if name not in field.properties}
    for name, below in field.properties.items():
        value = _member(below, name, spec, raw, lookup)
        if value is not MISSING:
            body[name] = value
    for name, value in spec.items():
        if name not in field.properties:
            body[name] = _plain(value)
    return body


def _member(field: Field, name: str, spec: Mapping[str, Any], raw: Mapping[str, Any], lookup: Lookup | None) -> Any:
    if field.read_only:
        return MISSING
    if field.env_specific:
        return _id(field, name, spec, raw, lookup)
    if name in spec:
        return _value(field, spec[name], raw.get(name), lookup)
    kept = raw.get(name)
    if kept is not None:
        return kept
    # What the console answers with null it wants back as an empty list.
    return field.default if name in raw or not (field.optional or field.server_filled or field.write_only) else MISSING


def _id(field: Field, name: str, spec: Mapping[str, Any], raw: Mapping[str, Any], lookup: Lookup | None) -> Any:
    if raw.get(name):
        return raw[name]
    sibling = spec.get(field.env_specific) if isinstance(field.env_specific, str) else None
    if not (sibling and lookup and field.ref):
        return MISSING
    return lookup(field.ref[0], sibling)


def _value(field: Field, value: Any, raw: Any, lookup: Lookup | None) -> Any:
    if isinstance(value, Mapping) and field.properties:
        return _laid_over(field, value, raw if isinstance(raw, Mapping) else {}, lookup)
    if isinstance(value, list) and field.each is not None and field.each.properties:
        return _elements(field, value, raw if isinstance(raw, list) else [], lookup)
    return _plain(value)


def _elements(field: Field, items: list[Any], raw: list[Any], lookup: Lookup | None) -> list[Any]:
    """Return the elements git states, each laid over the live element with the same key, and the server's own."""
    each = field.each
    assert each is not None
    own = own_elements(field, raw)
    if field.key:
        matched = {item_key(field, item): item for item in own}
        bases = [matched.get(item_key(field, item), {}) for item in items]
    else:
        bases = [{} for _ in items]
    servers = [item for item in raw if item not in own]
    return [_value(each, item, base, lookup) for item, base in zip(items, bases, strict=True)] + servers


def _plain(value: Any) -> Any:
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Mapping):
        return {name: _plain(below) for name, below in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


@cache
def _moved(kind: Kind) -> bool:
    return any(field.wire for field in walk(kind.root))


def _shaped(field: Field, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body with the members that stand elsewhere on the wire under their own names."""
    shaped = dict(body)
    for name, below in field.properties.items():
        if below.wire and (found := pointer.resolve(body, below.wire)) is not MISSING:
            shaped[name] = found
        if below.properties and isinstance(shaped.get(name), Mapping):
            shaped[name] = _shaped(below, shaped[name])
    return shaped


def _placed(field: Field, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body with the members that stand elsewhere on the wire in their places; undoes `_shaped`."""
    placed = dict(body)
    for name, below in field.properties.items():
        if below.properties and isinstance(placed.get(name), Mapping):
            placed[name] = _placed(below, placed[name])
        if below.wire and name in placed:
            _put(placed, pointer.split(below.wire), placed.pop(name))
    return placed


def _put(body: dict[str, Any], steps: tuple[str, ...], value: Any) -> None:
    for step in steps[:-1]:
        body[step] = dict(body.get(step) or {})
        body = body[step]
    body[steps[-1]] = value
