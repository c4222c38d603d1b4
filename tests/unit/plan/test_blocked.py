"""What can neither be compared nor changed stands in the plan, and nothing is done about it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from unit.plan.small import SALT, desired, live

from policysync.kinds.kind import Kind
from policysync.plan.build import World, build
from policysync.plan.codec import dump
from policysync.plan.drift import drift
from policysync.reports.text import plan_text
from policysync.state.resource import Address, Hindrance

Kinds = dict[str, Kind]
WEB, SCOPE = Address("Policy", "web"), Address("Scope", "eu")
LOCKED = Hindrance("unreadable", "release-locked", "another run holds it")
MISSING = Hindrance("blocked", "engine-not-installed", "install the engine")


def test_what_cannot_be_read_is_neither_created_nor_changed_nor_deleted(kinds: Kinds) -> None:
    locked = replace(live(kinds, "Policy", "web"), hindrance=LOCKED)
    stated = desired(kinds, "Policy", "web", score=3)
    world = World((stated,), (locked,), {WEB: stated.spec}, salt=SALT)
    assert [(b.address, b.hindrance) for b in build("dev", "t", world, kinds).blocked] == [(WEB, LOCKED)]
    assert build("dev", "t", world, kinds).changes == ()
    gone = replace(world, desired=())
    assert build("dev", "t", gone, kinds, prune=True).changes == ()
    assert drift("dev", "t", world, kinds).changes == ()


def test_a_kind_that_nothing_serves_is_not_taken_for_deleted(kinds: Kinds) -> None:
    stated = desired(kinds, "Policy", "web", score=3)
    world = World((stated,), (), {WEB: stated.spec}, blocked={"Policy": MISSING})
    plan = build("dev", "t", world, kinds)
    assert (plan.changes, [b.hindrance for b in plan.blocked]) == ((), [MISSING])
    assert drift("dev", "t", world, kinds).changes == ()


@pytest.mark.parametrize("there", [False, True], ids=["missing", "there, but unreadable"])
def test_what_refers_to_something_blocked_waits_for_it_when_it_is_not_there(kinds: Kinds, there: bool) -> None:
    scope, policy = desired(kinds, "Scope", "eu"), desired(kinds, "Policy", "web", scopes=["eu"])
    found = (replace(live(kinds, "Scope", "eu"), hindrance=LOCKED),) if there else ()
    blocked = {} if there else {"Scope": MISSING}
    plan = build("dev", "t", World((scope, policy), found, blocked=blocked), kinds)
    assert {b.address for b in plan.blocked} == ({SCOPE} if there else {SCOPE, WEB})
    assert [change.address for change in plan.changes] == ([WEB] if there else [])


def test_the_plan_says_what_is_blocked_and_why(kinds: Kinds) -> None:
    world = World((desired(kinds, "Policy", "web"),), (), blocked={"Policy": MISSING})
    plan = build("dev", "t", world, kinds)
    text = plan_text(plan)
    assert "! Policy/web: blocked: engine-not-installed: install the engine" in text
    assert text.endswith("Plan: 0 to add, 0 to change, 0 to destroy. 1 resource blocked.")
    (entry,) = dump(plan, SALT)["blocked"]
    assert (entry["resource"], entry["reason"]) == ("Policy/web", "engine-not-installed")
