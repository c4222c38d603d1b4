"""The members the server writes itself."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import count
from typing import Any

import pytest

from policysync.emulator.settings import Settings
from policysync.emulator.shape import Shape, shape_of
from policysync.emulator.stamps import Stamp, stamp
from policysync.kinds.field import field_of

NOW = datetime(2026, 5, 6, 7, 8, 9, 123456, tzinfo=UTC)


def shape(name: str, kind: str) -> Shape:
    fields = {name: {"type": kind, "x-read-only": True}}
    return shape_of(field_of({"type": "object", "properties": fields}, "Door"), Settings())


def stamped(name: str, kind: str, before: dict[str, Any] | None = None, id_member: str = "name") -> Any:
    body: dict[str, Any] = {}
    numbers = count(41)
    stamp(shape(name, kind), body, before, Stamp("mary", NOW, lambda: next(numbers)), id_member)
    return body.get(name)


@pytest.mark.parametrize(
    ("name", "kind", "value"),
    [
        ("author", "string", "mary"),
        ("updated_by", "string", "mary"),
        ("permission", "string", "Write"),
        ("lastupdate", "integer", 1778051289),
        ("lastupdate", "string", "2026-05-06T07:08:09.123Z"),
        ("created_at", "integer", 1778051289),
        ("id", "integer", 41),
        ("id", "string", None),
        ("colour", "string", None),
    ],
)
def test_a_new_object(name: str, kind: str, value: Any) -> None:
    assert stamped(name, kind) == value


def test_numeric_text_where_an_id_is_text() -> None:
    assert stamped("script_id", "string", id_member="script_id") == "41"


@pytest.mark.parametrize(
    ("name", "before", "value"),
    [
        ("author", "john", "john"),
        ("created", "2020", "2020"),
        ("updated", "2020", "2026-05-06T07:08:09.123Z"),
        ("last_updated_by", "john", "mary"),
        ("colour", "red", "red"),
    ],
)
def test_a_replaced_object(name: str, before: str, value: str) -> None:
    assert stamped(name, "string", {name: before}) == value


def test_a_number_is_kept() -> None:
    assert stamped("id", "integer", {"id": 5}) == 5
