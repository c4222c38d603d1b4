"""Every direction, in a table."""

from __future__ import annotations

from typing import Any

import pytest

from policysync.kinds.field import Field, field_of
from policysync.kinds.load import load_kinds
from policysync.plan.change import Action, Edit, Posture
from policysync.plan.diff import diff
from policysync.plan.posture import posture_of, posture_of_change, posture_of_element, together
from policysync.pointer import MISSING
from policysync.state.normalize import desired_spec, live_spec

S, L, M, N = Posture.STRICTER, Posture.LOOSER, Posture.MIXED, Posture.NEUTRAL
KINDS = load_kinds()
SUPERSET = {"type": "array", "x-stricter": "superset", "default": []}
SUBSET = {"type": "array", "x-stricter": "subset", "default": []}
LOWER = {"type": "integer", "x-stricter": "lower", "default": 0}
LEVELS = {"type": "string", "x-stricter": ["high", "medium", "low"], "default": ""}
RULES = {
    "type": "array",
    "items": {"type": "object", "properties": {"allow": {"type": "boolean", "default": False, "x-stricter": False}}},
}

TABLE: list[tuple[dict[str, Any], Any, Any, Posture]] = [
    ({"x-stricter": True}, False, True, S),
    ({"x-stricter": True}, True, False, L),
    ({"x-stricter": True, "default": True}, MISSING, False, L),
    ({"x-stricter": False}, False, True, L),
    ({"x-stricter": False}, True, False, S),
    (LOWER, 7, 5, S),
    (LOWER, 5, 7, L),
    (LOWER, 5, 5.0, N),
    (LOWER, 5, "x", N),
    (LOWER, True, 5, N),
    ({**LOWER, "x-unlimited": 0}, 0, 30, S),
    ({**LOWER, "x-unlimited": 0}, 30, 0, L),
    ({**LOWER, "x-unlimited": 0}, 30, 60, L),
    ({"x-stricter": "higher"}, 5, 7, S),
    ({"x-stricter": "higher"}, 7, 5, L),
    (SUPERSET, [], ["a"], S),
    (SUPERSET, ["a"], [], L),
    (SUPERSET, ["a", "b"], ["b", "c"], M),
    (SUPERSET, ["a", "b"], ["b", "a", "a"], N),
    (SUBSET, [], ["a"], L),
    (SUBSET, ["a", "b"], ["a"], S),
    ({**SUPERSET, "x-empty": "all"}, [], ["a"], L),
    ({**SUPERSET, "x-empty": "all"}, ["a"], ["a", "b"], S),
    ({**SUPERSET, "x-empty": "all"}, ["a"], [], S),
    ({**SUPERSET, "x-empty": "all"}, MISSING, ["a"], S),
    ({**SUBSET, "x-empty": "all"}, [], ["a"], S),
    ({**SUBSET, "x-empty": "all"}, ["a"], ["a", "b"], L),
    ({**SUPERSET, "x-unlimited": "Global"}, ["Global"], ["payments"], L),
    ({**SUPERSET, "x-unlimited": "Global"}, ["payments"], ["Global"], S),
    ({**SUPERSET, "x-unlimited": "Global"}, ["Global"], ["Global", "payments"], N),
    ({**SUPERSET, "x-unlimited": "Global"}, ["a"], ["b"], M),
    ({**SUBSET, "x-unlimited": "Global"}, ["Global"], ["payments"], S),
    (LEVELS, "high", "low", S),
    (LEVELS, "low", "medium", L),
    (LEVELS, "", "low", N),
    (LEVELS, "unheard of", "low", N),
    ({"type": "string"}, "a", "b", N),
    (RULES, [{"allow": True}], [{"allow": False}], S),
    (RULES, [], [{"allow": True}], L),
    (RULES, [{"allow": True}], [], S),
    (RULES, [{"allow": False}, {"allow": True}], [{"allow": True}, {"allow": False}], N),
]


@pytest.mark.parametrize(("schema", "before", "after", "posture"), TABLE)
def test_a_direction_decides(schema: dict[str, Any], before: Any, after: Any, posture: Posture) -> None:
    assert posture_of(field_of(schema, "Any"), before, after) is posture


@pytest.mark.parametrize(("stricter", "added"), [("superset", S), ("subset", L), (None, N)])
def test_an_element_that_comes_or_goes_follows_its_list(stricter: str | None, added: Posture) -> None:
    opposite = {S: L, L: S, N: N}[added]
    assert posture_of_element(Field(stricter=stricter), MISSING, {"name": "x"}) is added
    assert posture_of_element(Field(stricter=stricter), {"name": "x"}, MISSING) is opposite


@pytest.mark.parametrize(
    ("several", "posture"), [([], N), ([N, S], S), ([L, N, L], L), ([S, L], M), ([M, S], M), ([M], M)]
)
def test_several_edits_together(several: list[Posture], posture: Posture) -> None:
    assert together(several) is posture


@pytest.mark.parametrize(
    ("action", "root", "edits", "posture"),
    [
        (Action.UPDATE, None, [S, L], M),
        (Action.CREATE, None, [S, L], S),
        (Action.DELETE, None, [S, L], L),
        (Action.CREATE, None, [L], L),
        (Action.DELETE, None, [], N),
        (Action.CREATE, False, [S], L),
        (Action.DELETE, False, [], S),
        (Action.UPDATE, False, [S], S),
    ],
)
def test_a_whole_change(action: Action, root: bool | None, edits: list[Posture], posture: Posture) -> None:
    assert posture_of_change(action, Field(stricter=root), [Edit(("x",), posture=p) for p in edits]) is posture


