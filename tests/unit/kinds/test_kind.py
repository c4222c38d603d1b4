"""What a kind answers about names, built-in objects and references."""

from __future__ import annotations

from typing import Any

import pytest

from policysync.kinds.field import field_of
from policysync.kinds.kind import Builtin, Kind, walk


def kind(schema: dict[str, Any] | None = None, **changes: Any) -> Kind:
    about: dict[str, Any] = {
        "name": "Widget",
        "backends": ("aqua",),
        "key": ("name",),
        "scope": "Widget",
        "builtins": (),
        "exclude": {},
        "title": "Widget",
        "description": "",
        "root": field_of(schema or {}, "Widget"),
        "api": {},
        "schema": schema or {},
        "file": "widget.json",
        "digest": "",
    }
    return Kind(**{**about, **changes})


def test_the_name_is_the_member_that_is_the_key() -> None:
    assert kind().name_of({"name": "Default", "id": 7}) == "Default"
    assert kind(key=("id",)).name_of({"name": "Default", "id": 7}) == "7"


@pytest.mark.parametrize("spec", [{}, {"name": ""}, {"name": None}])
def test_without_its_key_an_object_has_no_name(spec: dict[str, Any]) -> None:
    assert kind().name_of(spec) == ""


def test_several_members_make_one_name_each_in_its_own_place() -> None:
    finding = kind(key=("issue", "package", "path"))
    assert finding.name_of({"issue": "CVE-1", "package": "gzip", "path": ""}) == "CVE-1/gzip"
    assert finding.name_of({"issue": "CVE-1", "path": "/bin/gzip"}) == "CVE-1//~1bin~1gzip"
    assert finding.name_of({"issue": "CVE-1", "path": "gzip"}) == "CVE-1//gzip"
    assert finding.name_of({"issue": "CVE-1", "package": "bin/gzip"}) == "CVE-1/bin~1gzip"
    assert finding.name_of({}) == ""


def test_a_builtin_is_known_by_its_name() -> None:
    default = Builtin("Default", editable=False, confidence="likely")
    assert kind(builtins=(default,)).builtin("Default") is default
    assert kind(builtins=(default,)).builtin("default") is None
    assert kind().builtin("Default") is None


def test_a_builtin_is_known_by_its_values_when_they_are_known() -> None:
    shipped = Builtin(match={"read_only": True, "kind": "image"})
    scripts = kind(builtins=(shipped,))
    assert scripts.builtin("any", {"read_only": True, "kind": "image", "name": "any"}) is shipped
    assert scripts.builtin("any", {"read_only": True}) is None
    assert scripts.builtin("any") is None
    assert scripts.builtin("") is None


def test_references_are_found_at_any_depth() -> None:
    schema = {
        "properties": {
            "scopes": {"type": "array", "items": {"type": "string", "x-ref": "Scope"}},
            "images": {"type": "array", "items": {"properties": {"registry": {"x-ref": ["Registry", "Mirror"]}}}},
            "pair": {"type": "array", "prefixItems": [{}, {"x-ref": "Label"}]},
            "rights": {"type": "object", "additionalProperties": {"x-ref": "Role"}},
        }
    }
    assert kind(schema).refs == {"Scope", "Registry", "Mirror", "Label", "Role"}
    assert kind().refs == frozenset()


def test_walking_yields_the_field_itself_first_and_each_below_it_once() -> None:
    root = field_of(
        {"properties": {"a": {"properties": {"b": {}}}, "c": {"items": {"properties": {"d": {}}}}}}, "Widget"
    )
    names = [field.name for field in walk(root)]
    assert names[0] == ""
    assert sorted(filter(None, names)) == ["a", "b", "c", "d"]
    assert len({id(field) for field in walk(root)}) == len(names)


def test_what_there_is_one_of_has_a_name_of_its_own() -> None:
    only = kind(key=(), singleton=True)
    assert only.name_of({}) == only.name_of({"name": "x"}) == "settings"


def test_the_names_of_a_map_are_references_too() -> None:
    schema = {"properties": {"map": {"type": "object", "x-ref-keys": "Role", "additionalProperties": {}}}}
    assert kind(schema).refs == {"Role"}
