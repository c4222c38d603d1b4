from __future__ import annotations

from typing import Any

import pytest

from policysync.backends import paging
from policysync.backends.paging import page_through
from policysync.backends.routes import Listing
from policysync.errors import Refused, Unavailable

A, B, C = ({"name": name} for name in "abc")


def read(listing: Listing, *answers: Any) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the entries and the paths that were asked for; the last answer comes again and again."""
    left, asked = list(answers), list[str]()

    def fetch(path: str) -> Any:
        asked.append(path)
        found = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(found, Exception):
            raise found
        return found

    return list(page_through(listing, fetch)), asked


@pytest.mark.parametrize(
    ("style", "answers"),
    [
        ("count", [{"count": 9, "result": [A, B]}, {"result": [C]}, {"result": []}]),
        ("count", [{"result": [A]}, {"result": [B, C]}, {"count": 0, "result": None}]),
        ("data", [{"data": [A, B]}, {"data": [C]}, None]),
        ("data", [[A, B], [C], []]),
        ("current_page", [{"current_page": 1, "data": [A, B]}, {"data": [C]}, {"data": []}]),
    ],
)
def test_every_style_is_read_until_an_empty_page(style: str, answers: list[Any]) -> None:
    entries, asked = read(Listing("GET", "/things", style), *answers)
    assert entries == [A, B, C]
    assert len(asked) == 3


@pytest.mark.parametrize("style", ["count", "data", "current_page", "offset", "pages"])
def test_an_answer_that_says_nothing_is_an_empty_list_only_where_the_kind_says_so(style: str) -> None:
    with pytest.raises(Refused, match="GET /things: the answer says nothing, want a list"):
        read(Listing("GET", "/things", style), None)
    assert read(Listing("GET", "/things", style, silent=True), None)[0] == []


@pytest.mark.parametrize("odd", ["x", 1, [A], False])
def test_an_entry_that_is_no_object_is_refused_and_not_passed_over(odd: Any) -> None:
    with pytest.raises(Refused, match="an entry of the list is no object"):
        read(Listing("GET", "/things"), {"result": [None, A, odd]})
    assert read(Listing("GET", "/things"), {"result": [A, None]})[0] == [A]


def test_a_list_without_pages_is_asked_for_once() -> None:
    assert read(Listing("GET", "/things", "none"), [A, B]) == ([A, B], ["/things"])


def test_the_array_may_stand_elsewhere() -> None:
    assert read(Listing("GET", "/things", "none", items=("/in/side",)), {"in": {"side": [A]}})[0] == [A]


def test_a_page_that_comes_again_ends_the_list() -> None:
    entries, asked = read(Listing("GET", "/things"), {"result": [A, B]})
    assert entries == [A, B]
    assert len(asked) == 2


def test_fixed_queries_are_always_sent_and_win() -> None:
    listing = Listing("GET", "/things", query={"type": "a b", "pagesize": "5"})
    assert read(listing, {"result": []})[1] == ["/things?page=1&pagesize=5&page_size=200&type=a%20b"]


def test_a_failure_on_any_page_is_passed_on() -> None:
    with pytest.raises(Unavailable):
        read(Listing("GET", "/things"), {"result": [A]}, Unavailable("busy"))


@pytest.mark.parametrize("answer", [{}, {"result": {"a": 1}}, "text", 7])
def test_what_is_no_list_is_refused(answer: Any) -> None:
    with pytest.raises(Refused, match="the answer has no list at '/result'"):
        read(Listing("GET", "/things"), answer)


def test_a_list_that_does_not_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paging, "MOST_PAGES", 4)
    pages = [{"result": [{"name": str(number)}]} for number in range(9)]
    with pytest.raises(Refused, match="more than 4 pages"):
        read(Listing("GET", "/things"), *pages)


@pytest.mark.parametrize(
    ("listing", "answer", "entries"),
    [
        (Listing("GET", "/x", "map", map="to"), {"m": [A, B], "c": None}, [{**A, "to": "m"}, {**B, "to": "m"}]),
        (Listing("GET", "/x", "map", map="name", single=True), {"a": {"on": True}}, [{"name": "a", "on": True}]),
        (Listing("GET", "/x", "map", map="name", single=True), {"a": {"name": "A"}, "b": None}, [{"name": "A"}]),
        (Listing("GET", "/x", "map", map="type"), [A], [A]),
        (Listing("GET", "/x", "map", map="type"), None, []),
        (Listing("GET", "/x", "none", items=("/result", "/project")), {"project": [A]}, [A]),
    ],
)  # fmt: skip
def test_lists_of_other_shapes(listing: Listing, answer: Any, entries: list[Any]) -> None:
    assert read(listing, answer) == (entries, ["/x"])


def test_a_map_of_something_else_is_refused() -> None:
    with pytest.raises(Refused, match="what stands under 'count' is not what is listed"):
        read(Listing("GET", "/x", "map", map="name", single=True), {"count": 3})


@pytest.mark.parametrize(
    ("answers", "offsets"),
    [
        ([{"data": [A], "meta": {"next_offset": 1}}, {"data": [B], "meta": {"next_offset": None}}], [0, 1]),
        ([{"data": [A]}], [0]),
        ([{"data": [A], "meta": {"next_offset": 7}}, {"data": [], "meta": {"next_offset": 9}}], [0, 7]),
        ([{"data": [A], "meta": {"next_offset": 1}}, {"data": [B], "meta": {"next_offset": 1}}], [0, 1]),
        ([[A]], [0]),
    ],
)
def test_a_list_by_offset_goes_on_where_the_answer_says(answers: list[Any], offsets: list[int]) -> None:
    entries, asked = read(Listing("GET", "/x", "offset"), *answers)
    assert asked == [f"/x?limit=200&offset={offset}" for offset in offsets]
    assert entries == [A, B][: len(entries)]
    assert entries[0] == A


def test_a_list_by_page_and_size() -> None:
    entries, asked = read(Listing("GET", "/x", "pages"), {"permissions": [A]}, {"permissions": []})
    assert (entries, asked[0]) == ([A], "/x?page=1&size=200")


def test_a_list_that_shrinks_while_it_is_read_is_read_again() -> None:
    moving = [{"count": 3, "result": [A, B]}, {"count": 2, "result": []}]
    still = [{"count": 2, "result": [B, C]}, {"count": 2, "result": []}]
    entries, asked = read(Listing("GET", "/things"), *moving, *still)
    assert [each for each in (A, B, C) if each in entries] == [A, B, C]
    assert len(asked) == 4


def test_a_list_that_never_stands_still_is_read_a_few_times() -> None:
    answers = [{"count": number + 9, "result": [A] if number % 2 == 0 else []} for number in range(100)]
    assert len(read(Listing("GET", "/things"), *answers)[1]) == 2 * paging.PASSES


def test_a_map_that_holds_something_else_is_refused() -> None:
    with pytest.raises(Refused, match="under 'page' is no list"):
        read(Listing("GET", "/things", "map", map="of"), {"page": 1})


def test_pages_that_go_round_are_refused_at_once() -> None:
    with pytest.raises(Refused, match="page 3 is one of those before"):
        read(Listing("GET", "/things", "count"), *[{"result": [A]}, {"result": [B]}] * 9)
