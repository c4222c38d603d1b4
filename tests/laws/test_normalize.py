"""Laws of the normal form, for every kind there is."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from laws.strategies import KINDS, NAMES, bodies, named, shuffled, specs, texts

from policysync.plan.diff import diff
from policysync.state.normalize import Side, canonical, desired_spec, new_spec, normalizer
from policysync.state.wire import from_wire, to_wire

some = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
every_kind = pytest.mark.parametrize("name", NAMES)


@every_kind
@some
@given(data=st.data(), side=st.sampled_from(Side))
def test_normalizing_twice_is_normalizing_once(name: str, data: st.DataObject, side: Side) -> None:
    kind = KINDS[name]
    once = normalizer(kind.root, side)(data.draw(st.one_of(specs(kind), bodies(kind))))
    assert canonical(normalizer(kind.root, side)(once)) == canonical(once)


@every_kind
@some
@given(data=st.data(), seed=st.randoms(use_true_random=False))
def test_what_is_only_written_otherwise_is_the_same(name: str, data: st.DataObject, seed: random.Random) -> None:
    kind = KINDS[name]
    spec = data.draw(specs(kind))
    assert canonical(desired_spec(kind, shuffled(kind.root, spec, seed))) == canonical(desired_spec(kind, spec))


@every_kind
@some
@given(data=st.data())
def test_what_a_new_object_is_sent_reads_back_as_desired(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    desired = desired_spec(kind, data.draw(specs(kind)))
    body = to_wire(kind, desired)
    live = {**from_wire(kind, body).spec, **named(kind, desired)}
    assert diff(kind.root, desired, live, desired) == []
    assert diff(kind.root, new_spec(kind, desired), live, new_spec(kind, desired)) == []


@every_kind
@some
@given(data=st.data())
def test_laying_desired_over_live_leaves_nothing_to_do(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    desired = desired_spec(kind, data.draw(specs(kind)))
    body = data.draw(bodies(kind))
    after = {**from_wire(kind, to_wire(kind, desired, raw=body)).spec, **named(kind, desired)}
    assert diff(kind.root, desired, after, desired) == []


@every_kind
@some
@given(data=st.data())
def test_what_a_console_answers_is_already_so(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    body = data.draw(bodies(kind))
    live = from_wire(kind, body).spec
    again = from_wire(kind, to_wire(kind, {}, raw=body)).spec
    assert diff(kind.root, live, again, live) == []
    desired = desired_spec(kind, live)
    assert diff(kind.root, desired, live, desired) == []


@every_kind
@some
@given(data=st.data())
def test_what_the_schema_does_not_know_travels_along(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    body = data.draw(bodies(kind))
    sent = to_wire(kind, desired_spec(kind, data.draw(specs(kind))), raw=body)
    assert _newer(sent) == _newer(body)
    for member, below in kind.root.properties.items():
        if below.properties and below.compared and not below.wire and isinstance(body.get(member), dict):
            assert _newer(sent[member]) == _newer(body[member])


def _newer(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name.startswith("newer_")}


values_of_json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=8,
)


@given(values_of_json, values_of_json)
def test_two_values_are_spelt_alike_only_when_they_are_the_same(a: Any, b: Any) -> None:
    assert (canonical(a) == canonical(b)) == (_typed(a) == _typed(b))


def _typed(value: Any) -> Any:
    """Return a value in which 1, 1.0 and true differ."""
    if isinstance(value, dict):
        return {name: _typed(below) for name, below in value.items()}
    if isinstance(value, list):
        return [_typed(item) for item in value]
    return type(value).__name__, repr(value)
