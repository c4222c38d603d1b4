from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from policysync.backends.routes import Call, item_path, routes_of, shaped, with_query
from policysync.errors import Refused
from policysync.kinds.kind import Kind

ITEM = Call("GET", "/things/{id}")


@pytest.mark.parametrize(
    ("ident", "path"),
    [
        ("a", "/things/a"),
        ("a b", "/things/a%20b"),
        ("a/b", "/things/a%2Fb"),
        ("50%", "/things/50%25"),
        ("ö?&#+", "/things/%C3%B6%3F%26%23%2B"),
        ("{id}", "/things/%7Bid%7D"),
        ("...", "/things/..."),
    ],
)
def test_an_id_is_one_segment(ident: str, path: str) -> None:
    assert item_path(ITEM, ident, "thing") == path


@pytest.mark.parametrize("ident", ["", ".", ".."])
def test_an_id_that_leads_elsewhere_is_refused(ident: str) -> None:
    with pytest.raises(Refused, match="cannot address a thing"):
        item_path(ITEM, ident, "thing")


def test_a_path_without_a_place_for_the_id_needs_none() -> None:
    assert item_path(Call("DELETE", "/things/multiple"), "", "thing") == "/things/multiple"


def test_a_query_is_encoded() -> None:
    assert with_query("/things", {"a": "b c&d", "n": 1}) == "/things?a=b%20c%26d&n=1"
    assert with_query("/things", {}) == "/things"


@pytest.mark.parametrize(
    ("form", "body"),
    [
        (None, {"a": 1, "b": 2}),
        ("object", {"a": 1, "b": 2}),
        ("array", [{"a": 1, "b": 2}]),
        ({"wrap": "issues"}, {"issues": [{"a": 1, "b": 2}]}),
        ({"wrap": "issues", "lift": ["a", "c"]}, {"a": 1, "issues": [{"b": 2}]}),
    ],
)
def test_bodies_have_the_form_the_call_wants(form: Any, body: Any) -> None:
    assert shaped(form, {"a": 1, "b": 2}) == body


def test_a_missing_object_is_always_404_and_what_the_schema_adds(kind_of: Callable[..., Kind]) -> None:
    kind = kind_of(get={"method": "GET", "path": "/things/{id}", "missing": [204]})
    routes = routes_of(kind)
    assert routes.get is not None
    assert routes.get.missing == {204, 404}


def test_a_kind_without_calls_is_refused(kind: Kind) -> None:
    with pytest.raises(Refused, match="Thing has no calls"):
        routes_of(replace(kind, api={}))
