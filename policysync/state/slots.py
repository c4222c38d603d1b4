"""Slots: objects that are there from the start and for ever. One that says nothing counts as not being there."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from policysync.kinds.kind import Kind
from policysync.state.normalize import canonical, live_spec
from policysync.state.resource import Resource


def is_reset(kind: Kind, live: Resource) -> bool:
    """Return whether a live resource is a slot in the state in which a delete leaves it.

    What is only written does not count: a console may answer with anything there.
    """
    return bool(kind.slots) and _visible(kind, live.spec) == _visible(kind, {**_reset(kind), **_key(kind, live.spec)})


def slot_name(kind: Kind, name: str) -> str:
    """Return a slot's name as its kind spells it; consoles vary in letter case."""
    return _spelling(kind).get(name.casefold(), name)


@cache
def _reset(kind: Kind) -> Mapping[str, Any]:
    form = (kind.api.get("delete") or {}).get("body") or {}
    constant = form.get("const", {}) if isinstance(form, Mapping) else {}
    stated = {name: v for name, v in constant.items() if not (isinstance(v, str) and v.startswith("$"))}
    return live_spec(kind, stated)


@cache
def _spelling(kind: Kind) -> Mapping[str, str]:
    return {slot.casefold(): slot for slot in kind.slots}


def _visible(kind: Kind, spec: Mapping[str, Any]) -> bytes:
    fields = kind.root.properties
    return canonical({name: v for name, v in spec.items() if name in fields and not fields[name].write_only})


def _key(kind: Kind, spec: Mapping[str, Any]) -> dict[str, Any]:
    return {name: spec[name] for name in kind.key if name in spec}
