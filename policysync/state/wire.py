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
from policysync.state.normalize import Side, is_servers, item_key, left_to_server, live_spec, new_spec, normalizer, says
from policysync.state.resource import Address, Resource
from policysync.state.slots import slot_name

Lookup = Callable[[str, str], Any]
"""Takes a kind and a name and returns the id the object has on this console."""


def from_wire(kind: Kind, body: Mapping[str, Any]) -> Resource:
    """Return the live resource a body describes. `raw` is the body as it came."""
    ours = _told(kind, _shaped(kind.root, body) if _moved(kind) else body)
    spec = live_spec(kind, _without(kind.root, ours) if _stripped(kind) else ours)
    if kind.slots:
        spec[kind.key[0]] = slot_name(kind, kind.name_of(spec))
    handle = body.get(kind.api.get("id") or next(iter(kind.key), ""))
    # The key of what is only read is itself read-only, so that the normal form does not have it.
    name = kind.name_of(spec) or kind.name_of(ours)
    return Resource(Address(kind.name, name), spec, id="" if handle is None else str(handle), raw=body)


def to_wire(
    kind: Kind, spec: Mapping[str, Any], raw: Mapping[str, Any] | None = None, lookup: Lookup | None = None
) -> dict[str, Any]:
    """Return the body that creates an object (`raw` None), or that updates the one that was read as `raw`.

    `lookup` finds console-specific ids by name; without it they are left out.
    """
    if raw is None:
        body = _laid_over(kind.root, new_spec(kind, spec), {}, lookup)
    else:
        ours = _told(kind, _shaped(kind.root, raw) if _moved(kind) else raw)
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
            body[name] = plain(value)
    if _makes(field):
        _make(field, body, raw)
    return body


def _make(field: Field, body: dict[str, Any], raw: Mapping[str, Any]) -> None:
    """Add to a body what is computed from its other members and those of the live object."""
    for name, below in field.properties.items():
        if below.computed and below.computed[1] in body:
            how, sibling = below.computed
            value = _computed(how, body[sibling], raw.get(sibling))
            if value is not MISSING:
                body[name] = value
        if below.without and isinstance(body.get(name), list) and raw.get(below.without) not in (None, "", *body[name]):
            body[name] = [*body[name], raw[below.without]]


def _computed(how: str, value: Any, before: Any) -> Any:
    if how == "same":
        return value if value else MISSING
    old = before or []
    if how == "before":
        return list(old)
    new, old = (value or [], old) if how == "added" else (old, value or [])
    return [item for item in new if item not in old]


def _member(field: Field, name: str, spec: Mapping[str, Any], raw: Mapping[str, Any], lookup: Lookup | None) -> Any:
    if field.read_only:
        return raw.get(name, MISSING) if field.echo else MISSING
    if field.env_specific:
        return _id(field, name, spec, raw, lookup)
    if name in spec:
        return _value(field, spec[name], raw.get(name), lookup)
    kept = raw.get(name)
    if kept is not None:
        return kept
    # What the console answers with null it wants back as an empty list.
    return plain(field.default) if name in raw or not left_to_server(field) else MISSING


def _id(field: Field, name: str, spec: Mapping[str, Any], raw: Mapping[str, Any], lookup: Lookup | None) -> Any:
    if raw.get(name):
        return raw[name]
    sibling = spec.get(field.env_specific) if isinstance(field.env_specific, str) else None
    found = lookup(field.ref[0], sibling) if sibling and lookup and field.ref else None
    return MISSING if found is None else found


def _value(field: Field, value: Any, raw: Any, lookup: Lookup | None) -> Any:
    if isinstance(value, Mapping):
        base = raw if isinstance(raw, Mapping) else {}
        if field.properties:
            return _laid_over(field, value, base, lookup)
        if field.values is not None:
            return {name: _value(field.values, below, base.get(name), lookup) for name, below in value.items()}
    if isinstance(value, list) and field.each is not None and field.each.properties:
        return _elements(field, field.each, value, raw if isinstance(raw, list) else [], lookup)
    return plain(value)


def _elements(field: Field, each: Field, items: list[Any], raw: list[Any], lookup: Lookup | None) -> list[Any]:
    """Return the elements git states, each laid over the live element it stands for, and the server's own."""
    servers = [item for item in raw if is_servers(field, item)]
    spare = _by_identity(field, each, [item for item in raw if not is_servers(field, item)])
    return [_value(each, item, _take(spare, field, item), lookup) for item in items] + servers


_Spare = dict[tuple[str, ...], list[tuple[Any, Any]]]
"""Live elements that nothing was laid over yet, in normal form and as they came, by their key."""


def _by_identity(field: Field, each: Field, raw: list[Any]) -> _Spare:
    spare: _Spare = {}
    for item in raw:
        normal = normalizer(each, Side.LIVE)(item)
        spare.setdefault(item_key(field, normal) if field.key else (), []).append((normal, item))
    return spare


def _take(spare: _Spare, field: Field, item: Any) -> Any:
    """Return the live element that `item` stands for: of those with its key the one that says the same, else the first.

    Without keys only an element that says the same is one and the same.
    """
    candidates = spare.get(item_key(field, item) if field.key else (), [])
    same = (index for index, (normal, _) in enumerate(candidates) if says(normal, item))
    index = next(same, 0 if field.key and candidates else None)
    return None if index is None else candidates.pop(index)[1]


def plain(value: Any) -> Any:
    """Return a value as it is sent: secrets are what they stand for."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, Mapping):
        return {name: plain(below) for name, below in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


@cache
def _makes(field: Field) -> bool:
    return any(below.computed or below.without for below in field.properties.values())


@cache
def _stripped(kind: Kind) -> bool:
    return any(field.without for field in kind.root.properties.values())


def _without(root: Field, body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body whose lists lack what the console puts into them by itself."""
    lacking = dict(body)
    for name, field in root.properties.items():
        if field.without and isinstance(body.get(name), list) and (own := body.get(field.without)):
            lacking[name] = [item for item in body[name] if item != own]
    return lacking


@cache
def _texts(kind: Kind) -> tuple[tuple[str, str], ...]:
    return tuple((name, field.from_text) for name, field in kind.root.properties.items() if field.from_text)


def _told(kind: Kind, body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a body in whose lists bare texts, as old consoles answer with, are the objects they stand for."""
    for name, member in _texts(kind):
        items = body.get(name)
        if isinstance(items, list) and any(isinstance(item, str) for item in items):
            told = [{member: item} if isinstance(item, str) else item for item in items]
            body = {**body, name: told}
    return body


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
