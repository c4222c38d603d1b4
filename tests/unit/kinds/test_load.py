"""Schema files → kinds: files are found by name, references are resolved, and mistakes name the file."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from policysync.errors import InvalidInput
from policysync.kinds.load import Kinds, builtin_schemas, file_stem, kind_name, load_kind, load_kinds

ABOUT = {"name": "Widget", "backend": "aqua", "key": "name"}
WIDGET: dict[str, Any] = {
    "x-kind": ABOUT,
    "type": "object",
    "properties": {"name": {"type": "string"}},
    "additionalProperties": False,
}


def write(folder: Path, files: dict[str, Any]) -> Path:
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return folder


def refusal(folder: Path, name: str = "widget.json") -> tuple[str, str, str]:
    """Return code, pointer and message of the only problem of a file."""
    with pytest.raises(InvalidInput) as caught:
        load_kind(folder / name)
    (problem,) = caught.value.problems
    assert problem.where.file == str(folder / name)
    return problem.code, problem.pointer, problem.message


@pytest.mark.parametrize(
    ("stem", "name"),
    [("label", "Label"), ("host_runtime_policy", "HostRuntimePolicy"), ("cf_application_scope", "CfApplicationScope")],
)
def test_a_file_is_named_after_its_kind(stem: str, name: str) -> None:
    assert kind_name(stem) == name
    assert file_stem(name) == stem


def test_what_a_file_says_about_a_kind(tmp_path: Path) -> None:
    about = {
        **ABOUT,
        "key": ["name", "type"],
        "scope": "widgets",
        "builtins": [{"name": "Default", "confidence": "likely"}, {"match": {"own": True}, "editable": False}],
        "exclude": {"generated": True},
    }
    write(tmp_path, {"widget.json": {**WIDGET, "x-kind": about, "title": "A widget", "x-api": {"base": "console"}}})
    kind = load_kind(tmp_path / "widget.json")
    assert (kind.name, kind.backends, kind.key, kind.scope) == ("Widget", ("aqua",), ("name", "type"), "widgets")
    assert [(b.name, b.match, b.editable, b.confidence) for b in kind.builtins] == [
        ("Default", None, True, "likely"),
        ("", {"own": True}, False, "sure"),
    ]
    assert kind.exclude == {"generated": True}
    assert (kind.title, kind.api) == ("A widget", {"base": "console"})
    assert kind.file == str(tmp_path / "widget.json")


def test_what_a_file_leaves_out(tmp_path: Path) -> None:
    kind = load_kind(write(tmp_path, {"widget.json": WIDGET}) / "widget.json")
    assert (kind.scope, kind.title, kind.key) == ("Widget", "Widget", ("name",))
    assert (kind.builtins, kind.exclude, kind.api) == ((), {}, {})


def test_the_digest_follows_the_content_and_not_the_spelling(tmp_path: Path) -> None:
    write(tmp_path, {"a/widget.json": WIDGET, "b/widget.json": json.dumps(WIDGET, indent=4, sort_keys=True)})
    write(tmp_path, {"c/widget.json": {**WIDGET, "title": "Other"}})
    a, b, c = (load_kind(tmp_path / folder / "widget.json").digest for folder in "abc")
    assert a == b != c
    assert len(a) == 64


def test_what_stands_beside_a_reference_wins(tmp_path: Path) -> None:
    shared = {
        "title": "Shared",
        "type": "object",
        "properties": {"rule": {"type": "string", "default": "", "x-set": True}},
    }
    own = {"$ref": "common/part.json", "description": "Own", "title": "Own"}
    write(tmp_path, {"common/part.json": shared, "widget.json": {**WIDGET, "properties": {"name": {}, "part": own}}})
    part = load_kind(tmp_path / "widget.json").schema["properties"]["part"]
    assert part == {"title": "Own", "type": "object", "description": "Own", "properties": shared["properties"]}


def test_a_kind_extends_a_shared_part_and_changes_single_members(tmp_path: Path) -> None:
    shared = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$defs": {"unused": {}},
        "type": "object",
        "properties": {"name": {"type": "string"}, "score": {"type": "number", "default": 0}},
    }
    own = {
        "x-kind": ABOUT,
        "$ref": "common/policy.json",
        "properties": {"score": {"x-initial": 7}, "type": {"const": "image"}},
        "unevaluatedProperties": False,
    }
    kind = load_kind(write(tmp_path, {"common/policy.json": shared, "widget.json": own}) / "widget.json")
    assert set(kind.schema) == {"x-kind", "type", "properties", "additionalProperties"}
    assert kind.schema["additionalProperties"] is False
    assert set(kind.root.properties) == {"name", "score", "type"}
    assert (kind.root.properties["score"].default, kind.root.properties["score"].initial) == (0, 7)


def test_references_lead_from_part_to_part_and_into_definitions(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "widget.json": {
                **WIDGET,
                "properties": {"name": {}, "rules": {"type": "array", "items": {"$ref": "common/rule.json"}}},
            },
            "common/rule.json": {"type": "object", "properties": {"port": {"$ref": "ports.json#/$defs/port"}}},
            "common/ports.json": {"$defs": {"port": {"$ref": "#/$defs/number"}, "number": {"type": "integer"}}},
        },
    )
    rules = load_kind(tmp_path / "widget.json").root.properties["rules"]
    assert rules.each is not None
    assert rules.each.properties["port"].types == {"integer"}


def test_the_same_part_may_be_used_twice(tmp_path: Path) -> None:
    twice = {"a": {"$ref": "common/part.json"}, "b": {"$ref": "common/part.json"}}
    write(tmp_path, {"widget.json": {**WIDGET, "properties": twice}, "common/part.json": {"type": "string"}})
    assert set(load_kind(tmp_path / "widget.json").root.properties) == {"a", "b"}


@pytest.mark.parametrize(
    "parts",
    [
        {"common/a.json": {"properties": {"deeper": {"$ref": "a.json"}}}},
        {"common/a.json": {"items": {"$ref": "b.json"}}, "common/b.json": {"allOf": [{"$ref": "a.json"}]}},
        {"common/a.json": {"$ref": "#/$defs/x", "$defs": {"x": {"$ref": "#/$defs/x"}}}},
    ],
)
def test_a_reference_that_leads_back_to_itself_is_refused(tmp_path: Path, parts: dict[str, Any]) -> None:
    write(tmp_path, {"widget.json": {**WIDGET, "properties": {"a": {"$ref": "common/a.json"}}}, **parts})
    with pytest.raises(InvalidInput, match="leads back to itself"):
        load_kind(tmp_path / "widget.json")


@pytest.mark.parametrize("content", ["{", "", "[1]", '"text"', "null"])
def test_a_file_that_is_no_schema_is_refused(tmp_path: Path, content: str) -> None:
    code, _, message = refusal(write(tmp_path, {"widget.json": content}))
    assert code == "schema"
    assert message.startswith("not a schema: ")


def test_a_part_that_is_missing_is_refused_by_its_name(tmp_path: Path) -> None:
    write(tmp_path, {"widget.json": {**WIDGET, "properties": {"a": {"$ref": "common/gone.json"}}}})
    with pytest.raises(InvalidInput, match=r"gone\.json.*not a schema"):
        load_kind(tmp_path / "widget.json")


def test_an_unknown_annotation_is_refused_with_its_place(tmp_path: Path) -> None:
    write(tmp_path, {"widget.json": {**WIDGET, "properties": {"name": {"x-sensitve": True}}}})
    code, pointer, message = refusal(tmp_path)
    assert (code, pointer) == ("unknown-annotation", "/properties/name/x-sensitve")
    assert "annotations.json" in message


def test_an_unknown_annotation_of_a_shared_part_is_refused_too(tmp_path: Path) -> None:
    own = {"x-kind": ABOUT, "$ref": "common/part.json"}
    write(tmp_path, {"widget.json": own, "common/part.json": {"properties": {"a": {"x-typo": 1}, "b": {"x-typo": 1}}}})
    with pytest.raises(InvalidInput) as caught:
        load_kind(tmp_path / "widget.json")
    assert [problem.pointer for problem in caught.value.problems] == ["/properties/a/x-typo", "/properties/b/x-typo"]


@pytest.mark.parametrize("about", [{}, {**ABOUT, "name": "Gadget"}, {**ABOUT, "name": "widget"}])
def test_a_kind_whose_name_is_not_that_of_its_file_is_refused(tmp_path: Path, about: dict[str, Any]) -> None:
    code, pointer, message = refusal(write(tmp_path, {"widget.json": {**WIDGET, "x-kind": about}}))
    assert (code, pointer) == ("kind-name", "/x-kind/name")
    assert "want 'Widget'" in message


def test_kinds_are_found_in_folders_below_and_parts_are_not_kinds(tmp_path: Path) -> None:
    write(tmp_path, {"family/widget.json": WIDGET, "family/common/part.json": {"type": "string"}})
    kinds = Kinds([tmp_path])
    assert list(kinds) == ["Widget"]
    assert len(kinds) == 1
    assert "Widget" in kinds
    assert "Part" not in kinds


def test_a_file_is_read_when_its_kind_is_first_asked_for(tmp_path: Path) -> None:
    kinds = Kinds([write(tmp_path, {"widget.json": WIDGET, "broken.json": "{"})])
    assert set(kinds) == {"Widget", "Broken"}
    assert kinds["Widget"] is kinds["Widget"]
    with pytest.raises(InvalidInput):
        kinds["Broken"]
    with pytest.raises(KeyError):
        kinds["Gadget"]


def test_a_kind_in_a_later_folder_replaces_one_of_the_same_name(tmp_path: Path) -> None:
    write(tmp_path, {"theirs/widget.json": WIDGET, "ours/widget.json": {**WIDGET, "title": "Ours"}})
    assert Kinds([tmp_path / "theirs", tmp_path / "ours"])["Widget"].title == "Ours"
    assert Kinds([tmp_path / "ours", tmp_path / "theirs"])["Widget"].title == "Widget"


def test_further_folders_add_to_the_kinds_of_the_product(tmp_path: Path) -> None:
    label = {**WIDGET, "x-kind": {**ABOUT, "name": "Label"}, "title": "Ours"}
    kinds = load_kinds([write(tmp_path, {"widget.json": WIDGET, "label.json": label})])
    assert set(kinds) == {*load_kinds(), "Widget"}
    assert kinds["Label"].title == "Ours"
    assert load_kinds()["Label"].title != "Ours"


def test_the_product_brings_its_schemas() -> None:
    assert (builtin_schemas() / "annotations.json").is_file()
    assert "Annotations" not in load_kinds()
    assert load_kinds()["ImageAssurancePolicy"].backends == ("aqua",)


def test_what_a_file_says_about_the_sort_of_a_kind(tmp_path: Path) -> None:
    words = {"slots": ["One"], "read-only": True, "edition": "saas", "eventual": 5, "parts-of": {"a": "Other"}}
    file = tmp_path / "thing.json"
    file.write_text(json.dumps({"x-kind": {"name": "Thing", "backend": "aqua", "key": "name", **words}}))
    kind = load_kind(file)
    assert (kind.slots, kind.read_only, kind.editions, kind.eventual) == (("One",), True, ("saas",), 5)
    assert (kind.parts_of, kind.singleton) == ({"a": "Other"}, False)
    only = {"name": "Thing", "backend": "aqua", "key": [], "singleton": True, "edition": ["saas", "self-hosted"]}
    file.write_text(json.dumps({"x-kind": only}))
    kind = load_kind(file)
    assert (kind.key, kind.singleton, kind.editions) == ((), True, ("saas", "self-hosted"))


def test_kinds_may_be_asked_for_by_many_threads_at_once() -> None:
    for _ in range(5):
        kinds = load_kinds()
        with ThreadPoolExecutor(16) as pool:
            loaded = list(pool.map(kinds.__getitem__, list(kinds) * 2))
        assert len({id(kind) for kind in loaded}) == len(kinds)
