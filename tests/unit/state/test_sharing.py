"""What is said twice is held once, and still says the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policysync.state.normalize import canonical
from policysync.state.sharing import sharing

leaves = st.none() | st.booleans() | st.integers(-2, 2) | st.floats(-1, 1) | st.text("ab", max_size=2)
values = st.recursive(
    leaves, lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text("ab", max_size=1), below, max_size=3)
)


@given(values, values)
def test_it_says_the_same(value: Any, other: Any) -> None:
    before = canonical([value, other])
    assert canonical(sharing(value, other)) == canonical(value)
    assert canonical([value, other]) == before


@given(values.filter(lambda value: "0.0" not in str(value)))
def test_what_is_the_same_is_one(value: Any) -> None:
    assert sharing(_copied(value), value) is value


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(below) for name, below in value.items()}
    return [_copied(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("value", "other"), [(1, True), (1, 1.0), (-0.0, 0.0), ([1], [True]), ({"a": None}, {"b": None}), ([], {})]
)
def test_what_python_takes_for_equal_is_not_the_same(value: Any, other: Any) -> None:
    assert canonical(sharing(value, other)) == canonical(value)


def test_parts_are_shared() -> None:
    other: dict[str, Any] = {"texts": ["a", "b"], "items": [{"x": "long"}, {"y": 2}], "gone": ["z"]}
    value = {"texts": ["a", "b"], "items": [{"x": "long"}, {"y": 3}, {}], "new": ["z"]}
    shared = sharing(value, other)
    assert shared == value
    assert shared["texts"] is other["texts"]
    assert shared["items"][0] is other["items"][0]
