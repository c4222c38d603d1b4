"""The normal form, one rule at a time."""

from __future__ import annotations

from typing import Any

import pytest

from policysync.kinds.field import Field, field_of
from policysync.kinds.load import load_kinds
from policysync.pointer import MISSING
from policysync.secret import Secret
from policysync.state.normalize import (
    Side,
    canonical,
    desired_spec,
    digest,
    item_key,
    live_spec,
    new_spec,
    normalizer,
    says,
)

POLICY = load_kinds()["ImageAssurancePolicy"]
TEXT = {"type": "string"}
LIST = {"type": "array", "items": TEXT}
SET = {**LIST, "x-set": True}
KEYED = {"type": "array", "x-key": "name", "items": {"type": "object", "properties": {"name": TEXT, "n": {}}}}


def field(schema: dict[str, Any]) -> Field:
    return field_of(schema, "Any")


def live(schema: dict[str, Any], value: Any) -> Any:
    return normalizer(field(schema), Side.LIVE)(value)


@pytest.mark.parametrize(
    ("schema", "value", "normal"),
    [
        (TEXT, None, MISSING),
        (TEXT, "", MISSING),
        ({**TEXT, "default": "x"}, "", "x"),
        ({**TEXT, "default": "ALERT", "x-normalize": "case"}, None, "alert"),
        ({**TEXT, "default": "x", "x-empty": ["none"]}, "none", "x"),
        ({**TEXT, "default": "x", "x-normalize": "lines"}, "\n", "x"),
        ({"type": "integer", "default": 30, "x-empty": [0]}, 0, 30),
        ({"type": "integer", "default": 30, "x-empty": [0]}, False, False),
        ({"type": "number"}, 7.0, 7),
        ({"type": "number"}, 7.5, 7.5),
        ({"type": "number"}, 1e300, 1e300),
        (SET, ["b", "a", "b"], ["a", "b"]),
        ({"type": "array", "items": {}, "x-set": True}, [2, 1.0, True, 1], [1, 2, True]),
        (SET, ["", ""], [""]),
        ({**SET, "x-empty": [[""]], "default": []}, ["", ""], []),
        ({**SET, "default": ["b", "a"]}, [], ["a", "b"]),
        (LIST, ["b", "", None, "a"], ["b", "", None, "a"]),
        (LIST, "not a list", "not a list"),
        (KEYED, [{"name": "b"}, {"name": "a"}], [{"name": "a"}, {"name": "b"}]),
        ({**KEYED, "x-set": True}, [{"name": "a"}, {"name": "a"}], [{"name": "a"}]),
        (KEYED, [{"name": "a"}, {"name": "a"}], [{"name": "a"}, {"name": "a"}]),
        ({**KEYED, "x-exclude": {"n": 1}, "default": []}, [{"name": "a", "n": 1}], []),
        ({"type": "array", "prefixItems": [{}, {}], "default": [0, 10]}, [], [0, 10]),
        ({"type": "array", "prefixItems": [{}, {}], "default": [0, 10]}, [5.0, 7.0, 1], [5, 7, 1]),
        ({"additionalProperties": TEXT, "default": {"a": "b"}}, None, {"a": "b"}),
        ({"type": "object"}, {"b": 1.0, "a": [2.0]}, {"a": [2], "b": 1}),
        ({"properties": {"a": {**TEXT, "default": "x"}}}, None, {"a": "x"}),
        ({"properties": {"a": TEXT}}, 7, 7),
    ],
)
def test_a_live_value(schema: dict[str, Any], value: Any, normal: Any) -> None:
    found = live(schema, value)
    assert found is MISSING if normal is MISSING else canonical(found) == canonical(normal)


@pytest.mark.parametrize("value", [[], ""])
def test_git_can_empty_what_has_no_default(value: Any) -> None:
    schema = {"properties": {"x": LIST if value == [] else TEXT}}
    assert normalizer(field(schema), Side.STATED)({"x": value}) == {"x": value}


