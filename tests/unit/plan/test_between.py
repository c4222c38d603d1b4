from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policysync.kinds.field import field_of
from policysync.kinds.kind import Builtin, Kind
from policysync.plan.between import State, between, flipped
from policysync.plan.change import Action, Posture
from policysync.pointer import MISSING
from policysync.secret import Secret
from policysync.state.normalize import canonical, desired_spec, live_spec
from policysync.state.resource import Address, Resource

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "on": {"type": "boolean", "default": False, "x-stricter": True},
        "note": {"type": "string"},
        "score": {"type": "number", "default": 10, "x-stricter": "lower"},
        "hosts": {"type": "array", "items": {"type": "string"}, "x-set": True, "default": []},
        "rules": {
            "type": "array",
            "x-key": "id",
            "items": {"type": "object", "properties": {"id": {"type": "string"}, "note": {"type": "string"}}},
        },
        "tags": {"type": "object", "additionalProperties": {"type": "string"}},
        "password": {"type": "string", "x-sensitive": True, "x-write-only": True, "default": ""},
        "deep": {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer", "default": 1}}},
    },
}
THING = Kind(
    "Thing",
    ("aqua",),
    ("name",),
    "Thing",
    (Builtin("Default"),),
    {},
    "",
    "",
    field_of(SCHEMA, "Thing"),
    {},
    SCHEMA,
    "",
    "",
)
KINDS = {"Thing": THING}


def thing(name: str, **spec: Any) -> Resource:
    return Resource(Address("Thing", name), desired_spec(THING, {"name": name, **spec}))


def live(name: str, **body: Any) -> Resource:
    return Resource(Address("Thing", name), live_spec(THING, {"name": name, **body}))


def git(*resources: Resource) -> State:
    return State(resources)


def console(*resources: Resource) -> State:
    return State(resources, live=True)


words = st.sampled_from(["", "a", "b"])
specs = st.fixed_dictionaries(
    {},
    optional={
        "on": st.booleans(),
        "note": words,
        "score": st.sampled_from([0, 5, 10, 10.0]),
        "hosts": st.lists(words, max_size=3),
        "rules": st.lists(
            st.fixed_dictionaries({"id": words}, optional={"note": words}),
            max_size=3,
            unique_by=lambda rule: rule["id"],
        ),
        "tags": st.dictionaries(words, st.sampled_from(["a", "b"]), max_size=2),
        "password": st.sampled_from(["one", "two"]).map(lambda word: Secret(word, f"${{env:{word}}}")),
        "deep": st.fixed_dictionaries({}, optional={"a": st.integers(0, 1), "b": st.integers(0, 1)}),
    },
)
states = st.dictionaries(st.sampled_from(["x", "y", "z"]), specs, max_size=3)


def state(found: dict[str, dict[str, Any]]) -> State:
    return git(*(thing(name, **spec) for name, spec in found.items()))


@settings(deadline=None)
@given(states)
def test_a_state_is_like_itself(found: dict[str, Any]) -> None:
    assert between(state(found), state(found), KINDS).changes == ()


@settings(max_examples=300, deadline=None)
@given(specs, specs)
def test_nothing_is_overlooked(was: dict[str, Any], now: dict[str, Any]) -> None:
    before, after = thing("x", **was), thing("x", **now)
    whole = [canonical(_without_empty(live_spec(THING, side.spec))) for side in (before, after)]
    assert bool(between(git(before), git(after), KINDS).changes) is (whole[0] != whole[1])


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: kept for name, below in value.items() if (kept := _without_empty(below)) not in ("", [], {})}
    return value


@settings(deadline=None)
@given(states, states)
def test_the_way_back_is_the_way_there_flipped(was: dict[str, Any], now: dict[str, Any]) -> None:
    there = between(state(was), state(now), KINDS).changes
    back = between(state(now), state(was), KINDS).changes
    assert [(change.address, change.action) for change in map(flipped, there)] == [
        (change.address, change.action) for change in back
    ]
    for one, other in zip(map(flipped, there), back, strict=True):
        assert [(e.path, repr(e.before), repr(e.after)) for e in one.edits if other.edits] == [
            (e.path, repr(e.before), repr(e.after)) for e in other.edits if one.edits
        ] or one.action is not Action.UPDATE


def test_what_git_leaves_unsaid_is_the_default() -> None:
    assert between(git(thing("x")), git(thing("x", on=False, score=10)), KINDS).changes == ()
    (change,) = between(git(thing("x")), git(thing("x", on=True)), KINDS).changes
    assert (change.action, change.posture) == (Action.UPDATE, Posture.STRICTER)
    assert [(edit.path, edit.before, edit.after) for edit in change.edits] == [(("on",), False, True)]


def test_a_member_that_only_the_first_side_has_is_taken_away() -> None:
    (change,) = between(git(thing("x", note="a")), git(thing("x")), KINDS).changes
    (edit,) = change.edits
    assert (edit.path, edit.before, edit.after) == (("note",), "a", MISSING)


def test_added_and_removed_resources() -> None:
    plan = between(git(thing("a")), git(thing("b", on=True)), KINDS, ("from", "to"))
    assert (plan.stage, plan.target) == ("from", "to")
    assert [change.id for change in plan.changes] == ["delete:Thing/a", "create:Thing/b"]
    assert plan.changes[0].after is None
    assert plan.changes[1].before is None


def test_git_against_live_is_about_what_git_states() -> None:
    there = between(console(live("x", on=True, note="n"), live("other")), git(thing("x", on=False)), KINDS)
    assert [edit.path for change in there.changes for edit in change.edits] == [("on",)]
    assert there.changes[0].posture is Posture.LOOSER
    assert there.unmanaged == (Address("Thing", "other"),)
    back = between(git(thing("x", on=False), thing("gone")), console(live("x", on=True, note="n")), KINDS)
    assert [change.id for change in back.changes] == ["delete:Thing/gone", "update:Thing/x"]
    assert back.changes[1].posture is Posture.STRICTER
    assert back.changes[1].edits[0].after is True


def test_two_consoles_are_compared_whole() -> None:
    plan = between(console(live("x", note="a"), live("Default")), console(live("x", note="b")), KINDS)
    assert [change.id for change in plan.changes] == ["delete:Thing/Default", "update:Thing/x"]


@pytest.mark.parametrize(("was", "now", "differs"), [("one", "one", False), ("one", "two", True), ("", "two", True)])
def test_secrets_are_compared_by_what_they_are(was: str, now: str, differs: bool) -> None:
    before, after = (thing("x", **({"password": Secret(value)} if value else {})) for value in (was, now))
    plan = between(git(before), git(after), KINDS)
    assert bool(plan.changes) is differs
    assert "two" not in repr(plan)
