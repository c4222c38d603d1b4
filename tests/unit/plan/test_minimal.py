from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policysync.kinds.field import Field, field_of
from policysync.kinds.kind import Kind
from policysync.kinds.load import load_kinds
from policysync.plan.diff import diff
from policysync.plan.minimal import stated
from policysync.pointer import MISSING
from policysync.state.normalize import canonical, desired_spec, live_spec, new_spec

# Where the key is the server's own, git has no way to name an object.
KINDS = {
    name: kind
    for name, kind in load_kinds().items()
    if kind.key and all(kind.root.properties[member].compared for member in kind.key)
}
WORDS = st.sampled_from(["", "a", "b", "web", "Global", "1-9", "v1"])


def values(field: Field) -> st.SearchStrategy[Any]:
    """Return values a console might answer with, secrets left out."""
    if field.sensitive:
        return st.just("")
    if field.properties:
        return bodies(field)
    if field.values is not None:
        return st.dictionaries(WORDS, values(field.values), max_size=2)
    if "array" in field.types:
        return st.lists(values(field.each or Field()), max_size=3)
    plain: list[st.SearchStrategy[Any]] = []
    if "boolean" in field.types:
        plain.append(st.booleans())
    if field.types & {"integer", "number"}:
        plain.append(st.integers(0, 5))
    if not plain or "string" in field.types:
        known = [word for word in field.known if isinstance(word, str)]
        plain.append(st.sampled_from(known) if known else WORDS)
    defaults = [st.just(value) for value in (field.default, field.initial) if value is not MISSING]
    return st.one_of(*plain, *defaults)


def bodies(field: Field) -> st.SearchStrategy[dict[str, Any]]:
    always = {name: st.just(below.stated) for name, below in field.properties.items() if below.stated is not MISSING}
    members = {name: values(below) for name, below in field.properties.items() if not below.write_only}
    return st.fixed_dictionaries(always, optional={name: members[name] for name in members if name not in always})


def bodies_of(kind: Kind) -> st.SearchStrategy[dict[str, Any]]:
    named = {member: st.just(f"the {member}") for member in kind.key}
    return st.builds(lambda body, names: {**body, **names}, bodies(kind.root), st.fixed_dictionaries(named))


def document(kind: Kind, live: Mapping[str, Any], *, full: bool = False) -> dict[str, Any]:
    """Return the spec as it is read from the document: one key is the name of the resource."""
    key = {kind.key[0]: live[kind.key[0]]} if len(kind.key) == 1 else {}
    return {**stated(kind, live, full=full).spec, **key}


def comparable(field: Field, value: Any) -> Any:
    """Return what has to be the same on a new object: what the server leaves to git, and what has an effect."""
    if isinstance(value, Mapping) and field.properties:
        return {
            name: comparable(below, value[name])
            for name, below in field.properties.items()
            if name in value and below.relevant and not below.write_only and has_effect(below, value)
        }
    if isinstance(value, Mapping) and field.each is not None:
        return {key: comparable(field.each, item) for key, item in value.items()}
    if isinstance(value, list | tuple) and field.each is not None:
        return [comparable(field.each, item) for item in value]
    return value


def has_effect(field: Field, beside: Mapping[str, Any]) -> bool:
    return not field.server_filled or all(beside.get(name) in values for name, values in field.applies_when.items())


@pytest.mark.parametrize("name", sorted(KINDS))
@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data(), full=st.booleans())
def test_git_then_agrees_with_live(name: str, data: st.DataObject, full: bool) -> None:
    kind = KINDS[name]
    live = live_spec(kind, data.draw(bodies_of(kind)))
    desired = desired_spec(kind, document(kind, live, full=full))
    assert diff(kind.root, desired, live, desired) == []