def _policy(before: dict[str, Any], after: dict[str, Any], name: str = "ImageAssurancePolicy") -> dict[str, Posture]:
    kind = KINDS[name]
    edits = diff(kind.root, desired_spec(kind, after), live_spec(kind, before))
    return {".".join(edit.path): edit.posture for edit in edits}


REAL: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, Posture]]] = [
    (
        "ImageAssurancePolicy",
        {"maximum_score_enabled": True, "maximum_score": 7},
        {"maximum_score": 5},
        {"maximum_score": S},
    ),
    ("ImageAssurancePolicy", {"maximum_score": 7}, {"maximum_score": 5}, {"maximum_score": N}),
    (
        "ImageAssurancePolicy",
        {"maximum_score_enabled": True, "maximum_score": 7},
        {"maximum_score_enabled": False, "maximum_score": 9},
        {"maximum_score_enabled": L, "maximum_score": N},
    ),
    (
        "ImageAssurancePolicy",
        {"maximum_score_enabled": True, "vulnerability_score_range": [2, 8]},
        {"vulnerability_score_range": [0, 9.0]},
        {"vulnerability_score_range.0": S, "vulnerability_score_range.1": S},
    ),
    ("ImageAssurancePolicy", {}, {"application_scopes": ["payments"]}, {"application_scopes": L}),
    ("ImageAssurancePolicy", {"enforce_after_days": 30}, {"enforce_after_days": 0}, {"enforce_after_days": L}),
    ("ImageAssurancePolicy", {}, {"docker_cis_enabled": True}, {"docker_cis_enabled": N}),
    ("HostAssurancePolicy", {}, {"docker_cis_enabled": True}, {"docker_cis_enabled": S}),
    (
        "ContainerRuntimePolicy",
        {"allowed_registries": {"enabled": True}},
        {"allowed_registries": {"allowed_registries": ["Docker Hub"]}},
        {"allowed_registries.allowed_registries": S},
    ),
    (
        "ContainerRuntimePolicy",
        {"allowed_registries": {"enabled": False}},
        {"allowed_registries": {"allowed_registries": ["Docker Hub"]}},
        {"allowed_registries.allowed_registries": N},
    ),
    ("Role", {"scopes": ["Global"]}, {"scopes": ["payments"]}, {"scopes": S}),
    ("Acknowledge", {"expiration_days": 30}, {"expiration_days": 0}, {"expiration_days": L}),
    ("SuppressionRule", {"enable": False}, {"enable": True}, {"enable": L}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "before", "after", "postures"), REAL)
def test_real_fields(name: str, before: dict[str, Any], after: dict[str, Any], postures: dict[str, Posture]) -> None:
    assert _policy(before, after, name) == postures


def test_an_edit_behind_a_switch_that_is_off_is_marked() -> None:
    kind = KINDS["ImageAssurancePolicy"]
    (edit,) = diff(kind.root, {"maximum_score": 5}, live_spec(kind, {"maximum_score": 7}))
    assert edit.gated


def test_a_value_that_comes_with_its_switch_leaves_the_posture_to_the_switch() -> None:
    edits = _policy({}, {"maximum_score_enabled": True, "maximum_score": 7}, "ImageAssurancePolicy")
    assert edits == {"maximum_score_enabled": S, "maximum_score": N}


COUNTED: dict[str, Any] = {
    "properties": {
        "mode": {"type": "string", "default": "off"},
        "limit": {**LOWER, "x-applies-when": {"mode": ["strict", "strictest"]}},
        "deep": {
            "type": "object",
            "properties": {"allowed": {**SUBSET, "x-applies-when": {"../mode": ["strict"]}, "items": {}}},
        },
    }
}


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        ("strict", "strict", (L, False)),
        ("strict", "strictest", (L, False)),
        ("off", "strict", (L, False)),
        ("strict", "off", (L, False)),
        ("off", "off", (N, True)),
        ("off", "other", (N, True)),
    ],
)
def test_a_field_that_does_not_count_beside_the_others_is_neither_stricter_nor_looser(
    was: str, now: str, expected: tuple[Posture, bool]
) -> None:
    live = {"mode": was, "limit": 5, "deep": {"allowed": []}}
    edits = {edit.path: edit for edit in diff(field_of(COUNTED, "Thing"), {**live, "mode": now, "limit": 7}, live)}
    edit = edits["limit",]
    assert (edit.posture, edit.gated) == expected
    unsaid = {name: value for name, value in live.items() if name != "mode"}
    (edit,) = (e for e in diff(field_of(COUNTED, "Thing"), {**unsaid, "limit": 7}, live))
    assert edit.gated is (was == "off")


@pytest.mark.parametrize(("mode", "expected"), [("strict", L), ("off", N)])
def test_a_member_of_the_object_around_it_can_decide_that(mode: str, expected: Posture) -> None:
    live = {"mode": mode, "deep": {"allowed": []}}
    (edit,) = diff(field_of(COUNTED, "Thing"), {"mode": mode, "deep": {"allowed": ["a"]}}, live)
    assert (edit.path, edit.posture) == (("deep", "allowed"), expected)
