"""The guard `protected`."""

from __future__ import annotations

from dataclasses import replace

from unit.plan.guards.cases import case_of
from unit.plan.small import desired, live

from policysync.kinds.kind import Kind
from policysync.plan.change import Action, Change
from policysync.plan.guards.protected import protected
from policysync.state.resource import Address


def test_what_is_protected_is_not_made_anew(kinds: dict[str, Kind]) -> None:
    there = live(kinds, "Policy", "web", region="eu")
    wanted = replace(desired(kinds, "Policy", "web", region="us"), protect=True)
    said = protected(case_of(kinds, [wanted], [there]))
    assert said
    assert "would be deleted: Policy/web" in said
    assert protected(case_of(kinds, [replace(wanted, protect=False)], [there])) is None


def test_what_was_protected_when_it_was_applied_is_not_deleted(kinds: dict[str, Kind]) -> None:
    web = Address("Policy", "web")
    there, last = live(kinds, "Policy", "web"), desired(kinds, "Policy", "web")
    planned = case_of(kinds, (), [there], [last], protected=[web])
    assert planned.plan.changes == ()
    assert protected(planned) is None
    forged = case_of(
        kinds, (), [there], [last], protected=[web], plan={"waves": ((Change(Action.DELETE, web, there, None),),)}
    )
    assert protected(forged)


def test_what_is_protected_may_be_changed(kinds: dict[str, Kind]) -> None:
    wanted = replace(desired(kinds, "Policy", "web", note="new"), protect=True)
    case = case_of(kinds, [wanted], [live(kinds, "Policy", "web")])
    assert len(case.plan.changes) == 1
    assert protected(case) is None
