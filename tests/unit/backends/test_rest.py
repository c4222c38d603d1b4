from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from unit.backends.conftest import Connects, Console, reply

from policysync.backends.port import Backend
from policysync.errors import OutcomeUnknown, Refused, Unavailable
from policysync.kinds.kind import Kind
from policysync.plan.change import Action, Change
from policysync.state.normalize import desired_spec
from policysync.state.resource import Address, Resource

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


def test_a_page_that_fails_fails_the_whole_read(console: Console, kind: Kind, connected: Connects) -> None:
    console.on("GET", "/things", page({"name": "a"}), reply(503, retry_after="7"))
    with pytest.raises(Unavailable) as caught:
        list(connected(kind).read(kind))
    assert caught.value.retry_after == 7


def test_a_list_that_is_not_paged_is_read_once(console: Console, kind: Kind, connected: Connects) -> None:
    console.on("GET", "/things", page({"name": "a"}, {"name": "b"}))
    assert [r.address.name for r in connected(kind).read(kind)] == ["a", "b"]


def test_the_same_object_on_two_pages_is_one(console: Console, kind: Kind, connected: Connects) -> None:
    console.on("GET", "/things", page({"name": "a"}, {"name": "b"}), page({"name": "b"}, {"name": "c"}), page())
    assert [r.address.name for r in connected(kind).read(kind)] == ["a", "b", "c"]


def test_two_objects_of_one_name_are_refused(console: Console, kind_of: MakeKind, connected: Connects) -> None:
    kind = kind_of(id="number", properties={"number": {"x-read-only": True}})
    console.on("GET", "/things", page({"name": "a", "number": 1}, {"name": "a", "number": 2}), page())
    with pytest.raises(Refused, match="Thing/a: the console has two of this name"):
        list(connected(kind).read(kind))


def test_an_entry_without_a_name_is_left_out(console: Console, kind: Kind, connected: Connects) -> None:
    console.on("GET", "/things", page({"name": ""}, {"name": "b"}), page())
    assert [r.address.name for r in connected(kind).read(kind)] == ["b"]


def test_entries_of_other_kinds_and_the_products_own_are_left_out(
    console: Console, kind_of: MakeKind, connected: Connects
) -> None:
    kind = kind_of(list={"where": {"type": "x"}}, kind={"exclude": {"auto": True}})
    entries: list[dict[str, Any]] = [
        {"name": "a", "type": "x"},
        {"name": "b", "type": "y"},
        {"name": "c", "type": "x", "auto": True},
    ]
    console.on("GET", "/things", page(*entries), page())
    assert list(connected(kind).list(kind)) == ["a"]


def test_a_get_that_finds_another_kind_finds_nothing(console: Console, kind_of: MakeKind, connected: Connects) -> None:
    kind = kind_of(list={"where": {"type": "x"}})
    console.on("GET", "/things/a", reply(200, {"name": "a", "type": "y"}))
    assert list(connected(kind).read(kind, frozenset({"a"}))) == []


def test_summaries_are_read_again_one_by_one(console: Console, kind_of: MakeKind, connected: Connects) -> None:
    kind = kind_of(list={"bodies": "summary"})
    console.on("GET", "/things", page({"name": "a"}, {"name": "gone"}, {"name": "empty"}), page())
    console.on("GET", "/things/a", reply(200, {"name": "a", "size": 9}))
    console.on("GET", "/things/empty", reply(200, {"name": ""}))
    assert [(r.address.name, r.spec["size"]) for r in connected(kind).read(kind)] == [("a", 9)]


def test_a_body_that_cannot_be_read_fails_the_whole_read(
    console: Console, kind_of: MakeKind, connected: Connects
) -> None:
    kind = kind_of(list={"bodies": "summary"})
    console.on("GET", "/things", page({"name": "a"}, {"name": "b"}), page())
    console.on("GET", "/things/a", reply(200, {"name": "a"}))
    console.on("GET", "/things/b", reply(500, {"message": "SQLSTATE 40001"}))
    with pytest.raises(Unavailable, match=r"GET /things/b: 500: .*SQLSTATE 40001"):
        list(connected(kind).read(kind))