def test_git_says_only_what_it_says() -> None:
    spec = {"name": "web", "maximum_score": 7.0, "description": None, "author": "ann", "id": 3, "newer": 1}
    assert desired_spec(POLICY, spec) == {"maximum_score": 7, "name": "web"}


def test_live_says_everything_the_schema_knows_and_nothing_of_the_servers() -> None:
    spec = live_spec(POLICY, {"name": "web", "author": "ann", "lastupdate": "now", "newer": 1, "cves_black_list": None})
    assert spec["cves_black_list"] == []
    assert spec["application_scopes"] == ["Global"]
    assert spec["policy_settings"]["warn"] is False
    assert not {"author", "lastupdate", "id", "newer"} & spec.keys()


def test_a_new_object_gets_initial_values_and_leaves_to_the_server_what_it_fills_in() -> None:
    spec = new_spec(POLICY, {"name": "web", "block_failed": None, "fail_cicd": False})
    assert (spec["block_failed"], spec["fail_cicd"], spec["enabled"]) == (True, False, True)
    assert "auto_scan_time" not in spec
    assert "docker_cis_enabled" not in spec


def test_nothing_mutable_is_shared() -> None:
    one, other = live_spec(POLICY, {}), live_spec(POLICY, {})
    one["cves_black_list"].append("x")
    one["policy_settings"]["warn"] = True
    assert other == live_spec(POLICY, {})


@pytest.mark.parametrize(("value", "inside"), [("pw", "pw"), (1234, "1234"), ({"a": "b"}, '{"a":"b"}')])
def test_a_sensitive_value_is_hidden_whatever_it_is(value: Any, inside: str) -> None:
    assert live({**TEXT, "x-sensitive": True}, value) == Secret(inside)


@pytest.mark.parametrize(
    ("a", "b"),
    [(True, 1), (False, 0), (1, 1.5), ("1", 1), (None, ""), ([], {}), ([1, 2], [2, 1]), (Secret("a"), Secret("b"))],
)
def test_what_differs_is_spelt_differently(a: Any, b: Any) -> None:
    assert canonical([a]) != canonical([b])


def test_the_order_of_members_is_not_spelt() -> None:
    assert canonical({"b": 1, "a": 2}) == canonical({"a": 2, "b": 1}) == b'{"a":2,"b":1}'


@pytest.mark.parametrize("value", [10**30, "\ud800", {"a": [10**30, Secret("x")]}])
def test_everything_json_can_hold_is_spelt(value: Any) -> None:
    assert canonical(value) == canonical(value)
    assert len(digest(value)) == 64


def test_only_json_is_spelt() -> None:
    with pytest.raises(TypeError):
        canonical({1, 2})


def test_a_secret_is_spelt_as_its_salted_digest() -> None:
    assert canonical(Secret("a"), "s") == canonical({"$digest": Secret("a").digest("s")})
    assert digest(Secret("a"), "s") != digest(Secret("a"), "t")


def test_keys_of_different_types_differ() -> None:
    keyed = field({**KEYED, "x-key": ["name", "n"]})
    keys = {item_key(keyed, {"name": "a", "n": n}) for n in (1, "1", True, None)}
    assert len(keys) == 4
    assert item_key(keyed, {"name": "a"}) == item_key(keyed, {"name": "a", "n": ""})
    assert item_key(keyed, "a") == item_key(keyed, "a")


@pytest.mark.parametrize(
    ("value", "stated", "said"),
    [
        ({"a": 1, "b": 2}, {"a": 1}, True),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 1}}, True),
        ([{"a": 1, "b": 2}], [{"a": 1}], True),
        ([{"a": 1}, {}], [{"a": 1}], False),
        ({"a": 1}, {"a": True}, False),
    ],
)
def test_a_value_may_hold_more_than_is_stated(value: Any, stated: Any, said: bool) -> None:
    assert says(value, stated) is said
