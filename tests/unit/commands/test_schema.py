from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from policysync.cli import run
from policysync.commands.schema import any_document, document_schema, plain
from policysync.kinds.load import load_kinds

KINDS = load_kinds()
SCOPED = {"application_scopes": ["Global"]}


def words(schema: Any) -> Iterator[str]:
    """Yield every keyword of a schema; names of properties are an author's and no keywords."""
    if isinstance(schema, list):
        for item in schema:
            yield from words(item)
    if not isinstance(schema, dict):
        return
    for name, value in schema.items():
        yield name
        if name in {"properties", "$defs"}:
            for inner in value.values():
                yield from words(inner)
        elif name not in {"default", "const", "enum", "examples"}:
            yield from words(value)


def document(kind: str, name: str, spec: Any) -> dict[str, Any]:
    return {"apiVersion": "policysync/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}


def accepts(schema: dict[str, Any], value: Any) -> bool:
    return jsonschema.Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize("overlay", [False, True])
@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_published_schema_is_plain_json_schema(name: str, overlay: bool) -> None:
    schema = document_schema(KINDS[name], overlay)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert not [word for word in words(schema) if word.startswith("x-")]
    assert "$ref" not in words(schema)


def test_a_document_is_checked_with_its_envelope() -> None:
    schema = document_schema(KINDS["ImageAssurancePolicy"])
    assert accepts(schema, document("ImageAssurancePolicy", "Default", {**SCOPED, "maximum_score": 7}))
    assert not accepts(schema, document("ImageAssurancePolicy", "Default", {**SCOPED, "maximum_score": "high"}))
    assert not accepts(schema, document("ImageAssurancePolicy", "Default", {**SCOPED, "no_such_field": 7}))
    assert not accepts(schema, {**document("ImageAssurancePolicy", "Default", SCOPED), "apiVersion": "v1"})
    assert not accepts(schema, document("Label", "Default", {}))


@pytest.mark.parametrize("name", sorted(KINDS))
def test_the_name_need_not_be_repeated(name: str) -> None:
    kind = KINDS[name]
    required = document_schema(kind)["properties"]["spec"].get("required", [])
    assert set(required) == set(kind.schema.get("required", [])) - ({*kind.key} if len(kind.key) == 1 else set())
    assert "required" not in document_schema(kind, overlay=True)["properties"]["spec"]


def test_a_stage_s_variable_may_stand_for_any_scalar() -> None:
    schema = document_schema(KINDS["ImageAssurancePolicy"])
    assert accepts(schema, document("ImageAssurancePolicy", "x", {**SCOPED, "maximum_score": "${var.score}"}))
    assert accepts(schema, document("ImageAssurancePolicy", "x", {**SCOPED, "enforce": "${var.enforce}"}))
    assert not accepts(schema, document("ImageAssurancePolicy", "x", {**SCOPED, "enforce": "${env:ENFORCE}"}))


def test_a_closed_list_of_values_takes_a_variable_too() -> None:
    schema = plain({"type": "string", "enum": ["a", "b"]})
    assert accepts(schema, "a")
    assert accepts(schema, "${var.x}")
    assert not accepts(schema, "c")


def test_a_sensitive_value_has_to_be_a_reference() -> None:
    schema = plain({"type": "string", "minLength": 40, "x-sensitive": True})
    assert accepts(schema, "${env:TOKEN}")
    assert not accepts(schema, "a token that is long enough for the console")


def test_an_overlay_requires_nothing_and_null_unsets() -> None:
    whole = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}, "b": {"enum": [1, 2]}}}
    assert not accepts(plain(whole), {})
    assert not accepts(plain(whole), {"a": None})
    overlay = plain(whole, overlay=True)
    assert accepts(overlay, {})
    assert accepts(overlay, {"a": None, "b": None})
    assert not accepts(overlay, {"a": "text", "b": 3})


def test_what_is_kept_of_the_annotations_is_what_editors_know() -> None:
    known = plain({"type": "string", "x-known": ["low", "high"], "default": "low", "description": "How bad."})
    assert known == {"type": "string", "default": "low", "description": "How bad.", "examples": ["low", "high"]}
    assert plain({"x-read-only": True, "x-removed": "ignored"}) == {"readOnly": True, "deprecated": True}
    assert plain({"x-write-only": True}) == {"writeOnly": True}


def test_a_property_may_be_called_like_an_annotation() -> None:
    schema = plain({"properties": {"x-token": {"type": "string"}}, "default": {"x-token": "a"}})
    assert schema == {"properties": {"x-token": {"type": "string"}}, "default": {"x-token": "a"}}


def test_one_schema_switches_on_the_kind() -> None:
    schema = any_document(KINDS.values())
    assert accepts(schema, document("Label", "pci", {"description": "x"}))
    assert not accepts(schema, document("Label", "pci", {"maximum_score": 7}))
    assert not accepts(schema, document("Nonsense", "pci", {}))


def test_a_kind_is_printed_on_stdout(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "Label"]) == 0
    assert json.loads(capsys.readouterr().out)["properties"]["kind"] == {"const": "Label"}
    assert run(["schema", "--overlay"]) == 0
    assert json.loads(capsys.readouterr().out)["title"] == "policysync overlay"


def test_an_unknown_kind_is_named_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["schema", "ImageAssurancePolic"]) == 1
    assert "did you mean ImageAssurancePolicy?" in capsys.readouterr().err


def test_out_writes_one_file_a_kind_and_the_two_that_switch(tmp_path: Path) -> None:
    assert run(["schema", "--out", str(tmp_path / "schemas")]) == 0
    names = {file.name for file in (tmp_path / "schemas").iterdir()}
    assert names == {f"{kind}.schema.json" for kind in (*KINDS, "document", "overlay")}
    label = json.loads((tmp_path / "schemas/Label.schema.json").read_text(encoding="utf-8"))
    assert label == document_schema(KINDS["Label"])


def test_an_overlay_may_take_an_element_out_and_a_base_may_not() -> None:
    spec = {**SCOPED, "custom_checks": [{"name": "check", "$absent": True}]}
    taken = document("ImageAssurancePolicy", "Default", spec)
    kind = KINDS["ImageAssurancePolicy"]
    assert accepts(document_schema(kind, overlay=True), taken)
    assert not accepts(document_schema(kind), taken)
    assert not accepts(
        document_schema(kind, overlay=True),
        document("ImageAssurancePolicy", "Default", {"custom_checks": [{"name": "check", "$absent": "yes"}]}),
    )


def test_a_member_that_cannot_be_stays_so() -> None:
    assert plain({"properties": {"never": False}}, overlay=True) == {"properties": {"never": False}}
