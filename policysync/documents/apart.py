"""Resources that cannot be in one stage together, by what their kind says under `x-kind.apart`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from policysync.documents.branches import field_at
from policysync.documents.finding import Finding
from policysync.documents.stage import Draft
from policysync.pointer import MISSING, resolve, split


def too_close(drafts: Sequence[Draft]) -> Iterator[tuple[Draft, Finding]]:
    """Yield a finding for each draft that another one has no place beside. Of several of one kind, the first is let."""
    by_kind: dict[str, list[Draft]] = {}
    for draft in drafts:
        by_kind.setdefault(draft.kind.name, []).append(draft)
    for name, mine in by_kind.items():
        for rule in mine[0].kind.schema.get("x-kind", {}).get("apart", ()):
            yield from _broken(rule, mine, by_kind.get(rule["of"], []), own=rule["of"] == name)


def _broken(
    rule: Mapping[str, Any], mine: Sequence[Draft], others: Sequence[Draft], *, own: bool
) -> Iterator[tuple[Draft, Finding]]:
    first: dict[str, Draft] = {}
    for other in others:
        first.setdefault(_values(other, rule["same"]), other)
    for draft in mine:
        held = first.get(values) if (values := _values(draft, rule["same"])) else None
        if held is not None and not (own and held is draft):
            message = f"{held.address} ({held.where}) {rule['message']}"
            yield draft, Finding(split(rule["same"][-1]), message, rule["code"])


def _values(draft: Draft, pointers: Sequence[str]) -> str:
    """Return what stands at some places, as one text; empty where something is not said."""
    found = [_value(draft, pointer) for pointer in pointers]
    return "" if MISSING in found else repr(found)


def _value(draft: Draft, pointer: str) -> Any:
    said = resolve(draft.spec, pointer)
    field = field_at(draft.kind.root, split(pointer))
    return said if said is not MISSING or field is None else field.default
