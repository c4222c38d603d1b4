"""What an overlay has to say about a live object, where a document says something about it already.

Only the differences: members that the document states otherwise, and those it does not state although a new object
would not get them. Lists are told the way overlays are laid on: keyed ones element by element, others whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policysync.documents.overlay import GONE, below
from policysync.kinds.field import Field
from policysync.kinds.kind import Kind
from policysync.plan.diff import diff
from policysync.plan.minimal import Reference, Stated, holds_secret, stated
from policysync.pointer import MISSING
from policysync.state.normalize import Side, item_key, normalizer

_NOTHING: Mapping[str, Any] = {}


def overlaid(
    kind: Kind, base: Mapping[str, Any], live: Mapping[str, Any], *, reference: Reference | None = None
) -> Stated:
    """Return the least spec that, laid over `base`, says what `live` says.

    Args:
        base: a spec as documents state it, variables replaced.
        live: a spec in normal form.
    """
    told = stated(kind, live, reference=reference)
    over = _members(kind.root, base, told.spec, live, Side.NEW if kind.whole else Side.STATED)
    for member in kind.key:
        over.pop(member, None)
    return Stated(over, told.secrets, tuple(path for path in told.supplied if _leads_somewhere(over, path)))


def _members(
    field: Field, base: Mapping[str, Any], told: Mapping[str, Any], live: Mapping[str, Any], side: Side
) -> dict[str, Any]:
    over = {}
    for name in _names(field, base, told, live):
        sub = below(field, name)
        if base.get(name) is None:
            if name in told:
                over[name] = told[name]
        elif name not in field.properties and name not in live:
            over[name] = None
        elif sub.held and not sub.sensitive and not sub.write_only:
            value = _against(sub, base[name], told.get(name, MISSING), live.get(name, MISSING), side)
            if value is not MISSING:
                over[name] = value
    return over


def _names(field: Field, *sides: Mapping[str, Any]) -> list[str]:
    """Return the members that have to be looked at, in the order of the schema."""
    if field.properties:
        return list(field.properties)
    return sorted({name for side in sides for name in side})


def _against(field: Field, base: Any, told: Any, live: Any, side: Side) -> Any:
    """Return what the overlay says of one value the base states; MISSING where nothing has to be said."""
    normal = normalizer(field, side)(base)
    if not diff(field, normal, live):
        return MISSING
    if live is MISSING and isinstance(base, list):
        live = told = []
    if live is MISSING:
        return None
    if isinstance(live, Mapping) and isinstance(base, Mapping) and (field.properties or field.values is not None):
        inside = side if field.properties else Side.ITEM
        over = _members(field, base, told if isinstance(told, Mapping) else _NOTHING, live, inside)
        return over or MISSING
    if holds_secret(live):
        return MISSING
    if isinstance(live, list) and isinstance(base, list) and field.key and base:
        return _elements(field, base, told if isinstance(told, list) else live, live)
    return live if told is MISSING else told


def _elements(field: Field, base: list[Any], told: list[Any], live: list[Any]) -> Any:
    """Return what turns the elements of the base into the live ones, matched by key."""
    each = field.each or Field()
    normal = normalizer(each, Side.ITEM)
    known = [(item_key(field, normal(item)), item) for item in base]
    there = [(item_key(field, item), said, item) for said, item in zip(told, live, strict=True)]
    twice = len(dict(known)) != len(known) or len({key for key, _, _ in there}) != len(there)
    stays = {} if twice else {key: item for key, item in known if key in {k for k, _, _ in there}}
    over: list[Any] = [{**_key(field, item), GONE: True} for key, item in dict(known).items() if key not in stays]
    for key, said, item in there:
        if key not in stays:
            over.append(said)
        elif diff(each, normal(stays[key]), item):
            inner = _members(each, stays[key], said, item, Side.ITEM)
            over.append({**_key(field, stays[key]), **inner})
    return over or MISSING


def _key(field: Field, item: Any) -> dict[str, Any]:
    return {member: item[member] for member in field.key if member in item} if isinstance(item, Mapping) else {}


def _leads_somewhere(over: Any, path: tuple[str, ...]) -> bool:
    for step in path:
        if not isinstance(over, Mapping) or step not in over:
            return False
        over = over[step]
    return True
