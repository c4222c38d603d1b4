"""One console as a whole: whatever comes in, an answer goes out."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from unit.emulator.caller import Caller
from unit.emulator.conftest import Open

from policysync.emulator.console import Console
from policysync.emulator.embedded import embedded
from policysync.emulator.exchange import Request
from policysync.emulator.settings import Settings
from policysync.emulator.store import Store
from policysync.kinds.load import Kinds

FIELDS = st.sampled_from(
    ["name", "locked", "days", "keys", "frame", "options", "score", "range", "pane", "title", "topic"]
)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(FIELDS | st.text(max_size=3), inner, max_size=6),
    max_leaves=12,
)
TARGETS = st.sampled_from(
    ["/api/v2/doors", "/api/v2/windows", "/api/v2/tickets", "/api/v2/notes", "/api/v2/scripts", "/v2/gadgets"]
)


@pytest.fixture(scope="module")
def one(small_kinds: Kinds) -> Iterator[Caller]:
    local = embedded(None, small_kinds)
    yield Caller(local)
    local.close()


@settings(deadline=None)
@given(target=TARGETS, body=st.dictionaries(FIELDS, JSON) | JSON)
def test_no_body_breaks_it(one: Caller, target: str, body: Any) -> None:
    for sent in (body, [body], {"issues": [body]}):
        assert one.post(target, sent).status in (200, 201, 204, 400, 409)
    assert one.put("/api/v2/doors/Front", body).status in (204, 400)


@settings(deadline=None)
@given(raw=st.binary(max_size=40))
def test_no_bytes_break_it(one: Caller, raw: bytes) -> None:
    assert one.post("/api/v2/doors", raw).status in (201, 400, 409)
    assert one.send("POST", "/api/v1/login", raw).status in (400, 401)


@settings(deadline=None)
@given(path=st.text(alphabet="/%ab2F{}.?&=#~", max_size=30), credential=st.text(max_size=20))
def test_no_path_and_no_credential_break_it(one: Caller, path: str, credential: str) -> None:
    assert one.get(f"/{path}").status in (200, 404, 405)
    assert one.get(f"/api/v2/doors/{path}").status in (200, 404, 405)
    for scheme in ("Bearer", "Basic", ""):
        assert one.send("GET", "/api/v2/doors", Authorization=f"{scheme} {credential}").status == 401


@settings(deadline=None)
@example(page="9" * 40, size="9" * 40)
@example(page="9" * 5000, size=1)
@given(page=st.integers() | st.text(max_size=4), size=st.integers() | st.text(max_size=4))
def test_no_page_breaks_it(one: Caller, page: object, size: object) -> None:
    from urllib.parse import urlencode

    query = urlencode({"page": str(page), "pagesize": str(size), "order_by": str(size)})
    assert one.get(f"/api/v2/doors?{query}").status == 200


def test_kinds_of_other_systems_are_not_served(small_kinds: Kinds) -> None:
    elsewhere = {"Door": small_kinds["Door"], "Other": small_kinds["Ticket"]}
    console = Console({name: kind for name, kind in elsewhere.items() if name == "Door"}, Store())
    token = console._tokens.issue("me", 60)
    headers = {"authorization": f"Bearer {token}"}
    assert console.handle(Request("GET", "/api/v2/doors", headers)).status == 200
    assert console.handle(Request("GET", "/api/v2/tickets", headers)).status == 404
    console.close()


def test_many_threads_create_each_object_once(console: Open, tmp_path: Path) -> None:
    one = console(store=tmp_path / "c.sqlite")
    statuses: list[int] = []

    def work() -> None:
        statuses.extend(one.post("/api/v2/doors", {"name": f"d{number}"}).status for number in range(30))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (statuses.count(201), statuses.count(409)) == (30, 150)
    found = one.get("/api/v2/doors?pagesize=100").json
    assert found["count"] == 32
    assert len({door["id"] for door in found["result"]}) == 32


def test_the_author_is_who_signed_in(console: Open) -> None:
    one = console(user="mary")
    assert one.login.status == 401
    mary = Caller(one.local, user="mary")
    assert mary.post("/api/v2/doors", {"name": "shed"}).json["author"] == "mary"


def test_settings_have_the_documented_account() -> None:
    assert (Settings().user, Settings().password) == ("administrator", "emulator")
