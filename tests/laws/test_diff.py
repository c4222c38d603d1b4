"""Laws of the difference: nothing is shown that is not one, and nothing is missed."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest
from deepdiff import DeepDiff
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from laws.strategies import KINDS, NAMES, bodies, named, shuffled, specs

from policysync.kinds.field import Field
from policysync.kinds.kind import Kind, walk
from policysync.plan.change import Cause
from policysync.plan.diff import diff
from policysync.state.normalize import canonical, desired_spec, live_spec
from policysync.state.wire import from_wire, to_wire

some = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
every_kind = pytest.mark.parametrize("name", NAMES)
PLAIN = [name for name in NAMES if not any(f.key or f.values or f.write_only for f in walk(KINDS[name].root))]


def answered(kind: Kind, desired: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a new object, as git has its members where the wire has them elsewhere."""
    body = to_wire(kind, desired)
    moved = any(field.wire for field in walk(kind.root))
    return {**from_wire(kind, body).spec, **named(kind, desired)} if moved else body


@every_kind
@some
@given(data=st.data(), seed=st.randoms(use_true_random=False))
def test_a_shuffled_answer_is_no_edit(name: str, data: st.DataObject, seed: random.Random) -> None:
    kind = KINDS[name]
    desired = desired_spec(kind, data.draw(specs(kind)))
    body = shuffled(kind.root, answered(kind, desired), seed)
    assert diff(kind.root, desired, live_spec(kind, body), desired) == []


@every_kind
@some
@given(data=st.data())
def test_nothing_in_any_spelling_is_no_edit(name: str, data: st.DataObject) -> None:
    """A member at its default, in the answer: left out, null, or one of the empty values its field has."""
    kind = KINDS[name]
    desired = desired_spec(kind, data.draw(specs(kind)))
    body = answered(kind, desired)
    for member, below in kind.root.properties.items():
        if member in body and _is_default(below, body[member]) and member not in kind.key:
            spellings = [None, *below.empty, *_empties(below)]
            body[member] = data.draw(st.sampled_from(spellings), label=member)
    assert diff(kind.root, desired, live_spec(kind, body), desired) == []


def _is_default(field: Field, value: Any) -> bool:
    return canonical(value) == canonical(field.default) if isinstance(field.default, list | str) else False


def _empties(field: Field) -> list[Any]:
    return [[]] if "array" in field.types else [""]


@pytest.mark.parametrize("name", PLAIN)
@some
@given(data=st.data())
def test_deepdiff_sees_the_same(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    a, b = (live_spec(kind, data.draw(st.one_of(bodies(kind), specs(kind)))) for _ in range(2))
    ours = diff(kind.root, a, b)
    # Members without a default are in one and not in the other; stating nothing is no edit.
    theirs = DeepDiff(within(a, b), a, ignore_order=False, report_repetition=True, threshold_to_diff_deeper=0)
    assert bool(ours) == bool(theirs), theirs


def within(stated: Any, value: Any) -> Any:
    """Return of a value what is stated about it; an object that is not there is one without members."""
    if not isinstance(stated, dict):
        return value
    return {n: within(below, value.get(n) if isinstance(value, dict) else None) for n, below in stated.items()}


@every_kind
@some
@given(data=st.data())
def test_the_cause_says_who_moved(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    desired = desired_spec(kind, data.draw(specs(kind)))
    live = live_spec(kind, data.draw(bodies(kind)))
    written_only = {n for n, f in kind.root.properties.items() if f.write_only}
    assert {e.cause for e in diff(kind.root, desired, live, desired)} <= {Cause.DRIFT}
    assert {e.cause for e in diff(kind.root, desired, live) if e.path[0] not in written_only} <= {Cause.PENDING}
    assert {e.cause for e in diff(kind.root, desired, live, live) if e.path[0] not in written_only} <= {Cause.PENDING}
