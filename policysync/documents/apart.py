"""Resources that cannot be in one stage together, by what their kind says under `x-kind.apart`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any

from policysync.documents.branches import field_at
from policysync.documents.finding import Finding
from policysync.documents.stage import Draft
from policysync.documents.together import Found, Together
from policysync.kinds.kind import Kind
from policysync.kinds.load import Kinds
from policysync.pointer import MISSING, resolve, split


def kinds_apart(kinds: Kinds, asked: Set[str], present: Set[str]) -> frozenset[str]:
    """Return the kinds that have rules with some of those asked about, themselves included.

    Most kinds have none, so a schema is read only when its file says the word.
    """
    found = set[str]()
    for name in kinds.mentioning('"apart"', present):
        others = {rule["of"] for rule in _rules(kinds[name])}
        if name in asked or others & asked:
            found |= {name} | others
    return frozenset(found)


def too_close(together: Together) -> Iterator[Found]:
    """Yield a finding for each draft that another one has no place beside. Of several of one kind, the first is let.

    Of a part, one of the two is always a document in question.
    """
    part = together.part
    drafts = together.drafts if part is None else together.of_kinds(part.apart)
    by_kind: dict[str, list[Draft]] = {}
    for draft in drafts:
        by_kind.setdefault(draft.kind.name, []).append(draft)
    for name, mine in by_kind.items():
        for rule in _rules(mine[0].kind):
            for draft, held in _broken(rule, mine, by_kind.get(rule["of"], []), own=rule["of"] == name):
                if part is None or part.has(draft) or part.has(held):
                    message = f"{held.address} ({held.where}) {rule['message']}"
                    yield draft, Finding(split(_pointers(rule)[-1]), message, rule["code"])


def _rules(kind: Kind) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = kind.schema.get("x-kind", {}).get("apart", ())
    return found


def _broken(
    rule: Mapping[str, Any], mine: Sequence[Draft], others: Sequence[Draft], *, own: bool
) -> Iterator[tuple[Draft, Draft]]:
    """Yield each draft with the one it has no place beside."""
    if "overlap" in rule:
        yield from _overlapping(rule["overlap"], mine, others)
        return
    first: dict[str, Draft] = {}
    for other in others:
        first.setdefault(_values(other, rule["same"]), other)
    for draft in mine:
        held = first.get(values) if (values := _values(draft, rule["same"])) else None
        if held is not None and not (own and held is draft):
            yield draft, held


def _pointers(rule: Mapping[str, Any]) -> Sequence[str]:
    return [rule["overlap"]] if "overlap" in rule else rule["same"]


def _overlapping(pointer: str, mine: Sequence[Draft], others: Sequence[Draft]) -> Iterator[tuple[Draft, Draft]]:
    """Yield each draft whose host begins with `*` and ends like that of another one, which is not the same host."""
    hosts = [(other, str(_value(other, pointer))) for other in others]
    for draft in mine:
        host = str(_value(draft, pointer))
        taken = (other for other, known in hosts if host[:1] == "*" and known != host and known.endswith(host[1:]))
        if (other := next(taken, None)) is not None:
            yield draft, other


def _values(draft: Draft, pointers: Sequence[str]) -> str:
    """Return what stands at some places, as one text; empty where something is not said."""
    found = [_value(draft, pointer) for pointer in pointers]
    return "" if MISSING in found else repr(found)


def _value(draft: Draft, pointer: str) -> Any:
    said = resolve(draft.spec, pointer)
    field = field_at(draft.kind.root, split(pointer))
    if said is MISSING:
        return said if field is None else field.default
    return said.lower() if isinstance(said, str) and field and field.normalizer == "case" else said
