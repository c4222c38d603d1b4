"""Every page of a list, or none: a list that is not whole is never taken for a whole one.

Source: reference, policies 3.2, platform 2.1 and 2.2.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import Any

from policysync import pointer
from policysync.backends.routes import Listing, with_query
from policysync.errors import Refused
from policysync.pointer import MISSING

PAGE_SIZE = 200
TOKEN_PAGE_SIZE = 100
MOST_PAGES = 10_000
PASSES = 3
"""How often a list that moves while it is read is read."""

Fetch = Callable[[str], Any]
"""Gets a path with its query and returns the decoded answer, None for an empty one."""

_ITEMS = {
    "count": "/result",
    "data": "/data",
    "current_page": "/data",
    "offset": "/data",
    "pages": "/permissions",
    "token": "/items",
    "none": "",
    "map": "",
}


def page_through(listing: Listing, fetch: Fetch) -> Iterator[dict[str, Any]]:
    """Yield each entry of a list, some perhaps twice when the list moves while it is read.

    Raises:
        Refused: the answer is no list, or does not end.
    """
    if listing.paging == "none":
        yield from _entries(listing, fetch(with_query(listing.path, listing.query)))
    elif listing.paging == "map":
        yield from _mapped(listing, fetch(with_query(listing.path, listing.query)))
    elif listing.paging == "offset":
        yield from _by_offset(listing, fetch)
    elif listing.paging == "token":
        yield from _by_token(listing, fetch)
    else:
        yield from _by_page(listing, fetch)


def _by_page(listing: Listing, fetch: Fetch) -> Iterator[dict[str, Any]]:
    """Yield the entries of numbered pages.

    When something before a page goes, what follows moves up and is on no page that is still to come. The console's
    count tells: where it changes between pages, the list is read again, and nothing that was seen is left out.
    """
    for _ in range(PASSES):
        counts = yield from _one_pass(listing, fetch)
        if len(counts) <= 1:
            return


def _one_pass(listing: Listing, fetch: Fetch) -> Generator[dict[str, Any], None, set[int]]:
    """Yield the entries of all pages, and return what the pages say of how many there are.

    The end is an empty page: pages may be short in the middle, and `count` may be wrong. A page that repeats the
    one before comes from a console that does not page this list.
    """
    before: list[dict[str, Any]] = []
    counts: set[int] = set()
    ends: set[bytes] = set()
    # The size is spelt one way by most lists and another way by some; the wrong spelling is ignored.
    names = ("size",) if listing.paging == "pages" else ("pagesize", "page_size")
    for number in range(1, MOST_PAGES + 1):
        sizes = {"page": number, **dict.fromkeys(names, PAGE_SIZE)}
        answer = fetch(with_query(listing.path, {**sizes, **listing.query}))
        if number == 1:
            _check_said(listing, answer)
        entries = _entries(listing, answer)
        # Some count what is on the page.
        counts |= _count(answer) - {len(entries)}
        if not entries or entries == before:
            return counts
        # Pages that go round would be asked for again and again.
        if (marks := _ends(entries)) in ends:
            raise Refused(f"{listing.method} {listing.path}: page {number} is one of those before; the list goes round")
        ends.add(marks)
        yield from entries
        before = entries
    raise _endless(listing)


def _ends(entries: list[dict[str, Any]]) -> bytes:
    return hashlib.sha256(json.dumps([len(entries), entries[0], entries[-1]], sort_keys=True).encode()).digest()


def _count(answer: Any) -> set[int]:
    """Return how many entries there are, if the answer says so. Some consoles count nothing past the end."""
    stated = answer.get("count", answer.get("total_count")) if isinstance(answer, Mapping) else None
    return {stated} if isinstance(stated, int) and stated > 0 else set()


def _by_offset(listing: Listing, fetch: Fetch) -> Iterator[dict[str, Any]]:
    """Yield the entries of a list whose answers say where the next part starts, or that there is none."""
    offset = 0
    for _ in range(MOST_PAGES):
        answer = fetch(with_query(listing.path, {"limit": PAGE_SIZE, "offset": offset, **listing.query}))
        _check_said(listing, answer)
        entries = _entries(listing, answer)
        yield from entries
        following = pointer.resolve(answer, "/meta/next_offset") if isinstance(answer, Mapping) else MISSING
        # An offset that does not move on would be asked for again and again.
        if not entries or not isinstance(following, int) or following <= offset:
            return
        offset = following
    raise _endless(listing)


def _by_token(listing: Listing, fetch: Fetch) -> Iterator[dict[str, Any]]:
    """Yield the entries of a list each of whose answers names the next one. Later pages take nothing but that name.

    Source: reference, apono-api, paging.
    """
    query: Mapping[str, Any] = {"limit": TOKEN_PAGE_SIZE, **listing.query}
    seen: set[str] = set()
    while True:
        answer = fetch(with_query(listing.path, query))
        yield from _entries(listing, answer)
        following = pointer.resolve(answer, "/pagination/next_page_token") if isinstance(answer, Mapping) else MISSING
        if not following:
            return
        if following in seen or len(seen) >= MOST_PAGES:
            raise _endless(listing)
        seen.add(following)
        query = {"page_token": following}


def _mapped(listing: Listing, answer: Any) -> Iterator[dict[str, Any]]:
    """Yield the entries of a list whose answer is an object: each of its names stands in every entry below it."""
    if not isinstance(answer, Mapping):
        yield from _entries(listing, answer)
        return
    for name, held in answer.items():
        if not listing.single and not isinstance(held, list | None):
            raise Refused(f"{listing.method} {listing.path}: what stands under {name!r} is no list")
        for entry in [held] if listing.single else held or ():
            if not isinstance(entry, Mapping | None):
                raise Refused(f"{listing.method} {listing.path}: what stands under {name!r} is not what is listed")
            if entry is not None:
                yield {**entry, listing.map: entry.get(listing.map) or name}


def _entries(listing: Listing, answer: Any) -> list[dict[str, Any]]:
    places = listing.items or (_ITEMS.get(listing.paging, ""),)
    # Old consoles answer some of the paged lists with the bare array.
    bare = answer is None or isinstance(answer, list)
    found = answer if bare else next((at for p in places if (at := pointer.resolve(answer, p)) is not MISSING), MISSING)
    if found is None:
        return []
    if found is MISSING or not isinstance(found, list):
        where = " or ".join(repr(place) for place in places if place) or "its root"
        raise Refused(f"{listing.method} {listing.path}: the answer has no list at {where}")
    if not all(isinstance(entry, dict | None) for entry in found):
        raise Refused(f"{listing.method} {listing.path}: an entry of the list is no object")
    return [entry for entry in found if entry is not None]


def _check_said(listing: Listing, answer: Any) -> None:
    """Refuse an answer that says nothing where nothing does not mean none: it may come from something in between."""
    if answer is None and not listing.silent:
        raise Refused(f"{listing.method} {listing.path}: the answer says nothing, want a list")


def _endless(listing: Listing) -> Refused:
    return Refused(f"{listing.method} {listing.path}: more than {MOST_PAGES} pages; the list does not seem to end")
