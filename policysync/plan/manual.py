"""What only a person can do: the steps of a kind, filled in for one resource, and what somebody confirmed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from policysync.kinds.kind import Kind
from policysync.plan.change import Change
from policysync.pointer import MISSING, resolve
from policysync.state.normalize import live_spec
from policysync.state.resource import Address, Resource

_PLACE = re.compile(r"\{(name|/[^{}]*)\}")


def is_manual(kinds: Mapping[str, Kind], address: Address) -> bool:
    """Return whether no backend can be asked for a resource, nor told to change it."""
    return address.kind in kinds and bool(kinds[address.kind].manual)


def confirmed(applied: Mapping[Address, Mapping[str, Any]], kinds: Mapping[str, Kind]) -> Iterator[Resource]:
    """Yield what stands for live: manual resources as somebody confirmed last that they are."""
    for address, spec in applied.items():
        if is_manual(kinds, address):
            yield Resource(address, live_spec(kinds[address.kind], spec))


def by_hand(change: Change, kind: Kind) -> Change:
    """Return the change with the steps a person has to take, where no interface takes them."""
    resource = change.after or change.before
    if not kind.manual or resource is None:
        return change
    return replace(change, steps=steps(kind.manual[change.action.value], resource))


def steps(texts: Iterable[str], resource: Resource) -> tuple[str, ...]:
    """Return the steps with `{name}` and `{/pointer}` replaced by what the resource says."""

    def said(found: re.Match[str]) -> str:
        at = found[1]
        return resource.address.name if at == "name" else _text(resolve(resource.spec, at))

    return tuple(_PLACE.sub(said, text) for text in texts)


def _text(value: Any) -> str:
    if value is MISSING or value is None:
        return "-"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_text(below)}" for name, below in value.items())
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    return str(value)
