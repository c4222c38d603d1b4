"""What differs, and how it is told."""

from __future__ import annotations

from typing import Any

import pytest
from unit.plan.small import NAMES

from policysync.kinds.field import Field, field_of
from policysync.kinds.load import load_kinds
from policysync.plan.change import Cause, Posture
from policysync.plan.diff import diff, released
from policysync.pointer import MISSING
from policysync.secret import Secret
from policysync.state.normalize import Side, live_spec, normalizer

KINDS = load_kinds()
ITEM = {"type": "object", "properties": {"name": {"type": "string"}, "on": {"type": "boolean", "default": False},
        "filled": {"type": "string", "default": "", "x-server-filled": True}}}  # fmt: skip
KEYED = {"type": "array", "default": [], "x-key": "name", "items": ITEM}
SET = {"type": "array", "default": [], "x-set": True, "items": ITEM}
ORDERED = {"type": "array", "default": [], "items": ITEM}
LABELS = {"type": "object", "default": {}, "additionalProperties": {"type": "string"}}


def root(**properties: dict[str, Any]) -> Field:
    return field_of({"type": "object", "properties": properties}, "Any")


def edits(field: Field, git: Any, console: Any, last: Any = MISSING) -> list[tuple[str, Any, Any, Cause]]:
    """Return the edits of two objects that are written in any form."""
    desired, applied = (normalizer(field, Side.STATED)(side) if side is not MISSING else side for side in (git, last))
    found = diff(field, desired, normalizer(field, Side.LIVE)(console), applied)
    return [("/".join(edit.path), edit.before, edit.after, edit.cause) for edit in found]


PHANTOMS: list[tuple[dict[str, Any], Any, Any]] = [
    (NAMES, ["a", "b"], ["b", "a", "a"]),
    (NAMES, [], None),
    (NAMES, [], ""),
    ({**NAMES, "x-empty": [[""]]}, [], [""]),
    ({**NAMES, "x-empty": [[""]]}, [""], None),
    ({"type": "array", "items": {"type": "string"}}, [], None),
    ({"type": "string"}, "", None),
    ({"type": "string", "default": ""}, "", None),
    ({"type": "string", "default": "1.0"}, "", "1.0"),
    ({"type": "integer", "default": 30, "x-empty": [0]}, 0, 30),
    ({"type": "number", "default": 0}, 7, 7.0),
    ({"type": "string", "x-normalize": "case"}, "Alert", "alert"),
    ({"type": "string", "x-normalize": "lines"}, "a\nb", "a\r\nb\r\n"),
    ({"type": "string", "x-normalize": "port-range"}, "80", "80-80"),
    (KEYED, [{"name": "a"}, {"name": "b"}], [{"name": "b", "on": False}, {"name": "a", "filled": "x"}]),
    (KEYED, [{"name": "a"}, {"name": "a", "on": True}], [{"name": "a", "on": True, "filled": "z"}, {"name": "a"}]),
    ({**KEYED, "x-set": True}, [{"name": "a"}], [{"name": "a"}, {"name": "a"}]),
    (SET, [{"name": "a"}, {"name": "b"}], [{"name": "b"}, {"name": "a", "filled": "x"}]),
    (ORDERED, [{"name": "a"}], [{"name": "a", "on": None, "filled": "x"}]),
    ({**ORDERED, "x-exclude": {"filled": "own"}}, [{"name": "a"}], [{"name": "s", "filled": "own"}, {"name": "a"}]),
    (LABELS, {}, None),
    (LABELS, {"a": ""}, {"a": ""}),
    ({"type": "object"}, {"a": [1, {"b": 2}]}, {"a": [1.0, {"b": 2.0}]}),
    ({"type": "string", "x-read-only": True}, "a", "b"),
    ({"type": "string", "x-volatile": True}, "a", "b"),
    ({"type": "integer", "x-env-specific": True}, 1, 2),
]


@pytest.mark.parametrize(("field", "git", "console"), PHANTOMS)
def test_the_same_in_another_spelling_is_no_edit(field: dict[str, Any], git: Any, console: Any) -> None:
    assert edits(root(x=field), {"x": git}, {"x": console}) == []
    if console is None:
        assert edits(root(x=field), {"x": git}, {}) == []


