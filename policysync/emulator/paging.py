"""The ways a list comes in pages.

Source: reference, policies 3.2: the size is spelt `pagesize` here and `page_size` there; the wrong spelling is
ignored and gives the default size. A page past the end is 200 and empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from policysync.emulator.exchange import JSON, Response
from policysync.emulator.ordering import order_of
from policysync.pointer import split

BARE_WITHOUT_PAGE = "/api/v1/hostsbatch"
"""Gives a bare array to clients that name no page: two of them can read nothing else (reference, platform 4)."""
_DEFAULT = 50
_SMALL = 25
_LARGEST = 1000
_EITHER = ("pagesize", "page_size")
_PLATFORM = (
    "/api/v1/",
    "/api/v2/scanner_groups",
    "/api/v2/access_management/roles",
    "/api/v2/access_management/permissions",
)
"""Lists that take either spelling and have smaller pages (reference, platform 2.2)."""
_USUAL = {"/api/v1/scanqueue/scanners": 5}
"""Sizes of single lists (reference, platform 2.2)."""
_UNPAGED = 1 << 40


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for. Numbers count from 1; an `offset` counts objects from 0 instead.

    `said` are the words of the query that an answer repeats.
    """

    number: int
    size: int
    order: str
    offset: int | None = None
    said: tuple[str, ...] = ("", "")

    @property
    def start(self) -> int:
        return (self.number - 1) * self.size + (self.offset or 0)

    @property
    def shifted(self) -> tuple[int, int]:
        """Where to start and how many to give so that the first page is one short and nothing is lost."""
        if self.size == 1 or self.offset is not None:
            return self.start, self.size
        return (0, self.size - 1) if self.number == 1 else (self.start - 1, self.size)


def page_of(query: Mapping[str, str], api: Mapping[str, Any]) -> Page:
    """Return the page a query asks for."""
    order = order_of(query)
    style = api.get("paging", "count")
    if style in ("none", "map"):
        return Page(1, _UNPAGED, order)
    if style == "offset":
        return Page(
            1, min(_number(query.get("limit", ""), _DEFAULT), _LARGEST), order, _whole(query.get("offset", "0"))
        )
    if style == "pages":
        return Page(_number(query.get("page", ""), 1), min(_number(query.get("size", ""), _SMALL), _LARGEST), order)
    platform = str(api.get("path", "")).startswith(_PLATFORM)
    spelt = _EITHER if platform else ("page_size",) if style in ("data", "current_page") else ("pagesize",)
    spelt = tuple(api.get("size", spelt))
    usual = _USUAL.get(str(api.get("path", "")), _SMALL if platform else _DEFAULT)
    size = next((_number(query[name], usual) for name in spelt if name in query), usual)
    said = query.get("scope", ""), query.get("title", "")
    return Page(_number(query.get("page", "1"), 1), min(size, _LARGEST), order, said=said)


def _number(text: str, otherwise: int) -> int:
    # Beyond this SQLite cannot count; no list is as long.
    return min(int(text), _UNPAGED) if text.isdecimal() and len(text) < 100 and int(text) else otherwise


def _whole(text: str) -> int:
    return min(int(text), _UNPAGED) if text.isdecimal() and len(text) < 100 else 0


def wrap(items: list[bytes], total: int | None, page: Page, api: Mapping[str, Any], null: bool = False) -> Response:
    """Return the answer that carries one page.

    Args:
        total: how many objects there are, as the console counts them; None leaves the count out.
        null: an empty page is null instead of an empty list.
    """
    listed = b"[" + b",".join(items) + b"]"
    style = api.get("paging", "count")
    if style == "map":
        return Response(200, _mapped(items, api), (JSON,))
    if style == "none" and not api.get("items"):
        return Response(200, listed, (JSON,))
    listed = b"null" if null and not items else listed
    where, facts = _envelope(style, api, page, total, len(items))
    head = orjson.dumps({name: value for name, value in facts.items() if value is not None})
    return Response(200, head[:-1] + b',"' + where.encode() + b'":' + listed + b"}", (JSON,))


def _envelope(
    style: str, api: Mapping[str, Any], page: Page, total: int | None, shown: int
) -> tuple[str, dict[str, Any]]:
    if style == "data":
        scope, title = page.said
        facts: dict[str, Any] = {"page": page.number, "page_size": page.size, "scope": scope, "title": title}
        return "data", {**facts, "pagination_data": True}
    if style == "offset":
        after = page.start + shown
        more = shown > 0 and (total is None or after < total)
        return "data", {"status": 200, "code": 0, "meta": {"count": total, "next_offset": after if more else None}}
    if style == "pages":
        return "permissions", {"page": page.number, "size": page.size, "total": total or 0}
    if style == "current_page":
        more = total is not None and page.start + shown < total
        facts = {"current_page": page.number, "next_page": page.number + 1 if more else 0, "returned_count": shown}
        return "data", {**facts, "total_count": total or 0, "selection_scopes": []}
    if style == "none":
        return split(api["items"])[0], {"page": 1, "size": shown, "total": total or 0}
    facts = {"count": total, "page": page.number, "pagesize": page.size, "page_size": page.size}
    # A number: a known client cannot read the answer when it is true or false.
    return "result", {**facts, "more_data_all_pages": 0, "is_estimated_count": False}


def _mapped(items: list[bytes], api: Mapping[str, Any]) -> bytes:
    """Return an object keyed by one member of the items: a list for each value, or just one item."""
    mapped: dict[str, Any] = {}
    for item in map(orjson.loads, items):
        name = str(item.get(api["map"]))
        if api.get("map-of") == "object":
            mapped[name] = item
        else:
            mapped.setdefault(name, []).append(item)
    return orjson.dumps(mapped)
