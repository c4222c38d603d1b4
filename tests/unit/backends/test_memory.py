from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from policysync.backends.memory import Memory
from policysync.errors import Refused
from policysync.kinds.kind import Kind
from policysync.plan.change import Action, Change
from policysync.state.normalize import desired_spec
from policysync.state.resource import Address, Resource

MakeKind = Callable[..., Kind]


def stated(kind: Kind, **spec: Any) -> Resource:
    return Resource(Address(kind.name, spec["name"]), desired_spec(kind, spec))


def test_starts_with_what_it_is_given_in_normal_form(kind: Kind) -> None:
    memory = Memory({"Thing": kind}, [stated(kind, name="b", tags=["y", "x", "y"]), stated(kind, name="a")])
    assert [(r.address.name, r.spec["tags"], r.spec["size"]) for r in memory.read(kind)] == [
        ("a", [], 3),
        ("b", ["x", "y"], 3),
    ]


def test_a_live_resource_comes_back_as_it_was(kind: Kind) -> None:
    first = Memory({"Thing": kind}, [Resource(Address("Thing", "a"), {"name": "a"}, "a", {"name": "a", "newer": 1})])
    (live,) = first.resources
    assert live.raw["newer"] == 1
    assert Memory({"Thing": kind}, first.resources).resources == first.resources


def test_the_newest_state_is_what_an_update_is_laid_over(kind: Kind) -> None:
    memory = Memory({"Thing": kind}, [stated(kind, name="a", size=1, tags=["x"])])
    (before,) = memory.resources
    for after in (stated(kind, name="a", size=2), stated(kind, name="a", tags=["y"])):
        memory.write(Change(Action.UPDATE, after.address, before, after), kind)
    (live,) = memory.resources
    assert (live.spec["size"], live.spec["tags"]) == (2, ["y"])


def test_objects_get_ids_that_stay(kind_of: MakeKind) -> None:
    kind = kind_of(id="number", properties={"number": {"x-read-only": True}})
    memory = Memory({"Thing": kind}, [stated(kind, name="a"), stated(kind, name="b")])
    ids = {r.address.name: r.id for r in memory.resources}
    assert len(set(ids.values()) - {""}) == 2
    (before,) = memory.read(kind, frozenset({"a"}))
    after = stated(kind, name="a", size=9)
    memory.write(Change(Action.UPDATE, after.address, before, after), kind)
    assert {r.address.name: r.id for r in memory.resources} == ids


def test_ids_are_looked_up_by_name(kind_of: MakeKind) -> None:
    script = kind_of("Script", id="number", properties={"number": {"x-read-only": True}})
    members = {"script": {"type": "string"}, "script_id": {"x-env-specific": "script", "x-ref": "Script"}}
    kind = kind_of(properties=members)
    memory = Memory({"Thing": kind, "Script": script}, [stated(script, name="s")])
    after = stated(kind, name="a", script="s")
    memory.write(Change(Action.CREATE, after.address, None, after), kind)
    (live,) = memory.read(kind)
    (known,) = memory.read(script)
    assert live.raw["script_id"] == known.id


def test_the_products_own_objects_are_left_out(kind_of: MakeKind) -> None:
    kind = kind_of(kind={"exclude": {"auto": True}})
    own = Resource(Address("Thing", "own"), {"name": "own"}, raw={"name": "own", "auto": True})
    memory = Memory({"Thing": kind}, [own, stated(kind, name="a")])
    assert list(memory.list(kind)) == ["a"]


def test_what_cannot_be_done_is_refused(kind: Kind) -> None:
    memory = Memory({"Thing": kind})
    after = stated(kind, name="a", size=1)
    for change in (
        Change(Action.UPDATE, after.address, after, after),
        Change(Action.CREATE, after.address, None, None),
    ):
        with pytest.raises(Refused):
            memory.write(change, kind)
