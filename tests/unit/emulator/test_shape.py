"""A kind's fields, made ready."""

from __future__ import annotations

from typing import Any

import pytest

from policysync.emulator.objects import Reading, complete
from policysync.emulator.settings import Settings
from policysync.emulator.shape import Shape, shape_of
from policysync.kinds.field import field_of
from policysync.pointer import MISSING


def shape(schema: dict[str, Any], **settings: Any) -> Shape:
    return shape_of(field_of(schema, "Door"), Settings(**{"quirks": "off", **settings}))


@pytest.mark.parametrize(
    ("schema", "created", "updated"),
    [
        ({"type": "boolean"}, False, False),
        ({"type": "integer"}, 0, 0),
        ({"type": "string"}, "", ""),
        ({"type": ["string", "null"]}, "", ""),
        ({"type": "array"}, [], []),
        ({"type": "object"}, {}, {}),
        ({}, None, None),
        ({"type": ["string", "boolean"]}, None, None),
        ({"type": "string", "default": "x"}, "x", "x"),
        ({"type": "integer", "x-initial": 5}, 5, 0),
        ({"type": "boolean", "x-initial": True}, False, False),
        ({"type": "integer", "x-initial": 5, "x-server-filled": {"value": 6}}, 6, 6),
        ({"type": "string", "x-optional": True}, MISSING, MISSING),
        ({"const": "image"}, "image", "image"),
    ],
)
def test_what_is_stored_when_a_field_is_left_out(schema: dict[str, Any], created: Any, updated: Any) -> None:
    made = shape(schema)
    assert (made.missing(creating=True), made.missing(creating=False)) == (created, updated)


def test_an_object_left_out_has_every_member_but_the_optional_ones() -> None:
    members = {"a": {"type": "integer", "x-initial": 1}, "b": {"type": "string", "x-optional": True}}
    made = shape({"type": "object", "properties": members})
    assert (made.missing(creating=True), made.missing(creating=False)) == ({"a": 1}, {"a": 0})


def test_fields_may_stand_elsewhere_on_the_wire() -> None:
    made = shape({"properties": {"a": {"type": "string", "x-wire": "/deep/er"}, "b": {"type": "string"}}})
    assert complete(made, {"deep": {"er": "x"}, "a": "lost"}, Reading("door")) == {"deep": {"er": "x"}, "b": ""}


def test_sets_never_set_are_null_with_quirks() -> None:
    assert shape({"type": "array", "x-set": True}, quirks="mild").missing(creating=True) is None
    assert shape({"type": "array"}, quirks="mild").missing(creating=True) == []


def test_values_that_mean_the_default_are_stored_as_the_default() -> None:
    made = shape({"type": "array", "x-empty": [[""]], "default": ["Global"]})
    assert complete(made, [""], Reading("door")) == ["Global"]
    assert complete(made, ["a"], Reading("door")) == ["a"]


def test_an_object_of_free_names_keeps_them_all() -> None:
    made = shape(
        {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": {"type": "integer"}}
    )
    assert complete(made, {"z": 1}, Reading("door")) == {"a": "", "z": 1}
    assert complete(shape({"type": "object"}), {"z": [1]}, Reading("door")) == {"z": [1]}


def test_more_positions_than_known_are_kept() -> None:
    made = shape({"type": "array", "prefixItems": [{"type": "integer"}]})
    assert complete(made, [1, "more"], Reading("door")) == [1, "more"]
