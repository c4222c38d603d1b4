"""Secrets that got another value where they are kept, and not yet in the target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from policysync.pointer import MISSING, resolve, split
from policysync.state.resource import Address, Resource

LastApplied = Mapping[Address, Mapping[str, Any]]


def as_held(applied: LastApplied, live: Iterable[Resource]) -> LastApplied:
    """Return what was last applied, with the live value wherever that is the secret as it was then.

    Git names the same place as before, so only this tells a secret that was rotated from an edit by hand.
    """
    held = dict(applied)
    for resource in live:
        for pointer in resource.rotated:
            spec = held.get(resource.address, {})
            if resolve(spec, pointer) is not MISSING:
                held[resource.address] = _put(spec, split(pointer), resolve(resource.spec, pointer))
    return held


def _put(spec: Mapping[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    step, *below = path
    return {**spec, step: _put(spec[step], tuple(below), value) if below else value}
