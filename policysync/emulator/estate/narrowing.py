"""Query parameters about images and findings → what has to be true of a row.

Source: reference, policies 14. Switches are the words true and false.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import orjson

from policysync.emulator import paging
from policysync.emulator.exchange import Response
from policysync.emulator.ordering import rank

Row = Mapping[str, Any]
Test = Callable[[Row], bool]

_COUNT = {"paging": "count", "size": ("pagesize", "page_size")}


def images(query: Mapping[str, str], now: datetime) -> list[Test]:
    """Return the tests of `image` that a query asks for."""
    tests: list[Test] = [*_equals(query, {"registry": "registry", "registry_name": "registry"})]
    tests += _equals(query, {"repository": "repository", "scan_status": "scan_status", "digest": "digest"})
    if query.get("name"):
        tests.append(lambda image: query["name"].lower() in image["name"].lower())
    if query.get("disallowed") in ("true", "false"):
        tests.append(lambda image: image["disallowed"] == (query["disallowed"] == "true"))
    if query.get("first_found_date"):
        tests.append(_dated(query["first_found_date"], now))
    return tests


def findings(query: Mapping[str, str]) -> Iterator[Test]:
    """Yield the tests of a finding that a query asks for."""
    yield from _equals(query, {"registry_name": "registry", "digest": "image_digest", "cluster": "cluster"})
    yield from _switches(query)
    if query.get("image_name"):
        exact, wanted = query.get("image_name_exact_match") == "true", query["image_name"]
        yield lambda row: row["image_name"] == wanted if exact else wanted in row["image_name"]
    for name, member in (("severities", "aqua_severity"), ("namespace_names", "name_space")):
        if query.get(name):
            yield _among(member, query[name].split(","))
    for name in ("exploit_availability", "exploit_type"):
        if query.get(name):
            yield _among(name, query[name].split(","))
    if query.get("text_search"):
        text = query["text_search"].lower()
        yield lambda row: any(
            text in said.lower() for said in (row["name"], row["resource"]["name"], row["image_name"])
        )


def _switches(query: Mapping[str, str]) -> Iterator[Test]:
    """Fixable, acknowledged, running, negligible and of the base image: five yes-or-no questions."""
    if query.get("show_negligible") == "false":
        yield lambda row: row["aqua_severity"] != "negligible"
    if query.get("hide_base_image") == "true":
        yield lambda row: not row["base_image_vulnerability"]
    asked: Mapping[str, Callable[[Row], Any]] = {
        "fix_availability": lambda row: row["fix_version"],
        "acknowledge_status": lambda row: row["acknowledged_date"],
        "has_workloads": lambda row: row["has_running_workloads"],
    }
    for name, said in asked.items():
        if query.get(name) in ("true", "false"):
            yield _is(said, query[name] == "true")


def _is(said: Callable[[Row], Any], wanted: bool) -> Test:
    return lambda row: bool(said(row)) == wanted


def _among(member: str, wanted: list[str]) -> Test:
    return lambda row: row[member] in wanted


def _equals(query: Mapping[str, str], members: Mapping[str, str]) -> Iterator[Test]:
    for name, member in members.items():
        if query.get(name):
            yield _among(member, [query[name]])


def _dated(text: str, now: datetime) -> Test:
    """`over|90|days` is longer ago than that, `last|90|days` not so long."""
    words = text.split("|")
    if len(words) != 3 or not words[1].isdecimal() or len(words[1]) > 5:
        return lambda image: True
    since = (now - timedelta(days=int(words[1]))).isoformat()
    older = words[0] == "over"
    return lambda image: (image["first_found_date"] < since) == older


def paged(rows: list[Any], query: Mapping[str, str], order: str = "name") -> Response:
    """Return one page of rows in the console's envelope, in the order the query asks for."""
    page = paging.page_of(query, _COUNT)
    asked = page.order or order
    by = asked.lstrip("-")
    rows = sorted(rows, key=lambda row: rank(row.get(by)), reverse=asked.startswith("-"))
    shown = [orjson.dumps(row) for row in rows[page.start : page.start + page.size]]
    total = None if query.get("skip_count") == "true" else len(rows)
    return paging.wrap(shown, total, page, _COUNT)
