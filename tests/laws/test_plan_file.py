"""Laws of a saved plan: it reads back, no edit of the file goes unnoticed, and no secret is in it."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from laws.strategies import CANARY, KINDS, NAMES, bodies, specs

from policysync.errors import PolicySyncError
from policysync.plan.build import World, build
from policysync.plan.change import Plan
from policysync.plan.codec import dump, hold_to, load, plan_digest
from policysync.pointer import split
from policysync.reports.text import plan_text
from policysync.state.normalize import desired_spec
from policysync.state.resource import Address, Resource
from policysync.state.wire import from_wire

some = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def plans(draw: st.DrawFn, names: tuple[str, ...] = tuple(NAMES)) -> Plan:
    """Return plans over a few resources, some of which are there already, and some of which go."""
    desired, live = {}, {}
    for name in draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True)):
        kind = KINDS[name]
        for spec in draw(st.lists(specs(kind), max_size=2)):
            address = Address(name, kind.name_of(desired_spec(kind, spec)))
            desired[address] = Resource(address, desired_spec(kind, spec))
        for body in draw(st.lists(bodies(kind), max_size=2)):
            found = from_wire(kind, body)
            live[found.address] = found
    applied: dict[Address, Any] = {address: {} for address in live}
    world = World(tuple(desired.values()), tuple(live.values()), applied, salt="s")
    return build("dev", "console", world, KINDS, prune=True, revision="abc")


@some
@given(plan=plans())
def test_a_plan_holds_to_itself(plan: Plan) -> None:
    saved = load(json.loads(json.dumps(dump(plan, "salt"))))
    assert hold_to(plan, saved) == plan
    assert saved.digest == plan_digest(plan, "salt")


@some
@given(plan=plans(), data=st.data())
def test_any_edit_of_the_file_is_noticed(plan: Plan, data: st.DataObject) -> None:
    document = dump(plan, "salt")
    pointer = data.draw(st.sampled_from(sorted(_leaves(document))))
    edited = copy.deepcopy(document)
    *parents, last = split(pointer)
    holder: Any = edited
    for step in parents:
        holder = holder[int(step)] if isinstance(holder, list) else holder[step]
    at = int(last) if isinstance(holder, list) else last
    holder[at] = data.draw(st.sampled_from([v for v in (True, 1, "", "x", None) if not _is(v, holder[at])]))
    with pytest.raises(PolicySyncError):
        load(edited)


def _is(a: Any, b: Any) -> bool:
    return type(a) is type(b) and a == b


def _leaves(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict | list) and value:
        for step, below in value.items() if isinstance(value, dict) else enumerate(value):
            escaped = str(step).replace("~", "~0").replace("/", "~1")
            yield from _leaves(below, f"{path}/{escaped}")
    else:
        yield path


SECRETIVE = tuple(name for name in NAMES if '"x-sensitive"' in json.dumps(KINDS[name].schema))


@pytest.mark.parametrize("name", SECRETIVE)
@some
@given(data=st.data())
def test_no_secret_is_in_a_plan_or_a_report(name: str, data: st.DataObject) -> None:
    plan = data.draw(plans((name,)))
    assert CANARY not in json.dumps(dump(plan, "salt"))
    assert CANARY not in plan_text(plan)
    assert CANARY not in repr(plan)