def test_named_objects_are_fetched_directly(console: Console, kind: Kind, connected: Connects) -> None:
    console.on("GET", "/things/a%2Fb%20%25", reply(200, {"name": "a/b %"}))
    read = connected(kind).read(kind, frozenset({"a/b %", "gone"}))
    assert [r.address.name for r in read] == ["a/b %"]
    assert console.calls("GET") == ["/things/a%2Fb%20%25", "/things/gone"]


def test_named_objects_with_ids_are_found_in_the_list(console: Console, kind_of: MakeKind, connected: Connects) -> None:
    kind = kind_of(id="number", list={"bodies": "summary"}, properties={"number": {"x-read-only": True}})
    console.on("GET", "/things", page({"name": "a", "number": 1}, {"name": "b", "number": 2}), page())
    console.on("GET", "/things/2", reply(200, {"name": "b", "number": 2, "size": 8}))
    (resource,) = connected(kind).read(kind, frozenset({"b"}))
    assert (resource.id, resource.spec["size"]) == ("2", 8)
    assert "/things/1" not in console.calls("GET")


@pytest.mark.parametrize("name", ["", ".", ".."])
def test_an_id_that_would_mean_the_collection_is_never_sent(
    name: str, console: Console, kind: Kind, connected: Connects
) -> None:
    live = Resource(Address("Thing", name), {"name": name}, id=name, raw={"name": name})
    with pytest.raises(Refused, match="would mean the collection"):
        connected(kind).write(delete(live), kind)
    assert console.calls("DELETE") == []


def test_creating_what_is_there_already_and_equal_is_done(console: Console, kind: Kind, connected: Connects) -> None:
    console.on("POST", "/things", reply(409, {"message": "exists"}))
    console.on("GET", "/things/a", reply(200, {"name": "a", "size": 3, "tags": None}))
    connected(kind).write(create(stated(kind, name="a", size=3)), kind)


def test_creating_what_is_there_already_and_differs_is_refused(
    console: Console, kind: Kind, connected: Connects
) -> None:
    console.on("POST", "/things", reply(409, {"message": "name is taken"}))
    console.on("GET", "/things/a", reply(200, {"name": "a", "size": 4}))
    with pytest.raises(Refused, match=r"POST /things: 409: .*name is taken"):
        connected(kind).write(create(stated(kind, name="a", size=3)), kind)


def test_deleting_what_is_gone_is_done(console: Console, kind: Kind, connected: Connects) -> None:
    live = Resource(Address("Thing", "a"), {"name": "a"}, id="a", raw={"name": "a"})
    connected(kind).write(delete(live), kind)
    assert console.calls("DELETE") == ["/things/a"]


def test_without_an_update_call_a_change_deletes_and_creates(
    console: Console, kind_of: MakeKind, connected: Connects
) -> None:
    kind = kind_of(update=None)
    console.on("DELETE", "/things/a", reply(204))
    console.on("POST", "/things", reply(204))
    live = Resource(Address("Thing", "a"), {"name": "a", "size": 4, "tags": ["x"]}, id="a", raw={"name": "a"})
    connected(kind).write(update(live, stated(kind, name="a", size=5)), kind)
    assert console.sent("POST") == [{"name": "a", "size": 5, "tags": ["x"]}]


def test_a_replacement_that_fails_halfway_says_so(console: Console, kind: Kind, connected: Connects) -> None:
    console.on("DELETE", "/things/a", reply(204))
    console.on("POST", "/things", reply(400, {"message": "bad size"}))
    live = Resource(Address("Thing", "a"), {"name": "a"}, id="a", raw={"name": "a"})
    with pytest.raises(Refused, match=r"was deleted to be replaced and could not be created again.*bad size"):
        connected(kind).write(update(live, stated(kind, name="a", size=5), replace=True), kind)


def test_a_replacement_that_is_put_off_halfway_was_begun(console: Console, kind: Kind, connected: Connects) -> None:
    console.on("DELETE", "/things/a", reply(204))
    console.on("POST", "/things", reply(429, {"message": "later"}, Retry_After="7"))
    live = Resource(Address("Thing", "a"), {"name": "a"}, id="a", raw={"name": "a"})
    with pytest.raises(OutcomeUnknown, match="429") as raised:
        connected(kind).write(update(live, stated(kind, name="a", size=5), replace=True), kind)
    assert raised.value.retry_after == 7


