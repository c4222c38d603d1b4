"""Every page of a list, or none: a list that is not whole is never taken for a whole one.

Source: reference, policies 3.2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from policysync import pointer
from policysync.backends.routes import Listing, with_query
from policysync.errors import Refused
from policysync.pointer import MISSING

PAGE_SIZE = 200
MOST_PAGES = 10_000

_ITEMS = {"count": "/result", "data": "/data", "current_page": "/data", "none": ""}


def page_through(listing: Listing, fetch: Callable[[str], Any]) -> Iterator[dict[str, Any]]:
    """Yield each entry of a list, some perhaps twice when the list moves while it is read.

    The end is an empty page: pages may be short in the middle, and `count` may be wrong. A page that repeats the
    one before comes from a console that does not page this list.

    Args:
        fetch: gets a path with its query and returns the decoded answer, None for an empty one.

    Raises:
        Refused: the answer is no list, or does not end.
    """
    if listing.paging == "none":
        yield from _entries(listing, fetch(with_query(listing.path, listing.query)))
        return
    before: list[dict[str, Any]] = []
    for number in range(1, MOST_PAGES + 1):
        # The size is spelt one way by most lists and the other way by some; the wrong spelling is ignored.
        sizes = {"page": number, "pagesize": PAGE_SIZE, "page_size": PAGE_SIZE}
        entries = _entries(listing, fetch(with_query(listing.path, {**sizes, **listing.query})))
        if not entries or entries == before:
            return
        yield from entries
        before = entries
    raise Refused(f"{listing.method} {listing.path}: more than {MOST_PAGES} pages; the list does not seem to end")


def _entries(listing: Listing, answer: Any) -> list[dict[str, Any]]:
    where = listing.items if listing.items is not None else _ITEMS.get(listing.paging, "")
    # Old consoles answer some of the paged lists with the bare array.
    found = answer if answer is None or isinstance(answer, list) else pointer.resolve(answer, where)
    if found is None:
        return []
    if found is MISSING or not isinstance(found, list):
        raise Refused(f"{listing.method} {listing.path}: the answer has no list at {where or 'its root'!r}")
    return [entry for entry in found if isinstance(entry, dict)]
