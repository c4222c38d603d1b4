from __future__ import annotations

from typing import Any

import pytest

from policysync.documents.overlay import merge, trace
from policysync.kinds.field import Field

KEYED = Field(key=("id",), each=Field(properties={"id": Field(), "tags": Field()}))
ROOT = Field(properties={"rules": KEYED, "plain": Field(), "free": Field(values=Field(properties={"rules": KEYED}))})


@pytest.mark.parametrize(
    ("base", "over", "merged"),
    [
        ({"a": 1}, {}, {"a": 1}),
        ({"a": 1}, {"a": 2, "b": 3}, {"a": 2, "b": 3}),
        ({"a": 1, "b": 2}, {"a": None, "c": None}, {"b": 2}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"x": None, "z": 3}}, {"a": {"y": 2, "z": 3}}),
        ({"a": 1}, {"a": {"x": 1, "y": None}}, {"a": {"x": 1}}),
        ({"a": {"x": 1}}, {"a": 2}, {"a": 2}),
        ({"plain": [1, 2]}, {"plain": [3]}, {"plain": [3]}),
        ({"plain": [{"id": 1, "x": 1}]}, {"plain": [{"id": 1}]}, {"plain": [{"id": 1}]}),
        (
            {"rules": [{"id": "a", "on": 1}, {"id": "b", "on": 1}]},
            {"rules": [{"id": "b", "on": None, "x": 2}, {"id": "c"}]},
            {"rules": [{"id": "a", "on": 1}, {"id": "b", "x": 2}, {"id": "c"}]},
        ),
        ({"rules": [{"id": 1}]}, {"rules": [{"id": "1"}]}, {"rules": [{"id": 1}, {"id": "1"}]}),
        ({"rules": [{"id": "a"}]}, {"rules": None}, {}),
        ({"rules": [{"id": "a"}]}, {"rules": []}, {"rules": [{"id": "a"}]}),
        ({"rules": [{"id": "a"}, {"id": "b"}]}, {"rules": [{"id": "a", "$absent": True}]}, {"rules": [{"id": "b"}]}),
        (
            {"rules": [{"id": "a", "on": 1}, {"id": "b"}, {"id": "a", "on": 2}]},
            {"rules": [{"id": "a", "$absent": True}, {"id": "a", "on": 3}, {"id": "a", "on": 4}]},
            {"rules": [{"id": "b"}, {"id": "a", "on": 3}, {"id": "a", "on": 4}]},
        ),
        ({"rules": [None, {"id": "a"}]}, {"rules": [{"id": "z", "$absent": True}]}, {"rules": [None, {"id": "a"}]}),
        ({"rules": ["odd", {"id": "a"}]}, {"rules": ["odd"]}, {"rules": ["odd", {"id": "a"}, "odd"]}),
        (
            {"free": {"k": {"rules": [{"id": "a", "x": 1}]}}},
            {"free": {"k": {"rules": [{"id": "a", "y": 2}]}}},
            {"free": {"k": {"rules": [{"id": "a", "x": 1, "y": 2}]}}},
        ),
    ],
)
def test_merging(base: dict[str, Any], over: dict[str, Any], merged: dict[str, Any]) -> None:
    before = repr((base, over))
    assert merge(ROOT, base, over) == merged
    assert repr((base, over)) == before


def test_an_element_that_came_again_is_found_where_it_is_stated() -> None:
    base, over = {"rules": [{"id": "a"}]}, {"rules": [{"id": "a", "$absent": True}, {"id": "a", "on": 2}]}
    assert trace(ROOT, merge(ROOT, base, over), over, ("rules", "0", "on")) == ("rules", "1", "on")


def test_paths_lead_back_into_a_layer() -> None:
    base = {"rules": [{"id": "a", "on": 1}, {"id": "b"}], "plain": [5]}
    over = {"rules": [{"id": "c", "on": 1}, {"id": "b", "x": [1]}]}
    merged = merge(ROOT, base, over)
    assert trace(ROOT, merged, over, ("rules", "1", "x", "0")) == ("rules", "1", "x", "0")
    assert trace(ROOT, merged, over, ("rules", "2", "on")) == ("rules", "0", "on")
    assert trace(ROOT, merged, base, ("rules", "1")) == ("rules", "1")
    assert trace(ROOT, merged, base, ("rules", "2")) is None
    assert trace(ROOT, merged, over, ("rules", "0")) is None
    assert trace(ROOT, merged, over, ("plain", "0")) is None
    assert trace(ROOT, merged, base, ("plain", "0")) == ("plain", "0")
    assert trace(ROOT, merged, base, ("plain", "0", "deep")) is None