def test_an_answer_to_a_create_that_cannot_be_read_says_that_something_was_done(
    console: Console, kind: Kind, connected: Connects
) -> None:
    deep: Any = {}
    for _ in range(100):
        deep = {"more": deep}
    console.on("POST", "/things", reply(201, deep))
    with pytest.raises(OutcomeUnknown, match="nested deeper"):
        connected(kind).write(create(stated(kind, name="a")), kind)


def test_bodies_go_out_in_the_form_the_call_wants(console: Console, kind_of: MakeKind, connected: Connects) -> None:
    wrap = {"method": "POST", "path": "/things", "body": {"wrap": "issues", "lift": ["size"]}}
    bulk = {"method": "DELETE", "path": "/things/multiple", "body": {"wrap": "issues"}}
    kind = kind_of(create=wrap, delete=bulk)
    console.on("POST", "/things", reply(204))
    console.on("DELETE", "/things/multiple", reply(204))
    backend = connected(kind)
    backend.write(create(stated(kind, name="a", size=5)), kind)
    assert console.sent("POST") == [{"size": 5, "issues": [{"name": "a", "tags": []}]}]
    backend.write(delete(Resource(Address("Thing", "a"), {"name": "a", "size": 5})), kind)
    assert console.sent("DELETE") == [{"issues": [{"name": "a", "size": 5, "tags": []}]}]


def test_answers_under_other_names_are_taken_under_ours(
    console: Console, kind_of: MakeKind, connected: Connects
) -> None:
    kind = kind_of(list={"rename": {"label": "name"}})
    console.on("GET", "/things", page({"label": "a"}), page())
    assert list(connected(kind).list(kind)) == ["a"]


def test_ids_are_looked_up_by_name_and_again_when_unknown(
    console: Console, kind_of: MakeKind, connected: Connects
) -> None:
    other = kind_of("Script", id="number", properties={"number": {"x-read-only": True}})
    members = {"script": {"type": "string"}, "script_id": {"x-env-specific": "script", "x-ref": "Script"}}
    kind = kind_of(properties=members)
    backend = connected(kind, other)
    console.on("POST", "/things", reply(201))
    console.on("GET", "/scripts", page({"name": "s", "number": 7}), page(), page({"name": "t", "number": 8}), page())
    for name, script in (("a", "s"), ("b", "s"), ("c", "t")):
        backend.write(create(stated(kind, name=name, script=script)), kind)
    assert [body["script_id"] for body in console.sent("POST")] == [7, 7, 8]
    assert len(console.calls("GET")) == 4


def test_another_api_needs_its_own_host(console: Console, kind_of: MakeKind, kind: Kind, connected: Connects) -> None:
    kind = kind_of(base="posture")
    with pytest.raises(Refused, match="no address of the posture API, which serves each thing: only SaaS has it"):
        list(connected(kind).read(kind))


@pytest.mark.parametrize(
    ("status", "failure"), [(500, OutcomeUnknown), (504, OutcomeUnknown), (503, Unavailable), (400, Refused)]
)
def test_failures_of_a_write(
    status: int, failure: type[Exception], console: Console, kind: Kind, connected: Connects
) -> None:
    console.on("POST", "/things", reply(status, {"message": "no"}))
    with pytest.raises(failure, match=f"POST /things: {status}"):
        connected(kind).write(create(stated(kind, name="a")), kind)


def test_a_change_without_its_resource_is_refused(kind: Kind, connected: Connects) -> None:
    with pytest.raises(Refused, match="lacks the resource"):
        connected(kind).write(Change(Action.UPDATE, Address("Thing", "a"), None, None), kind)


def test_what_has_no_call_is_refused(kind_of: MakeKind, connected: Connects) -> None:
    kind = kind_of(create=None)
    with pytest.raises(Refused, match="cannot be created over the API"):
        connected(kind).write(create(stated(kind, name="a")), kind)
