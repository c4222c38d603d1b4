from __future__ import annotations

from unit.apply.world import resource

from policysync.apply.verdict import after_writing, before_writing, fields_along, happened
from policysync.kinds.load import Kinds
from policysync.plan.change import Action, Change
from policysync.state.normalize import live_spec
from policysync.state.resource import Address, Resource


def live(kinds: Kinds, **spec: object) -> Resource:
    return Resource(Address("Policy", "web"), live_spec(kinds["Policy"], {"name": "web", **spec}))


def update(kinds: Kinds, before: Resource) -> Change:
    after = resource(kinds, "Policy", "web", level=2)
    return Change(Action.UPDATE, after.address, before, after)


def test_order_that_means_nothing_is_not_stale(kinds: Kinds) -> None:
    change = update(kinds, live(kinds, tags=["a", "b"]))
    assert before_writing(change, kinds["Policy"], live(kinds, tags=["b", "a"]), "") is None


def test_an_update_happened_when_live_moved(kinds: Kinds) -> None:
    change = update(kinds, live(kinds))
    assert happened(change, kinds["Policy"], live(kinds, level=2), "")
    assert not happened(change, kinds["Policy"], live(kinds), "")
    assert not happened(change, kinds["Policy"], None, "")


def test_more_than_a_few_lost_fields_are_counted(kinds: Kinds) -> None:
    rules = [{"path": f"/p{n}", "deny": True} for n in range(7)]
    after = resource(kinds, "Policy", "web", rules=rules)
    done = after_writing(Change(Action.CREATE, after.address, None, after), kinds["Policy"], live(kinds))
    assert done.message.endswith("/rules/path=~1p4 and 2 more")
    assert len(done.fields) == 7


def test_fields_along_a_path(kinds: Kinds) -> None:
    root = kinds["Policy"].root
    assert [field.name for field in fields_along(root, ("rules", "path=/etc", "deny"))] == ["rules", "", "deny"]
    assert fields_along(root, ("unknown", "deeper")) == []
    assert fields_along(root, ("newer",))[0].optional
