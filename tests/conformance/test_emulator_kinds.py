"""The console behaves alike for every kind there is: laws over the product's own schemas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from unit.emulator.caller import Answer, Caller

from policysync.clock import FakeClock
from policysync.emulator.embedded import embedded
from policysync.emulator.settings import Settings
from policysync.kinds.kind import Kind
from policysync.kinds.load import load_kinds

ALL = load_kinds()
KINDS = [kind for kind in ALL.values() if "aqua" in kind.backends and kind.api.get("create") and not kind.slots]
WITH_URL = [kind for kind in KINDS if kind.api.get("update")]
NAME = "of ours"
MORE: dict[str, dict[str, Any]] = {"User": {"password": "long enough", "roles": ["Scanner"]}}
"""What a kind refuses to be without."""


@pytest.fixture(params=["off", "mild", "harsh"])
def one(request: pytest.FixtureRequest) -> Iterator[Caller]:
    local = embedded(None, ALL, settings=Settings(quirks=request.param, hidden_for=0), clock=FakeClock())
    yield Caller(local)
    local.close()


def identity(kind: Kind) -> dict[str, Any]:
    """Return the smallest body: the key, and what tells the kind from others with the same path."""
    where = kind.api["list"].get("where", {})
    return {**dict.fromkeys(kind.key[:2], NAME), **where, **MORE.get(kind.name, {})}


def call(one: Caller, kind: Kind, operation: str, body: Any = None, ident: str = "") -> Answer:
    api = kind.api[operation]
    only = only_of(api)
    if only and isinstance(body, dict):
        body = {name: value for name, value in body.items() if name in only}
    if api.get("body") == "keys":
        body = [NAME]
    return one.send(api["method"], api["path"].replace("{id}", quote(ident, safe="")), body)


def only_of(api: Any) -> Any:
    """Return the closed list of members a call takes."""
    form = api.get("body")
    return form.get("only") if isinstance(form, dict) else None


def create(one: Caller, kind: Kind) -> Answer:
    form = kind.api["create"].get("body", "object")
    body: Any = identity(kind)
    if form == "array":
        body = [body]
    elif "wrap" in form:
        body = {form["wrap"]: [body]}
    return call(one, kind, "create", body)


def listed(one: Caller, kind: Kind) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    style = kind.api["list"].get("paging", "count")
    for page in range(1, 50):
        size = f"page={page}&pagesize=3&page_size=3&size=3&limit=3&offset={3 * page - 3}"
        answer = one.get(f"{kind.api['list']['path']}?{size}").json
        if style == "map":
            return [item for items in answer.values() for item in items or []]
        items = answer
        if isinstance(answer, dict):
            items = next((answer[name] for name in ("result", "data", "permissions") if name in answer), None)
        found += items or []
        if isinstance(answer, list) or not items:
            return found
    raise AssertionError("pages do not end")


def ident_of(one: Caller, kind: Kind) -> str:
    ours = [item for item in listed(one, kind) if item.get(kind.key[0]) == NAME]
    assert len(ours) == 1
    return str(ours[0][kind.api["id"]])


def read(one: Caller, kind: Kind, ident: str) -> Any:
    answer = call(one, kind, "get", ident=ident).json
    return answer["data"] if kind.api["get"].get("item") else answer


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_sparse_create_answers_as_the_schema_says_and_is_listed(one: Caller, kind: Kind) -> None:
    before = len(listed(one, kind))
    made = create(one, kind)
    assert made.status == kind.api["create"].get("canonical", kind.api["create"]["success"][0])
    assert (made.body in (b"", b"{}")) == (kind.api["create"].get("answer") not in ("object", "array"))
    assert made.status == 204 or made.json is not None
    assert len(listed(one, kind)) == before + 1


@pytest.mark.parametrize("kind", WITH_URL, ids=lambda kind: kind.name)
def test_what_is_read_can_be_written_back_and_changes_nothing_but_the_order_of_sets(one: Caller, kind: Kind) -> None:
    create(one, kind)
    ident = ident_of(one, kind)
    before = read(one, kind, ident)
    body = {**before, **MORE.get(kind.name, {})}
    assert call(one, kind, "update", body, ident).status in kind.api["update"]["success"]
    assert unordered(read(one, kind, ident)) == unordered(before)


@pytest.mark.parametrize("kind", WITH_URL, ids=lambda kind: kind.name)
def test_deleted_is_gone(one: Caller, kind: Kind) -> None:
    create(one, kind)
    ident = ident_of(one, kind)
    assert call(one, kind, "delete", ident=ident).status in kind.api["delete"]["success"]
    gone = call(one, kind, "get", ident=ident)
    assert gone.status == 404 or not read(one, kind, ident)[kind.key[0]]
    assert call(one, kind, "delete", ident=ident).status == 404


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_what_is_built_in_stays(one: Caller, kind: Kind) -> None:
    for builtin in kind.builtins:
        if builtin.name:
            ours = next(item for item in listed(one, kind) if item.get(kind.key[0]) == builtin.name)
            ident = str(ours[kind.api["id"]])
            assert read(one, kind, ident)[kind.key[0]] == builtin.name
            assert call(one, kind, "delete", ident=ident).status in (400, 403)


def unordered(value: Any) -> Any:
    """Return a value in which the order of lists, and null for an empty one, make no difference."""
    if isinstance(value, dict):
        return {name: unordered(inner) for name, inner in value.items() if inner not in (None, [])}
    if isinstance(value, list):
        return sorted((unordered(item) for item in value), key=repr)
    return value
