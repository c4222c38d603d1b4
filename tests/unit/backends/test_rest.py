from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from policysync.backends.port import Backend
from policysync.errors import OutcomeUnknown, Refused, Unavailable
from policysync.kinds.kind import Kind
from policysync.plan.change import Action, Change
from policysync.state.normalize import desired_spec
from policysync.state.resource import Address, Resource
from unit.backends.conftest import Connects, Console, reply

MakeKind = Callable[..., Kind]


def page(*entries: dict[str, Any]) -> Any:
    return reply(200, {"count": len(entries), "result": list(entries)})


def stated(kind: Kind, **spec: Any) -> Resource:
    return Resource(Address(kind.name, kind.name_of(spec)), desired_spec(kind, spec))


def create(after: Resource) -> Change:
    return Change(Action.CREATE, after.address, None, after)


def update(before: Resource, after: Resource, replace: bool = False) -> Change:
    return Change(Action.UPDATE, after.address, before, after, replace=replace)


def delete(before: Resource) -> Change:
    return Change(Action.DELETE, before.address, before, None)


def only(backend: Backend, kind: Kind) -> Resource:
    (resource,) = backend.read(kind)
    return resource


def test_reads_every_page_until_an_empty_one(console: Console, kind: Kind, connected: Connects) -> None:
    console.on("GET", "/things", page({"name": "a"}, {"name": "b", "size": 7}), page({"name": "c"}), page())
    read = {r.address.name: r.spec["size"] for r in connected(kind).read(kind)}
    assert read == {"a": 3, "b": 7, "c": 3}
    assert [call.partition("&")[0] for call in console.calls("GET")] == [
        "/things?page=1",
        "/things?page=2",
        "/things?page=3",
    ]
    assert "pagesize=200&page_size=200" in console.calls("GET")[0]


def test_writes_and_reads_a_simple_kind(console: Console, kind: Kind, connected: Connects) -> None:
    backend = connected(kind)
    console.on("POST", "/things", reply(201))
    backend.write(create(stated(kind, name="a", tags=["y", "x"])), kind)
    assert console.sent("POST") == [{"name": "a", "size": 3, "tags": ["x", "y"]}]
    console.on("GET", "/things", page({"name": "a", "size": 5, "new": True}), page())
    console.on("PUT", "/things/a", reply(204))
    live = only(backend, kind)
    backend.write(update(live, stated(kind, name="a", tags=["x"])), kind)
    assert console.sent("PUT") == [{"name": "a", "size": 5, "tags": ["x"], "new": True}]
    console.on("DELETE", "/things/a", reply(202))
    backend.write(delete(live), kind)
    assert console.calls("DELETE") == ["/things/a"]
