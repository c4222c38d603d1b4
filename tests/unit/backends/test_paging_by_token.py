"""Lists each of whose answers names the next one."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from policysync.backends.paging import page_through
from policysync.backends.routes import Listing
from policysync.errors import Refused

LISTING = Listing("GET", "/things", paging="token", query={"connector_id": "eu-1"})


def test_the_first_question_says_everything_and_later_ones_only_the_name() -> None:
    asked: list[dict[str, list[str]]] = []
    pages: dict[str, tuple[list[dict[str, Any]], Any]] = {
        "": ([{"id": 1}], "a b"),
        "a b": ([], "c"),
        "c": ([{"id": 2}], ""),
    }

    def fetch(path: str) -> Any:
        query = parse_qs(urlsplit(path).query)
        asked.append(query)
        items, following = pages[query.get("page_token", [""])[0]]
        return {"items": items, "pagination": {"next_page_token": following}}

    assert [entry["id"] for entry in page_through(LISTING, fetch)] == [1, 2]
    assert asked == [{"limit": ["100"], "connector_id": ["eu-1"]}, {"page_token": ["a b"]}, {"page_token": ["c"]}]


@pytest.mark.parametrize("pagination", [{}, {"pagination": None}, {"pagination": {"next_page_token": None}}])
def test_a_list_without_a_further_name_ends(pagination: dict[str, Any]) -> None:
    assert list(page_through(LISTING, lambda _: {"items": [{"id": 1}], **pagination})) == [{"id": 1}]


def test_a_name_that_comes_again_ends_nothing_and_is_refused() -> None:
    answer = {"items": [{"id": 1}], "pagination": {"next_page_token": "again"}}
    with pytest.raises(Refused, match="does not seem to end"):
        list(page_through(LISTING, lambda _: answer))


def test_an_answer_without_a_list_is_never_an_empty_one() -> None:
    with pytest.raises(Refused, match="no list at '/items'"):
        list(page_through(LISTING, lambda _: {"message": "hello"}))
