"""Values for any kind, derived from its fields: as git may state them, and as a console may answer them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from hypothesis import strategies as st

from policysync.kinds.field import Field
from policysync.kinds.kind import Kind
from policysync.kinds.load import Kinds, load_kinds
from policysync.pointer import MISSING

CANARY = "canary-3f9c"
KINDS: Kinds = load_kinds()
NAMES = sorted(KINDS)

_ODD = [
    "",
    " ",
    "a",
    "A",
    "b",
    "Global",
    "*",
    "é",
    "日本",
    "a/b",
    "~1",
    "#",
    "v1 && v2",
    "yes",
    "1",
    "0",
    "null",
    "\t",
    "x" * 130,
]
texts = st.one_of(st.sampled_from(_ODD), st.text(max_size=6))
numbers = st.one_of(st.integers(-3, 40), st.integers(0, 30).map(float), st.sampled_from([2.5, 0.1, 2**70]))
_FALLBACK = st.one_of(texts, numbers, st.booleans(), st.lists(texts, max_size=2))


def specs(kind: Kind) -> st.SearchStrategy[dict[str, Any]]:
    """Return specs as git may state them: only what git can say anything about, and always a name."""
    return _objects(kind.root, _keys(kind), git=True)


def bodies(kind: Kind) -> st.SearchStrategy[dict[str, Any]]:
    """Return bodies as a console may answer them: nulls, its own members, and such as no schema knows."""
    return _objects(kind.root, _keys(kind), git=False)


def _keys(kind: Kind) -> tuple[str, ...]:
    return kind.key if len(kind.key) == 1 else ()


@cache
def _objects(field: Field, named: tuple[str, ...] = (), *, git: bool) -> st.SearchStrategy[dict[str, Any]]:
    # What every document states is so in whatever was applied; what only documents say is in no spec that is compared.
    always = {name: st.just(below.stated) for name, below in field.properties.items() if below.stated is not MISSING}
    said = {name: below for name, below in field.properties.items() if below.held or not git}
    # A name of another member is sent in the place of git's own, so no schema lets it be empty.
    places = {f"/{name}" for name in named} if git else set()
    members = {
        name: values(below, git=git).filter(bool) if below.wire in places else values(below, git=git)
        for name, below in said.items()
    }
    keys = {**always, **{name: st.sampled_from(["one", "two", "three/3"]) for name in named}}
    some = st.lists(st.sampled_from(sorted(members)), max_size=8, unique=True) if members else st.just([])
    chosen = some.flatmap(lambda names: st.fixed_dictionaries({**{n: members[n] for n in names}, **keys}))
    if git:
        return chosen
    newer = st.dictionaries(st.sampled_from(["newer_a", "newer_b"]), _FALLBACK, max_size=2)
    return st.builds(lambda known, unknown: {**known, **unknown}, chosen, newer)


@cache
def values(field: Field, *, git: bool) -> st.SearchStrategy[Any]:
    """Return values of one field; a console may answer null for any."""
    value = _of_list(field, git=git) if _is_list(field) else _of_other(field, git=git)
    return value if git else st.one_of(value, st.none())


def _is_list(field: Field) -> bool:
    return field.each is not None or bool(field.positions) or "array" in field.types


def _of_list(field: Field, *, git: bool) -> st.SearchStrategy[Any]:
    if field.positions:
        return st.one_of(st.just([]), st.tuples(*(_of_other(at, git=git) for at in field.positions)).map(list))
    each = _of_other(field.each, git=git) if field.each is not None else texts
    empties = [list(value) for value in field.empty if isinstance(value, list)]
    return st.one_of(st.lists(each, max_size=3), st.sampled_from([[], *empties]))


def _of_other(field: Field, *, git: bool) -> st.SearchStrategy[Any]:
    if field.sensitive:
        return st.sampled_from([CANARY, CANARY + "-other", ""])
    if field.properties:
        return _objects(field, git=git)
    if field.values is not None:
        return st.dictionaries(texts, values(field.values, git=git), max_size=2)
    choices = [_BY_TYPE[name] for name in sorted(field.types) if name in _BY_TYPE] or [_FALLBACK]
    known = [value for value in (*field.known, field.default) if isinstance(value, str | int | float)]
    if isinstance(field.stricter, tuple):
        known += field.stricter
    return st.one_of(*choices, *([st.sampled_from(known)] if known else []))


_BY_TYPE: Mapping[str, st.SearchStrategy[Any]] = {
    "string": texts,
    "boolean": st.booleans(),
    "integer": numbers,
    "number": numbers,
    "object": st.dictionaries(texts, numbers, max_size=2),
}


def named(kind: Kind, spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return the key where another member has its place on the wire: then only the backend knows what git calls it."""
    taken = {field.wire for field in kind.root.properties.values()}
    return {name: spec[name] for name in kind.key if name in spec and f"/{name}" in taken}


def shuffled(field: Field, value: Any, seed: Any) -> Any:
    """Return the same value written otherwise: sets and keyed lists in another order and with repeats, numbers as
    floats, nothing as null. `seed` is a `random.Random`."""
    if isinstance(value, dict) and field.properties:
        again = {name: shuffled(field.properties.get(name, Field()), below, seed) for name, below in value.items()}
        return dict(seed.sample(sorted(again.items(), key=lambda pair: pair[0]), len(again)))
    if isinstance(value, list) and (field.unordered or field.key):
        each = field.each or Field()
        items = [shuffled(each, item, seed) for item in value]
        if field.unordered and items and value not in field.empty:
            items.append(items[0])
        seed.shuffle(items)
        return items
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53:
        return float(value)
    return value
