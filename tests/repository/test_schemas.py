"""Every schema file is itself a test case: it has the form of a kind, and its annotations make sense together."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from policysync.documents.branches import field_at
from policysync.kinds.annotations import ON_FIELD, ON_ROOT
from policysync.kinds.field import Field
from policysync.kinds.load import builtin_schemas, load_kind, load_kinds
from policysync.pointer import split

SCHEMAS = builtin_schemas()
META_FILE = SCHEMAS / "annotations.json"
FILES = sorted(path for path in SCHEMAS.rglob("*.json") if path != META_FILE)
KIND_FILES = [path for path in FILES if path.parent.name != "common"]
PARTS = [path for path in FILES if path.parent.name == "common"]
KINDS = load_kinds()
CALLED = sorted(name for name, kind in KINDS.items() if "aqua" in kind.backends and not kind.manual)


def name_of(file: Path) -> str:
    return file.relative_to(SCHEMAS).as_posix()


@cache
def read(file: Path) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return schema


@cache
def meta() -> Draft202012Validator:
    return Draft202012Validator(read(META_FILE))


@cache
def as_published(file: Path) -> Draft202012Validator:
    """Return the validator an editor makes of the files as they are, references followed between them."""
    published: Registry[Any] = Registry().with_resources(
        (f"file:///{name_of(path)}", DRAFT202012.create_resource(read(path))) for path in FILES
    )
    return Draft202012Validator({"$ref": f"file:///{name_of(file)}"}, registry=published)


def nodes(schema: Any, at: str = "") -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
    """Yield every field of a resolved schema, with its place and the schema it is a member of."""
    for name, field in schema.get("properties", {}).items():
        yield f"{at}/{name}", field, schema
        yield from nodes(field, f"{at}/{name}")
        for inside in (field.get("items"), field.get("additionalProperties")):
            if isinstance(inside, Mapping):
                yield f"{at}/{name}[]", inside, schema
                yield from nodes(inside, f"{at}/{name}[]")


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_file_has_the_form_of_a_kind_or_of_a_shared_part(file: Path) -> None:
    assert [f"{error.json_path}: {error.message}" for error in meta().iter_errors(read(file))] == []
    assert ("x-kind" in read(file)) == (file in KIND_FILES)


@pytest.mark.parametrize("file", KIND_FILES, ids=name_of)
def test_a_kind_loads_and_compiles_without_any_reference_left(file: Path) -> None:
    kind = load_kind(file)
    Draft202012Validator.check_schema(dict(kind.schema))
    jsonschema_rs.Draft202012Validator(dict(kind.schema))
    assert '"$ref"' not in json.dumps(kind.schema)
    assert kind.schema["additionalProperties"] is False


def test_the_meta_schema_is_one_and_has_the_vocabulary_of_the_engine() -> None:
    Draft202012Validator.check_schema(read(META_FILE))
    node = read(META_FILE)["$defs"]["node"]["then"]
    field = read(META_FILE)["$defs"]["field"]["properties"]
    assert set(node["propertyNames"]["then"]["enum"]) == ON_FIELD | ON_ROOT
    assert {name for name in node["properties"] if name.startswith("x-")} == ON_FIELD
    assert set(field) == ON_ROOT
    assert not any(field.values())


@pytest.mark.parametrize(
    "field",
    [
        {"type": "string", "x-sensitve": True},
        {"type": "object", "properties": {"inner": {"x-kind": {"name": "Inner", "backend": "aqua", "key": "a"}}}},
        {"type": "array", "items": {"x-api": {}}},
        {"type": "string", "x-set": True},
        {"type": "array", "x-sensitive": True},
        {"type": "string", "x-stricter": "higher"},
        {"type": "integer", "x-stricter": "superset"},
        {"type": "string", "x-stricter": "up"},
        {"type": "string", "x-stricter": ["only"]},
        {"type": "string", "x-empty": "all"},
        {"type": "array", "x-empty": []},
        {"type": "string", "x-normalize": "trim"},
        {"type": "string", "x-confidence": "certain"},
        {"type": "string", "x-confidence": {"type": "sure"}},
        {"type": "string", "x-ref": "application_scope"},
        {"type": "boolean", "x-read-only": False},
        {"type": "string", "x-server-filled": {"default": 1}},
        {"type": "string", "x-removed": "gone"},
        {"type": "string", "x-wire": "spec"},
        {"type": "string", "x-ref": {"kind": "Label"}},
        {"type": "array", "x-computed": {"sorted": "name"}},
        {"type": "array", "x-computed": {"added": "a", "removed": "b"}},
        {"type": "string", "x-without": "name"},
        {"type": "string", "x-applies-when": {"type": "HUB"}},
        {"type": "string", "x-required-on": "update"},
        {"type": "string", "x-echo": False},
        {"type": "string", "x-alias-of": ""},
        {"type": "string", "x-declared": False},
        {"type": "text"},
    ],
    ids=json.dumps,
)
def test_the_meta_schema_refuses_a_mistake(field: dict[str, Any]) -> None:
    good = read(SCHEMAS / "aqua" / "label.json")
    assert meta().is_valid(good)
    assert not meta().is_valid({**good, "properties": {**good["properties"], "mistake": field}})


@pytest.mark.parametrize(
    "root",
    [
        {"x-kind": {"name": "Label", "backend": "aqua"}},
        {"x-kind": {"name": "label", "backend": "aqua", "key": "name"}},
        {"x-kind": {"name": "Label", "backend": "aqua", "key": "name", "builtins": [{}]}},
        {"x-kind": {"name": "Label", "backend": "aqua", "key": []}},
        {"x-kind": {"name": "Label", "backend": "aqua", "key": "name", "singleton": True}},
        {"x-kind": {"name": "Label", "backend": "aqua", "key": "name", "slots": []}},
        {"x-kind": {"name": "Label", "backend": "aqua", "key": "name", "edition": "cloud"}},
        {"x-kind": {"name": "Label", "backend": "aqua", "key": "name", "namespace": "target"}},
        {"x-kind": {"name": "Label", "backend": "aqua", "key": "name", "expands": {"each": "names", "kind": "Label"}}},
        {"x-api": {**read(SCHEMAS / "aqua" / "label.json")["x-api"], "list": {"method": "GET"}}},
        {"x-api": {**read(SCHEMAS / "aqua" / "label.json")["x-api"], "retries": 3}},
    ],
    ids=json.dumps,
)
def test_the_meta_schema_refuses_a_root_that_says_too_little_or_too_much(root: dict[str, Any]) -> None:
    assert not meta().is_valid({**read(SCHEMAS / "aqua" / "label.json"), **root})


@pytest.mark.parametrize("name", sorted(KINDS))
def test_what_annotations_name_exists(name: str) -> None:
    kind = KINDS[name]
    assert kind.refs <= set(KINDS), "x-ref names a kind without a schema"
    assert set(kind.key) <= set(kind.root.properties)
    for at, field, parent in nodes(kind.schema):
        siblings = parent["properties"]
        gate = field.get("x-gated-by")
        assert gate is None or siblings[gate]["type"] == "boolean", at
        lookup = field.get("x-env-specific", True)
        assert lookup is True or (lookup in siblings and "x-ref" in field), at
        members = field.get("items", {}).get("properties", {})
        assert set(_names(field.get("x-key", ()))) | set(field.get("x-exclude", {})) <= set(members), at
        assert set(field.get("x-applies-to", ())) <= set(KINDS), at
        reference = field.get("x-ref", "")
        assert not isinstance(reference, Mapping) or reference["with"] in siblings, at
        assert {*field.get("x-computed", {}).values(), field.get("x-without", at)} <= {*siblings, at}, at
        assert all(n in siblings or n.startswith("../") for n in field.get("x-applies-when", {})), at
        whole = siblings.get(field.get("x-alias-of", ""), field)
        assert [whole.get(word) for word in _SHAPE] == [field.get(word) for word in _SHAPE], at


_SHAPE = ("type", "properties", "additionalProperties", "items", "x-idle", "x-set", "x-key")


def test_words_about_whole_specs_stand_at_the_root_only() -> None:
    for name in KINDS:
        for at, field, _ in nodes(KINDS[name].schema):
            assert at.count("/") == 1 or not field.keys() & {"x-alias-of", "x-declared", "x-stated"}, f"{name}{at}"


@pytest.mark.parametrize("name", [name for name in sorted(KINDS) if KINDS[name].expands or KINDS[name].namespace])
def test_what_a_kind_says_of_its_documents_exists(name: str) -> None:
    kind = KINDS[name]
    expands = kind.expands
    pointers = [
        kind.namespace,
        *kind.binds,
        *(expands.when if expands else ()),
        *(expands.spec.values() if expands else ()),
    ]
    assert all(field_at(kind.root, split(pointer)) for pointer in pointers if pointer)
    assert expands is None or set(expands.spec) <= set(KINDS[expands.kind].root.properties)
    assert expands is None or kind.root.properties[expands.each].declared


@pytest.mark.parametrize("name", sorted(KINDS))
def test_values_in_annotations_are_values_of_the_field(name: str) -> None:
    for at, field, _ in nodes(KINDS[name].schema):
        plain = Draft202012Validator({**field, "required": []})
        for word in ("default", "x-initial", "x-stated"):
            assert word not in field or plain.is_valid(field[word]), f"{at} {word}"
        if isinstance(field.get("x-server-filled"), Mapping):
            assert plain.is_valid(field["x-server-filled"]["value"]), at
        if isinstance(field.get("x-stricter"), list):
            assert set(field["x-stricter"]) <= {*field.get("x-known", ()), *field.get("enum", ())}, at
        assert field.get("default", "") in ["", *field.get("x-known", [field.get("default", "")])], at


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_secret_is_never_part_of_a_list_that_is_compared_as_a_whole(name: str) -> None:
    for at, field, _ in nodes(KINDS[name].schema):
        if field.get("x-set") and "x-key" not in field:
            assert not any("x-sensitive" in below for _, below, _ in nodes(field.get("items", {}))), at


@pytest.mark.parametrize("name", CALLED)
def test_calls_fit_together(name: str) -> None:
    api = KINDS[name].api
    for operation in ("create", "update", "delete"):
        call = api[operation]
        assert call is None or call["canonical"] in call["success"], operation
    for call in (*api.get("then", ()), *(part["update"] for part in api.get("parts", {}).values())):
        assert call["canonical"] in call["success"]
    if "id" in api:
        assert api["id"] in KINDS[name].root.properties
        # An empty id in the path of one object would reach the whole collection.
        assert all(api[operation] is None or _says_which(api[operation]) for operation in ("get", "update", "delete"))
    listing = api["list"] or {"path": ""}
    assert "{id}" not in listing["path"]
    assert set(listing.get("rename", {}).values()) <= set(KINDS[name].root.properties)
    assert listing.get("map", KINDS[name].key[:1] or "") in {*KINDS[name].root.properties, *[KINDS[name].key[:1] or ""]}


def _says_which(call: dict[str, Any]) -> bool:
    """Whether a call says which object it is about: in its path, or in its body."""
    return call["path"].endswith("/{id}") or (
        call["method"] == "PUT" or call.get("body") in ("keys", {"wrap": "issues"})
    )


@pytest.mark.parametrize("name", CALLED)
def test_a_kind_has_the_calls_of_its_sort(name: str) -> None:
    kind = KINDS[name]
    calls = {call for call in ("list", "get", "create", "update", "delete") if kind.api[call]}
    if kind.api.get("parts"):
        assert kind.singleton
        assert not calls
        assert set(kind.api["parts"]) == set(kind.root.properties) == set(kind.parts_of)
    elif kind.singleton:
        assert calls == ({"get"} if kind.read_only else {"get", "update"})
    elif kind.read_only:
        assert calls <= {"list", "get"}
        assert all(not field.compared for field in kind.root.properties.values())
    else:
        assert {"list", "create", "delete"} <= calls
    if kind.slots:
        assert "{id}" in kind.api["create"]["path"]
        assert "const" in kind.api["delete"]["body"]


@pytest.mark.parametrize("name", CALLED)
def test_members_of_bodies_are_members_of_the_kind(name: str) -> None:
    kind, members = KINDS[name], set(KINDS[name].root.properties)
    for operation in ("create", "update", "delete"):
        form = (kind.api[operation] or {}).get("body")
        if isinstance(form, dict):
            assert set(form.get("only", ())) | set(form.get("const", ())) <= members, operation
    for follow in kind.api.get("then", ()):
        assert set(follow.get("when-changed", ())) | set(follow.get("for-each", {}).values()) <= members
        assert follow.get("of", name) in KINDS
    for part, call in kind.api.get("parts", {}).items():
        assert set(call["only"]) == set(kind.root.properties[part].properties)
        assert set(call["only"]) <= set(KINDS[kind.parts_of[part]].root.properties)


@pytest.mark.parametrize(
    ("suffix", "sub_types", "own"),
    [
        ("assurance_policy", {"image", "host", "function", "kubernetes", "cf_application"}, "assurance_type"),
        ("runtime_policy", {"container", "host", "function"}, "runtime_type"),
    ],
)
def test_sub_types_share_one_part(suffix: str, sub_types: set[str], own: str) -> None:
    shared = read(SCHEMAS / "aqua" / "common" / f"{suffix}.json")["properties"]
    assert {path.stem for path in KIND_FILES if path.match(f"aqua/*{suffix}.json")} == {
        f"{t}_{suffix}" for t in sub_types
    }
    for sub_type in sub_types:
        file = read(SCHEMAS / "aqua" / f"{sub_type}_{suffix}.json")
        assert file["$ref"] == f"common/{suffix}.json"
        assert file["unevaluatedProperties"] is False
        assert file["properties"][own] | {"const": sub_type, "default": sub_type} == file["properties"][own]
        assert set(file["properties"]) - {own} <= set(shared)


def test_every_shared_part_is_used() -> None:
    used = {(path.parent / ref.partition("#")[0]).resolve() for path in FILES for ref in _refs(read(path))}
    assert {path.resolve() for path in PARTS} <= used


@pytest.mark.parametrize("file", KIND_FILES, ids=name_of)
def test_the_files_as_published_agree_with_what_the_engine_resolves(file: Path) -> None:
    kind = load_kind(file)
    resolved = Draft202012Validator(dict(kind.schema))
    examples: list[dict[str, Any]] = [
        {},
        {"no_such_member": 1},
        *({n: _wrong(f)} for n, f in kind.root.properties.items()),
    ]
    for example in examples:
        assert as_published(file).is_valid(example) == resolved.is_valid(example), example
    assert not resolved.is_valid({"no_such_member": 1})


def _names(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _wrong(field: Field) -> Any:
    return "text" if "string" not in field.types else 1


def _refs(schema: Any) -> Iterator[str]:
    if isinstance(schema, Mapping):
        for name, value in schema.items():
            if name == "$ref":
                yield value
            yield from _refs(value)
    if isinstance(schema, list):
        for item in schema:
            yield from _refs(item)