P, D, C = Cause.PENDING, Cause.DRIFT, Cause.CONFLICT
EDITS: list[tuple[dict[str, Any], Any, Any, list[tuple[str, Any, Any, Cause]]]] = [
    ({"type": "integer"}, 1, True, [("x", True, 1, P)]),
    ({"type": "string"}, "", "a", [("x", "a", "", P)]),
    ({"type": "array", "items": {"type": "string"}}, [], ["a"], [("x", ["a"], [], P)]),
    ({"type": "array", "items": {"type": "string"}}, ["a", "b"], ["b", "a"], [("x", ["b", "a"], ["a", "b"], P)]),
    (NAMES, ["a", ""], ["a"], [("x", ["a"], ["", "a"], P)]),
    (KEYED, [{"name": "a", "on": True}], [{"name": "a"}], [("x/name=a/on", False, True, P)]),
    (KEYED, [], [{"name": "a"}], [("x/name=a", {"filled": "", "name": "a", "on": False}, MISSING, P)]),
    (ORDERED, [{"name": "a"}], [{"name": "b"}], [("x/0/name", "b", "a", P)]),
    (LABELS, {"a": "1", "b": "2"}, {"b": "3", "c": "4"},
     [("x/a", MISSING, "1", P), ("x/b", "3", "2", P), ("x/c", "4", MISSING, P)]),
]  # fmt: skip


@pytest.mark.parametrize(("field", "git", "console", "found"), EDITS)
def test_what_differs_is_told_by_its_path(
    field: dict[str, Any], git: Any, console: Any, found: list[tuple[str, Any, Any, Cause]]
) -> None:
    assert edits(root(x=field), {"x": git}, {"x": console}) == found


@pytest.mark.parametrize(
    ("git", "console", "last", "cause"),
    [
        (["a"], ["a", "b"], ["a"], D),
        (["a", "b"], ["a"], ["a", "b"], D),
        (["a"], ["a", "b"], ["a", "b"], P),
        (["a", "b"], ["a"], ["a"], P),
    ],
    ids=["added by hand", "taken away by hand", "taken away in git", "added in git"],
)
@pytest.mark.parametrize("of", ["elements", "free names"])
def test_an_element_says_who_moved_it(
    git: list[str], console: list[str], last: list[str], cause: Cause, of: str
) -> None:
    def written(names: list[str]) -> dict[str, Any]:
        return {"x": [{"name": n} for n in names] if of == "elements" else dict.fromkeys(names, "v")}

    found = edits(root(x=KEYED if of == "elements" else LABELS), *map(written, (git, console, last)))
    assert [edit[3] for edit in found] == [cause]


def test_what_is_put_into_an_object_without_a_form_was_put_there_by_somebody() -> None:
    field = root(affinity={"type": "object", "default": {}})
    found = edits(field, {"affinity": {}}, {"affinity": {"a": 1}}, {"affinity": {}})
    assert found == [("affinity", {"a": 1}, {}, Cause.DRIFT)]


def test_only_what_git_states_is_compared() -> None:
    assert edits(root(x=NAMES, y=NAMES), {"x": []}, {"y": ["a"], "newer": 1}) == []


def test_an_element_without_any_key_still_has_a_name() -> None:
    keyed = {**KEYED, "x-key": ["name", "on"]}
    assert edits(root(x=keyed), {"x": [{"on": True}]}, {})[0][0] == "x/on=True"
    assert edits(root(x=KEYED), {"x": [{}]}, {})[0][0] == "x/name="


def test_a_secret_is_compared_and_never_shown() -> None:
    field = root(x={"type": "string", "x-sensitive": True})
    assert edits(field, {"x": "hunter2"}, {"x": "hunter2"}) == []
    found = edits(field, {"x": "hunter2"}, {"x": "hunter3"})
    assert found == [("x", Secret("hunter3"), Secret("hunter2"), P)]
    assert "hunter" not in repr(found)


def test_a_write_only_value_shows_that_it_was_another() -> None:
    field = root(x={"type": "string", "x-sensitive": True, "x-write-only": True})
    last = {"x": {"$digest": Secret("old").digest("s")}}
    (edit,) = diff(field, {"x": Secret("new")}, {}, last, "s")
    assert (edit.before, edit.after, edit.cause) == (last["x"], Secret("new"), P)
    assert diff(field, {"x": Secret("old")}, {}, last, "s") == []


def test_a_field_its_kind_does_not_use_has_no_posture() -> None:
    field = root(x={"type": "boolean", "x-stricter": True, "x-applies-to": ["Other"]})
    (edit,) = diff(field, {"x": True}, {"x": False})
    assert (edit.gated, edit.posture) == (True, Posture.NEUTRAL)


def test_what_is_stated_no_more_is_released_but_a_map_is_stated_whole() -> None:
    field = root(x=NAMES, inner={"type": "object", "properties": {"y": NAMES}}, labels=LABELS)
    last = {"x": ["a"], "inner": {"y": ["b"]}, "labels": {"a": "1"}}
    assert list(released(field, {"inner": {}, "labels": {}}, last)) == [("x",), ("inner", "y")]
    assert list(released(field, last, last)) == []


@pytest.mark.parametrize("name", sorted(KINDS))
def test_nothing_differs_from_itself(name: str) -> None:
    spec = live_spec(KINDS[name], {})
    assert diff(KINDS[name].root, spec, spec, spec) == []
