"""Annotations that nobody knows, or that stand where they mean nothing, are found by their pointer."""

from __future__ import annotations

from typing import Any

import pytest

from policysync.kinds.annotations import ON_FIELD, ON_ROOT, unknown_annotations


def found(schema: Any) -> list[str]:
    return list(unknown_annotations(schema))


def test_every_known_annotation_may_stand_on_the_root() -> None:
    assert found(dict.fromkeys(ON_FIELD | ON_ROOT, True)) == []


@pytest.mark.parametrize("name", sorted(ON_FIELD))
def test_annotations_of_fields_may_stand_at_any_depth(name: str) -> None:
    assert found({"properties": {"a": {"items": {name: True}}}}) == []


@pytest.mark.parametrize("name", sorted(ON_ROOT))
def test_annotations_of_the_root_stand_nowhere_else(name: str) -> None:
    assert found({"properties": {"a": {name: {}}}}) == [f"/properties/a/{name}"]
    assert found({"allOf": [{name: {}}]}) == [f"/allOf/0/{name}"]


@pytest.mark.parametrize(
    ("schema", "pointers"),
    [
        ({"x-sensitve": True}, ["/x-sensitve"]),
        ({"properties": {"a": {"x-sett": True}}}, ["/properties/a/x-sett"]),
        ({"$defs": {"part": {"x-Set": True}}}, ["/$defs/part/x-Set"]),
        ({"items": {"x-order": 1}, "prefixItems": [{}, {"x-at": 2}]}, ["/items/x-order", "/prefixItems/1/x-at"]),
        ({"then": {"properties": {"a": {"x-": 1}}}}, ["/then/properties/a/x-"]),
        ({"additionalProperties": {"x-values": 1}}, ["/additionalProperties/x-values"]),
    ],
)
def test_a_misspelt_annotation_is_found_wherever_it_stands(schema: dict[str, Any], pointers: list[str]) -> None:
    assert found(schema) == pointers


def test_a_property_may_be_called_anything() -> None:
    assert found({"properties": {"x-forwarded-for": {"type": "string", "x-set": True}}}) == []
    assert found({"properties": {"x-forwarded-for": {"x-typo": True}}}) == ["/properties/x-forwarded-for/x-typo"]


@pytest.mark.parametrize("word", ["default", "const", "enum", "examples", "x-initial", "x-empty", "x-known", "x-kind"])
def test_data_is_not_searched(word: str) -> None:
    assert found({word: [{"x-header": "value"}]}) == []


@pytest.mark.parametrize("schema", [True, False, None, "text", 3, []])
def test_what_is_not_an_object_has_no_annotations(schema: Any) -> None:
    assert found(schema) == []
