"""In which order changes are carried out: what is referred to comes first, and goes last."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from policysync.kinds.field import Field, paired
from policysync.kinds.kind import SINGLETON, Kind
from policysync.plan.change import Action, Change
from policysync.state.resource import Address, Resource


def references(kind: Kind, resource: Resource) -> frozenset[Address]:
    """Return everything a resource may refer to; a field that can name several kinds gives one address for each."""
    # What writes into the document of another kind waits for it: at the same time one of the two would be lost.
    shared = {Address(other, SINGLETON) for other in kind.parts_of.values()}
    return frozenset(_references(kind.root, resource.spec)) - {resource.address} | shared


def waves(changes: Sequence[Change], kinds: Mapping[str, Kind]) -> tuple[tuple[Change, ...], ...]:
    """Return the changes in waves: whatever a change has to wait for stands in an earlier wave.

    A create or update waits for the create or update of what it refers to. A delete waits for every change to
    what referred to it. Resources that refer to each other in a circle share a wave: no order would be right.
    """
    by_address = {change.address: change for change in changes}
    waiting: dict[Address, set[Address]] = {
        change.address: {other for other in _waits_for(change, kinds) if other in by_address} for change in changes
    }
    for change in changes:
        for other in _held_up_by(change, kinds):
            if other in by_address and by_address[other].action is Action.DELETE:
                waiting[other].add(change.address)
    return tuple(_levels(waiting, by_address))


def _waits_for(change: Change, kinds: Mapping[str, Kind]) -> frozenset[Address]:
    if change.after is None:
        return frozenset()
    return references(kinds[change.address.kind], change.after)


def _held_up_by(change: Change, kinds: Mapping[str, Kind]) -> frozenset[Address]:
    """Return what a resource referred to until now: it can go only after this change."""
    if change.before is None:
        return frozenset()
    return references(kinds[change.address.kind], change.before)


def _levels(waiting: Mapping[Address, set[Address]], changes: Mapping[Address, Change]) -> Iterator[tuple[Change, ...]]:
    # Nothing but another delete waits for a delete: the reference to what goes is itself being taken away.
    open_ = {
        address: {other for other in others if not _deletes(changes, other) or _deletes(changes, address)}
        for address, others in waiting.items()
    }
    while open_:
        ready = sorted(address for address, others in open_.items() if not others)
        wave = ready or sorted(_circle(open_))
        yield tuple(changes[address] for address in wave)
        for address in wave:
            del open_[address]
        for others in open_.values():
            others.difference_update(wave)


def _circle(open_: Mapping[Address, set[Address]]) -> set[Address]:
    """Return changes that wait for each other, and for nothing else. There are some when nothing is ready."""
    start = min(open_)
    while True:
        ahead = _reached(open_, start)
        away = next((address for address in sorted(ahead) if start not in _reached(open_, address)), None)
        if away is None:
            return ahead
        start = away


def _reached(open_: Mapping[Address, set[Address]], start: Address) -> set[Address]:
    """Return everything a change waits for, directly or not."""
    reached: set[Address] = set()
    ahead = [start]
    while ahead:
        new = open_[ahead.pop()] - reached
        reached |= new
        ahead += new
    return reached


def _deletes(changes: Mapping[Address, Change], address: Address) -> bool:
    return changes[address].action is Action.DELETE


def _references(field: Field, value: Any) -> Iterator[Address]:
    if field.ref and isinstance(value, str) and value and not field.env_specific:
        yield from (Address(kind, value) for kind in field.ref)
    elif isinstance(value, Mapping):
        for kind in field.ref_keys:
            yield from (Address(kind, name) for name in value)
        for name, below in value.items():
            inner = field.properties.get(name) or field.values
            if inner is not None and inner.ref_with:
                yield from (Address(kind, paired(inner, value, below)) for kind in inner.ref if below)
            elif inner is not None:
                yield from _references(inner, below)
    elif isinstance(value, list):
        for item in value:
            yield from _references(field if field.ref else field.each or _UNKNOWN, item)


_UNKNOWN = Field()