@pytest.mark.parametrize("name", sorted(KINDS))
@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_a_new_object_would_be_the_same(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    live = live_spec(kind, data.draw(bodies_of(kind)))
    new = live_spec(kind, new_spec(kind, desired_spec(kind, document(kind, live))))
    assert diff(kind.root, comparable(kind.root, live), comparable(kind.root, new)) == []


@pytest.mark.parametrize("name", sorted(KINDS))
@settings(max_examples=15, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_nothing_is_said_without_need(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    live = live_spec(kind, data.draw(bodies_of(kind)))
    told = document(kind, live)
    branches = [part.get(way, {}) for part in kind.schema.get("allOf", ()) for way in ("then", "else")]
    conditions = [word for branch in branches for word in branch.get("required", ())]
    for member in told.keys() - {*kind.key, *kind.schema.get("required", ()), *conditions}:
        without = {name: value for name, value in told.items() if name != member}
        assert canonical(new_spec(kind, without)) != canonical(new_spec(kind, told)), member


def small_kind(properties: dict[str, Any], required: tuple[str, ...] = (), **more: Any) -> Kind:
    schema = {"type": "object", "properties": {"name": {"type": "string"}, **properties}, "required": list(required)}
    schema |= more
    return Kind("Thing", ("aqua",), ("name",), "Thing", (), {}, "", "", field_of(schema, "Thing"), {}, schema, "", "")


def said(properties: dict[str, Any], live: dict[str, Any], *required: str, full: bool = False) -> Mapping[str, Any]:
    kind = small_kind(properties, required)
    return stated(kind, live_spec(kind, {"name": "n", **live}), full=full).spec


FLAG = {"type": "boolean", "default": False}
TEXT = {"type": "string", "default": ""}
SECRET = {**TEXT, "x-sensitive": True}


def test_the_name_is_left_to_the_metadata() -> None:
    assert said({}, {}) == {}


def test_a_default_is_left_out_and_anything_else_is_said() -> None:
    assert said({"on": FLAG, "off": FLAG}, {"on": True, "off": False}) == {"on": True}


def test_something_empty_is_not_said() -> None:
    fields = {"o": {"type": "object"}, "m": {"type": "object", "additionalProperties": TEXT}, "l": {"type": "array"}}
    assert said(fields, {"o": {}, "m": {}, "l": []}) == {}


def test_what_a_new_object_starts_with_is_what_counts() -> None:
    field = {"a": {**FLAG, "x-initial": True}}
    assert said(field, {"a": True}) == {}
    assert said(field, {"a": False}) == {"a": False}


def test_a_required_member_is_always_said() -> None:
    assert said({"a": FLAG, "b": FLAG}, {}, "a") == {"a": False}


def test_objects_are_said_in_part() -> None:
    field = {"o": {"type": "object", "properties": {"a": FLAG, "b": TEXT}}}
    assert said(field, {"o": {"a": True, "b": ""}}) == {"o": {"a": True}}
    assert said(field, {"o": {"a": False}}) == {}


def test_elements_keep_their_keys_and_what_is_required() -> None:
    item = {"type": "object", "properties": {"id": TEXT, "a": FLAG, "b": FLAG}, "required": ["b"]}
    field = {"l": {"type": "array", "items": item, "x-key": "id", "default": []}}
    assert said(field, {"l": [{"id": "x", "a": False, "b": False}]}) == {"l": [{"id": "x", "b": False}]}


def test_everything_is_said_when_asked_for() -> None:
    fields = {"b": FLAG, "a": TEXT, "gone": {**FLAG, "x-removed": "gone"}, "mine": {**TEXT, "x-read-only": True}}
    assert said(fields, {"mine": "x"}, full=True) == {"b": False, "a": ""}


def test_members_stand_in_the_order_of_the_schema() -> None:
    fields = {"z": FLAG, "a": FLAG, "m": FLAG}
    assert list(said(fields, dict.fromkeys(fields, True))) == ["z", "a", "m"]


@pytest.mark.parametrize("full", [False, True])
def test_secrets_are_named_and_never_said(full: bool) -> None:
    fields = {"password": SECRET, "hook": {"type": "object", "properties": {"token": SECRET, "url": TEXT}}}
    kind = small_kind({**fields, "empty": SECRET, "blind": {**SECRET, "x-write-only": True}})
    body = {"name": "n", "password": "canary-1", "hook": {"token": "canary-2", "url": "u"}, "empty": ""}
    told = stated(kind, live_spec(kind, body), full=full)
    assert told.secrets == (("password",), ("hook", "token"), ("blind",))
    assert "canary" not in str(told.spec)
    assert told.spec == {"hook": {"url": "u"}}


def test_a_list_with_a_secret_in_it_is_left_alone() -> None:
    item = {"type": "object", "properties": {"id": TEXT, "token": SECRET}}
    kind = small_kind({"l": {"type": "array", "items": item, "x-key": "id"}})
    told = stated(kind, live_spec(kind, {"name": "n", "l": [{"id": "x", "token": "canary"}]}))
    assert told.spec == {}
    assert told.secrets == (("l",),)


def test_a_condition_of_the_schema_is_kept() -> None:
    condition = {"if": {"properties": {"type": {"const": "file"}}}, "then": {"required": ["path"]}}
    kind = small_kind({"type": TEXT, "path": TEXT}, allOf=[condition])
    assert stated(kind, live_spec(kind, {"name": "n", "type": "file"})).spec == {"type": "file", "path": ""}
    assert stated(kind, live_spec(kind, {"name": "n", "type": "image"})).spec == {"type": "image"}


def test_a_condition_on_a_member_of_a_member_is_kept_and_its_other_branch() -> None:
    condition = {
        "if": {"properties": {"o": {"properties": {"type": {"enum": ["file", "folder"]}}, "required": ["type"]}}},
        "then": {"required": ["path"]},
        "else": {"required": ["image"]},
    }
    kind = small_kind(
        {"o": {"type": "object", "properties": {"type": TEXT}}, "path": TEXT, "image": TEXT}, allOf=[condition]
    )
    for type_, said_too in (("folder", "path"), ("layer", "image")):
        live = live_spec(kind, {"name": "n", "o": {"type": type_}})
        assert stated(kind, live).spec == {"o": {"type": type_}, said_too: ""}


def test_a_secret_is_a_reference_where_it_has_an_effect() -> None:
    kind = KINDS["LogManagement"]
    live = live_spec(kind, {"name": "Splunk", "enable": True, "url": "https://splunk"})
    found = stated(kind, live, reference=lambda path: f"${{env:{'_'.join(path)}}}")
    assert found.spec["token"] == "${env:token}"
    assert (found.supplied, found.secrets) == ((("token",),), ())


def test_what_the_type_of_the_object_around_decides_is_asked_for() -> None:
    kind = KINDS["Notification"]
    properties = {"url": "https://hook", "password": "", "token": ""}
    for type_, paths in (("slack", {"url"}), ("jira", {"url", "password", "token"}), ("email", {"password"})):
        values = properties if type_ != "email" else {"host": "smtp"}
        live = live_spec(kind, {"name": "n", "type": type_, "properties": values})
        found = stated(kind, live, reference=lambda path: f"${{env:{path[-1]}}}")
        assert {path[-1] for path in found.supplied} == paths
        assert stated(kind, live).secrets == found.supplied
