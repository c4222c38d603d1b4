"""Resources that say different things about the same objects of a cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import Any

from policysync.documents.finding import Finding
from policysync.documents.section import shown
from policysync.documents.stage import Draft
from policysync.documents.together import Found, Together
from policysync.kinds.kind import Kind


def clashes(together: Together) -> Iterator[Found]:
    """Yield a warning for each pair of a kind that selects the same and differs where its schema says it matters."""
    by_kind: dict[str, list[Draft]] = {}
    for draft in together.drafts:
        if draft.kind.schema["x-kind"].get("clash"):
            by_kind.setdefault(draft.kind.name, []).append(draft)
    for same in by_kind.values():
        rule = same[0].kind.schema["x-kind"]["clash"]
        for one, other in combinations(same, 2):
            if all(_meet(one.spec.get(name), other.spec.get(name)) for name in rule["where"]):
                yield from _differences(one, other, rule["differ"])


def _differences(one: Draft, other: Draft, members: list[str]) -> Iterator[Found]:
    for name in members:
        here, there = _value(one.kind, one.spec, name), _value(other.kind, other.spec, name)
        if here != there:
            message = (
                f"{other.address} ({other.where}) selects the same with {name} {shown(there)}, and here it is"
                f" {shown(here)}; which of the two holds is up to the engine: narrow one of them"
            )
            yield one, Finding((name,) if name in one.spec else (), message, "clash", warning=True)


def _value(kind: Kind, spec: Mapping[str, Any], name: str) -> Any:
    return spec.get(name, kind.root.properties[name].default)


def _meet(one: Any, other: Any) -> bool:
    """Return whether two selectors surely have something in common; what is not selected by is everything."""
    if not isinstance(one, Mapping) or not isinstance(other, Mapping):
        return True
    if one.get("any") is True or other.get("any") is True:
        return True
    return one.keys() == other.keys() and all(_share(one[name], other[name]) for name in one)


def _share(one: Any, other: Any) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return any(item in other for item in one)
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.items() <= other.items() or other.items() <= one.items()
    return bool(one == other)
