"""Lists in pages."""

from __future__ import annotations

from typing import Any

import pytest
from unit.emulator.caller import Caller
from unit.emulator.conftest import Open

from policysync.emulator.ordering import order_of
from policysync.emulator.paging import Page, page_of, wrap


def names(answer: Any) -> list[str]:
    return [item["name"] for item in answer.json["result"]]


def filled(one: Caller, many: int) -> Caller:
    for number in range(many):
        one.post("/api/v2/doors", {"name": f"d{number:02}"})
    return one


def test_count_style(console: Open) -> None:
    one = filled(console(), 3)
    page = one.get("/api/v2/doors?page=2&pagesize=2").json
    assert (page["count"], page["page"], page["pagesize"]) == (5, 2, 2)
    assert [item["name"] for item in page["result"]] == ["d00", "d01"]


def test_a_page_past_the_end_is_empty_and_200(console: Open) -> None:
    answer = console().get("/api/v2/doors?page=9&pagesize=2")
    assert (answer.status, answer.json["result"]) == (200, [])


def test_a_misspelt_size_is_ignored(console: Open) -> None:
    one = filled(console(), 60)
    assert len(names(one.get("/api/v2/doors?page_size=5"))) == 50
    assert len(names(one.get("/api/v2/doors?pagesize=5"))) == 5
    assert one.get("/api/v2/tickets?pagesize=5").json["page_size"] == 50
    assert one.get("/api/v2/tickets?page_size=5").json["page_size"] == 5


@pytest.mark.parametrize("size", ["0", "-3", "many", ""])
def test_a_size_that_is_none_is_ignored(console: Open, size: str) -> None:
    assert console().get(f"/api/v2/doors?pagesize={size}").json["pagesize"] == 50


def test_orders(console: Open) -> None:
    one = console()
    for name, colour in (("b", "red"), ("a", "blue")):
        one.post("/api/v2/doors", {"name": name, "colour": colour})
    assert names(one.get("/api/v2/doors")) == ["Front", "Trap", "b", "a"]
    assert names(one.get("/api/v2/doors?order_by=name")) == ["Front", "Trap", "a", "b"]
    assert names(one.get("/api/v2/doors?order_by=-name")) == ["b", "a", "Trap", "Front"]
    assert names(one.get("/api/v2/doors?orderby=name desc")) == ["b", "a", "Trap", "Front"]
    assert names(one.get("/api/v2/doors?order_by=-created")) == ["a", "b", "Trap", "Front"]
    assert names(one.get("/api/v2/doors?order_by=-colour"))[0] == "b"
    assert names(one.get("/api/v2/doors?order_by=colour&page=2&pagesize=3")) == ["b"]
    assert names(one.get("/api/v2/doors?order_by=-what-is-this")) == ["a", "b", "Trap", "Front"]


@pytest.mark.parametrize(
    ("query", "order"),
    [({}, ""), ({"order_by": "title"}, "title"), ({"orderby": "id desc"}, "-id"), ({"order_by": "-id"}, "-id")],
)
def test_order_of(query: dict[str, str], order: str) -> None:
    assert order_of(query) == order


def test_skip_count_leaves_the_count_out(console: Open) -> None:
    assert "count" not in console().get("/api/v2/doors?skip_count=true").json


def test_data_style(console: Open) -> None:
    one = console()
    one.post("/api/v2/tickets", {"title": "t"})
    page = one.get("/api/v2/tickets").json
    assert page["pagination_data"] is True
    assert [ticket["title"] for ticket in page["data"]] == ["t"]


def test_current_page_style(console: Open) -> None:
    one = console()
    for name in ("a", "b", "c"):
        one.post("/v2/gadgets", {"name": name})
    first = one.get("/v2/gadgets?page_size=2").json
    assert {name: first[name] for name in ("current_page", "next_page", "returned_count", "total_count")} == {
        "current_page": 1,
        "next_page": 2,
        "returned_count": 2,
        "total_count": 3,
    }
    last = one.get("/v2/gadgets?page_size=2&page=2").json
    assert (last["next_page"], [gadget["name"] for gadget in last["data"]]) == (0, ["c"])


def test_no_paging_is_a_bare_array_of_everything(console: Open) -> None:
    one = console()
    one.post("/api/v2/scripts", [{"name": f"s{number}"} for number in range(70)])
    assert len(one.get("/api/v2/scripts?page=2&pagesize=5").json) == 70


def test_items_may_stand_under_a_name_of_their_own() -> None:
    page = Page(1, 50, "")
    assert wrap([b"1"], 1, page, {"paging": "none", "items": "/permissions"}).body == (
        b'{"page":1,"size":1,"total":1,"permissions":[1]}'
    )


def test_a_harsh_console_counts_wrongly_cuts_pages_short_and_ends_with_null(console: Open) -> None:
    one = filled(console(quirks="harsh"), 4)
    first = one.get("/api/v2/doors?pagesize=3").json
    assert (first["count"], len(first["result"])) == (7, 2)
    assert names(one.get("/api/v2/doors?pagesize=3&page=2")) == ["d00", "d01", "d02"]
    assert names(one.get("/api/v2/doors?pagesize=3&page=3")) == ["d03"]
    assert one.get("/api/v2/doors?pagesize=3&page=4").json["result"] is None


def test_sizes_end_at_a_thousand() -> None:
    assert page_of({"pagesize": "5000", "page": "3"}, {}) == Page(3, 1000, "")
