"""Which target a resource belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policysync.documents.project import Target
from policysync.kinds.kind import Kind
from policysync.pointer import MISSING, resolve
from policysync.state.resource import Resource

SERVES: Mapping[str, frozenset[str]] = {
    "aqua": frozenset({"aqua"}),
    "kubernetes": frozenset({"kubernetes", "helm"}),
    "helm": frozenset({"helm"}),
    "cloudformation": frozenset({"cloudformation"}),
    "apono": frozenset({"apono"}),
    "skyhigh": frozenset({"skyhigh"}),
    "files": frozenset({"helm", "kubernetes", "cloudformation", "files"}),
}
"""The backends of kinds that a target of each backend serves. One that is not here serves every kind."""


def serves(target: Target, kind: Kind) -> bool:
    """Return whether a target may hold resources of a kind."""
    served = SERVES.get(target.backend)
    return served is None or not served.isdisjoint(kind.backends)


def belongs(target: Target, kind: Kind, resource: Resource) -> bool:
    """Return whether git means a target by what it says of a resource."""
    if resource.targets and target.name not in resource.targets:
        return False
    asked = resource.bound.items()
    return holds(target, kind, resource.spec) and all(_agrees(v, target.options.get(option)) for option, v in asked)


def holds(target: Target, kind: Kind, spec: Mapping[str, Any]) -> bool:
    """Return whether a target serves what the spec describes, and is the one the spec names."""
    served = SERVES.get(target.backend)
    if served is not None and kind.backend_of(spec) not in served:
        return False
    return all(_agrees(resolve(spec, pointer), target.options.get(option)) for pointer, option in kind.binds.items())


def _agrees(stated: Any, option: Any) -> bool:
    return stated is MISSING or option is None or stated == option
