"""Pointers, as RFC 6901 says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policysync.pointer import MISSING, escape, join, resolve, split

DOCUMENT = {"foo": ["bar", "baz"], "": 0, "a/b": 1, "m~n": 8, "x": {"y": None}}


@pytest.mark.parametrize(
    ("pointer", "value"),
    [("", DOCUMENT), ("/foo", ["bar", "baz"]), ("/foo/0", "bar"), ("/", 0), ("/a~1b", 1), ("/m~0n", 8), ("/x/y", None)],
)
def test_a_pointer_leads_to_its_value(pointer: str, value: Any) -> None:
    assert resolve(DOCUMENT, pointer) == value


@pytest.mark.parametrize("pointer", ["/nope", "/foo/2", "/foo/-", "/foo/x", "/x/y/z", "/a/b"])
def test_a_pointer_to_nothing_says_so(pointer: str) -> None:
    assert resolve(DOCUMENT, pointer) is MISSING


@given(st.lists(st.text()))
def test_steps_survive_a_pointer(steps: list[str]) -> None:
    assert split(join(steps)) == tuple(steps)


def test_steps_are_escaped_in_the_right_order() -> None:
    assert escape("~1/") == "~01~1"
    assert join(["a", 0]) == "/a/0"


def test_a_pointer_starts_with_a_slash() -> None:
    with pytest.raises(ValueError, match="has to start with /"):
        split("a/b")


def test_missing_is_false_and_names_itself() -> None:
    assert not MISSING
    assert repr(MISSING) == "MISSING"
