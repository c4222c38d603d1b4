"""What the words of `x-kind` and `x-api` make of tiny kinds, call by call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from unit.backends.conftest import Connects, Console, reply

from policysync.backends.port import Backend
from policysync.errors import Refused
from policysync.kinds.kind import Kind
from policysync.plan.change import Action, Cause, Change, Edit, Posture
from policysync.pointer import MISSING
from policysync.secret import Secret
from policysync.state.normalize import desired_spec
from policysync.state.resource import Address, Resource

MakeKind = Callable[..., Kind]

ITEM = {"method": "PUT", "path": "/things/{id}"}
ONE = {"method": "GET", "path": "/settings/thing", "missing": [404, 400]}
PUT_ONE = {"method": "PUT", "path": "/settings/thing"}
NOTHING: dict[str, Any] = {"list": None, "get": None, "create": None, "update": None, "delete": None}
SINGLE = {"kind": {"key": [], "singleton": True}, **NOTHING, "get": ONE, "update": PUT_ONE}
PART = {"type": "object", "properties": {"roles": {"type": "object", "additionalProperties": {"type": "string"}}}}
RESET = {**ITEM, "body": {"const": {"name": "$id", "size": 3}}}
NUMBERED = {"id": "number", "properties": {"number": {"x-read-only": True, "x-env-specific": True}}}


@pytest.fixture
def made(kind_of: MakeKind) -> MakeKind:
    """Returns a function that makes a kind whose calls may be null."""

    def make(name: str = "Thing", **differences: Any) -> Kind:
        listed = differences.get("list", {})
        kind = kind_of(name, **{**differences, "list": listed or {}})
        return kind if listed is not None else _unlisted(kind)

    return make


def _unlisted(kind: Kind) -> Kind:
    return Kind(**{**{slot: getattr(kind, slot) for slot in kind.__slots__}, "api": {**kind.api, "list": None}})


def stated(kind: Kind, **spec: Any) -> Resource:
    return Resource(Address(kind.name, kind.name_of(spec)), desired_spec(kind, spec))


def write(backend: Backend, kind: Kind, before: Resource | None, after: Resource | None, *changed: str) -> None:
    action = Action.CREATE if before is None else Action.DELETE if after is None else Action.UPDATE
    address = (after or before or stated(kind)).address
    edits = tuple(Edit((name,), MISSING, MISSING, Cause.PENDING, Posture.NEUTRAL, False) for name in changed)
    backend.write(Change(action, address, before, after, edits), kind)


def only(backend: Backend, kind: Kind, *names: str) -> Resource:
    (found,) = backend.read(kind, frozenset(names) if names else None)
    return found


class TestSingletons:
    def test_there_is_one_and_it_is_called_settings(
        self, console: Console, made: MakeKind, connected: Connects
    ) -> None:
        kind = made(**SINGLE)
        console.on("GET", "/settings/thing", reply(200, {"size": 5, "new": True}))
        backend = connected(kind)
        live = only(backend, kind)
        assert (str(live.address), live.spec["size"]) == ("Thing/settings", 5)
        assert list(backend.list(kind)) == ["settings"]
        assert list(backend.read(kind, frozenset({"other"}))) == []

    def test_an_update_is_laid_over_it(self, console: Console, made: MakeKind, connected: Connects) -> None:
        kind = made(**SINGLE)
        console.on("GET", "/settings/thing", reply(200, {"size": 5, "tags": ["a"], "new": True}))
        console.on("PUT", "/settings/thing", reply(204))
        backend = connected(kind)
        write(backend, kind, only(backend, kind), stated(kind, size=7))
        assert console.sent("PUT") == [{"size": 7, "tags": ["a"], "new": True}]

    def test_one_that_is_not_set_up_is_written_all_the_same(
        self, console: Console, made: MakeKind, connected: Connects
    ) -> None:
        kind = made(**SINGLE)
        console.on("GET", "/settings/thing", reply(400, {"message": "not configured"}))
        console.on("PUT", "/settings/thing", reply(204))
        backend = connected(kind)
        assert list(backend.read(kind)) == []
        write(backend, kind, None, stated(kind, size=7))
        assert console.sent("PUT")[0]["size"] == 7

    def test_it_cannot_be_deleted(self, console: Console, made: MakeKind, connected: Connects) -> None:
        kind = made(**SINGLE)
        with pytest.raises(Refused, match="a Thing cannot be deleted over the API"):
            write(connected(kind), kind, stated(kind, size=1), None)
        assert console.calls("DELETE") == []


class TestComposites:
    def kind(self, made: MakeKind) -> Kind:
        parts = {
            name: {
                "get": {"method": "GET", "path": f"/settings/{name}"},
                "update": {"method": "PUT", "path": f"/settings/{name}"},
                "only": ["roles"],
            }
            for name in ("a", "b")
        }
        about = {"key": [], "singleton": True}
        return made(kind=about, **NOTHING, parts=parts, properties={"a": PART, "b": PART})

    def test_each_part_is_a_document_of_its_own(self, console: Console, made: MakeKind, connected: Connects) -> None:
        kind = self.kind(made)
        console.on("GET", "/settings/a", reply(200, {"on": True, "roles": {"Admin": "x"}}))
        live = only(connected(kind), kind)
        assert live.spec["a"] == {"roles": {"Admin": "x"}}
        assert set(live.raw) == {"a"}

    def test_only_parts_that_change_are_written_and_whole(
        self, console: Console, made: MakeKind, connected: Connects
    ) -> None:
        kind = self.kind(made)
        console.on("GET", "/settings/a", reply(200, {"on": True, "roles": {"Admin": "x"}}))
        console.on("GET", "/settings/b", reply(200, {"on": False, "roles": {"Admin": "x"}}))
        console.on("PUT", "/settings/a", reply(204))
        console.on("PUT", "/settings/b", reply(204))
        backend = connected(kind)
        after = stated(kind, a={"roles": {"Admin": "x"}}, b={"roles": {"Other": "y"}})
        write(backend, kind, only(backend, kind), after)
        assert console.calls("PUT") == ["/settings/b"]
        assert console.sent("PUT") == [{"on": False, "roles": {"Other": "y"}}]

    def test_a_part_nobody_states_is_left_alone(self, console: Console, made: MakeKind, connected: Connects) -> None:
        kind = self.kind(made)
        console.on("GET", "/settings/a", reply(200, {"roles": {"Admin": "x"}}))
        console.on("GET", "/settings/b", reply(200, {"roles": {"Admin": "x"}}))
        console.on("PUT", "/settings/a", reply(204))
        backend = connected(kind)
        write(backend, kind, only(backend, kind), stated(kind, a={"roles": {}}))
        assert console.sent("PUT") == [{"roles": {}}]


class TestSlots:
    def kind(self, made: MakeKind) -> Kind:
        listed = {"paging": "map", "map": "name", "map-of": "object"}
        return made(kind={"slots": ["One", "Two"]}, list=listed, create=ITEM, delete=RESET)

    def test_one_that_holds_nothing_is_only_there_when_it_is_asked_for(
        self, console: Console, made: MakeKind, connected: Connects
    ) -> None:
        kind = self.kind(made)
        console.on("GET", "/things", reply(200, {"One": {"size": 3}, "TWO": {"size": 9}}))
        backend = connected(kind)
        assert [r.address.name for r in backend.read(kind)] == ["Two"]
        assert list(backend.list(kind)) == ["Two"]
        assert only(backend, kind, "One").spec == {"name": "One", "size": 3, "tags": []}

    def test_its_name_is_spelt_as_the_kind_spells_it_and_addressed_as_the_console_does(
        self, console: Console, made: MakeKind, connected: Connects
    ) -> None:
        kind = self.kind(made)
        console.on("GET", "/things", reply(200, {"TWO": {"size": 9}}))
        console.on("PUT", "/things/TWO", reply(200))
        backend = connected(kind)
        live = only(backend, kind, "Two")
        write(backend, kind, live, stated(kind, name="Two", size=4))
        write(backend, kind, live, None)
        assert console.calls("PUT") == ["/things/TWO", "/things/TWO"]
        assert console.sent("PUT")[1] == {"name": "TWO", "size": 3}

    def test_making_one_is_an_update(self, console: Console, made: MakeKind, connected: Connects) -> None:
        kind = self.kind(made)
        console.on("PUT", "/things/One", reply(200))
        write(connected(kind), kind, None, stated(kind, name="One", size=4))
        assert console.sent("PUT") == [{"name": "One", "size": 4, "tags": []}]


class TestCalls:
    def test_an_update_of_the_collection_says_in_its_body_what_it_is_about(
        self, console: Console, made: MakeKind, connected: Connects
    ) -> None:
        kind = made(update={"method": "PUT", "path": "/things", "query": {"push": "true"}})
        console.on("GET", "/things/a", reply(200, {"name": "a"}))
        console.on("PUT", "/things", reply(204))
        backend = connected(kind)
        write(backend, kind, only(backend, kind, "a"), stated(kind, name="a", size=4))
        assert console.calls("PUT") == ["/things?push=true"]
        assert console.sent("PUT") == [{"name": "a", "size": 4, "tags": []}]

    def test_a_delete_may_take_a_list_of_keys(self, console: Console, made: MakeKind, connected: Connects) -> None:
        kind = made(delete={"method": "DELETE", "path": "/things", "body": "keys"})
        console.on("GET", "/things/a%2Fb", reply(200, {"name": "a/b"}))
        console.on("DELETE", "/things", reply(204))
        backend = connected(kind)
        write(backend, kind, only(backend, kind, "a/b"), None)
        assert (console.calls("DELETE"), console.sent("DELETE")) == (["/things"], [["a/b"]])

    def test_an_object_in_an_envelope_and_a_strict_body(
        self, console: Console, made: MakeKind, connected: Connects
    ) -> None:
        kind = made(
            get={"method": "GET", "path": "/things/{id}", "item": "/data"},
            update={**ITEM, "body": {"only": ["size"]}},
        )
        console.on("GET", "/things/a", reply(200, {"status": 200, "data": {"name": "a", "new": 1}}))
        console.on("PUT", "/things/a", reply(204))
        backend = connected(kind)
        write(backend, kind, only(backend, kind, "a"), stated(kind, name="a", size=4))
        assert console.sent("PUT") == [{"size": 4}]

    def test_what_an_error_says_may_mean_that_there_is_none(
        self, console: Console, made: MakeKind, connected: Connects
    ) -> None:
        kind = made(get={"method": "GET", "path": "/things/{id}", "missing-text": "Thing with id doesn't exist"})
        console.on("GET", "/things/a", reply(500, {"message": "Thing with id doesn't exist"}))
        console.on("GET", "/things/b", reply(400, {"message": "no"}))
        backend = connected(kind)
        assert list(backend.read(kind, frozenset({"a"}))) == []
        with pytest.raises(Refused, match="/things/b: 400"):
            list(backend.read(kind, frozenset({"b"})))

    def test_another_path_for_objects_of_another_sort(
        self, console: Console, made: MakeKind, connected: Connects
    ) -> None:
        kind = made(update={**ITEM, "instead": {"when": {"type": "legacy"}, "path": "/migrate_things"}})
        console.on("GET", "/things/a", reply(200, {"name": "a", "type": "legacy"}))
        console.on("PUT", "/migrate_things", reply(204))
        backend = connected(kind)
        write(backend, kind, only(backend, kind, "a"), stated(kind, name="a", size=4))
        assert console.calls("PUT") == ["/migrate_things"]

    def test_a_call_that_is_withheld_is_never_made(self, console: Console, made: MakeKind, connected: Connects) -> None:
        kind = made(create={"method": "POST", "path": "/things", "withheld": "its secret is shown once"})
        with pytest.raises(Refused, match="POST /things: its secret is shown once"):
            write(connected(kind), kind, None, stated(kind, name="a"))
        assert console.calls("POST") == []

    def test_what_can_only_be_read_is_never_written(
        self, console: Console, made: MakeKind, connected: Connects
    ) -> None:
        kind = made(kind={"read-only": True})
        with pytest.raises(Refused, match="a Thing can only be read"):
            write(connected(kind), kind, None, stated(kind, name="a"))


class TestFollowUps:
    def test_a_member_an_update_ignores_has_a_call_of_its_own(
        self, console: Console, made: MakeKind, connected: Connects
    ) -> None:
        follow = {
            **ITEM,
            "path": "/things/{id}/word",
            "body": {"name": "$id", "new": "$word"},
            "when-changed": ["word"],
        }
        word = {"type": "string", "x-sensitive": True, "x-write-only": True, "x-required-on": "create"}
        kind = made(properties={"word": word}, then=[follow])
        console.on("GET", "/things/a", reply(200, {"name": "a"}))
        for path in ("/things/a", "/things/a/word"):
            console.on("PUT", path, reply(204))
        backend = connected(kind)
        after = stated(kind, name="a", size=4, word=Secret("hush-hush"))
        live = only(backend, kind, "a")
        write(backend, kind, live, after, "size")
        assert console.calls("PUT") == ["/things/a"]
        write(backend, kind, live, after, "size", "word")
        assert console.calls("PUT")[1:] == ["/things/a", "/things/a/word"]
        assert console.sent("PUT")[-1] == {"name": "a", "new": "hush-hush"}
        with pytest.raises(Refused, match=r"Thing/b cannot be created without word; .* \$\{env:NAME\}"):
            write(backend, kind, None, stated(kind, name="b"))

    def test_members_of_a_list_come_and_go_one_by_one(
        self, console: Console, made: MakeKind, connected: Connects
    ) -> None:
        group = made("Group", **NUMBERED)
        follow = {"method": "PUT", "path": "/groups/{id}", "of": "Group"}
        element = {"type": "object", "properties": {"name": {"type": "string"}, "head": {"type": "boolean"}}}
        groups = {"type": "array", "items": element, "x-set": True, "x-key": "name", "x-exclude": {"name": "All"}}
        kind = made(
            id="number",
            properties={**NUMBERED["properties"], "groups": groups},  # type: ignore[dict-item]  # both are dicts
            create={"method": "POST", "path": "/things", "item": "/data", "body": {"only": ["name"]}},
            then=[
                {**follow, "for-each": {"removed": "groups"}, "body": {"action": "removing", "user": "$id"}},
                {
                    **follow,
                    "for-each": {"added": "groups"},
                    "body": {"action": "adding", "user": "$id", "head": "$head"},
                },
            ],
        )
        console.on("GET", "/groups", reply(200, [{"name": "x", "number": 71}, {"name": "y", "number": 72}]))
        console.on("POST", "/things", reply(201, {"data": {"number": 5}}))
        live = {"name": "a", "number": 5, "groups": [{"name": "All"}, {"name": "x"}, {"name": "y", "head": False}]}
        console.on("GET", "/things", reply(200, [live]))
        for path in ("/things/5", "/groups/71", "/groups/72"):
            console.on("PUT", path, reply(204))
        backend = connected(kind, group)
        write(backend, kind, None, stated(kind, name="a", groups=[{"name": "x", "head": True}]))
        assert console.sent("POST") == [{"name": "a"}]
        assert console.sent("PUT") == [{"action": "adding", "user": 5, "head": True}]
        write(backend, kind, only(backend, kind, "a"), stated(kind, name="a", groups=[{"name": "y", "head": True}]))
        assert console.calls("PUT")[1:] == ["/things/5", "/groups/71", "/groups/72"]
        assert console.sent("PUT")[2:] == [
            {"action": "removing", "user": 5},
            {"action": "adding", "user": 5, "head": True},
        ]
        with pytest.raises(Refused, match="Thing/a: there is no Group 'z' on this console"):
            write(backend, kind, only(backend, kind, "a"), stated(kind, name="a", groups=[{"name": "z"}]))


def test_a_write_that_shows_late_is_waited_for(console: Console, made: MakeKind, connected: Connects) -> None:
    kind = made(kind={"eventual": 5})
    console.on("POST", "/things", reply(201))
    console.on("GET", "/things/a", reply(404), reply(200, {"name": "a", "size": 3}))
    write(connected(kind), kind, None, stated(kind, name="a"))
    assert console.calls("GET") == ["/things/a", "/things/a"]
