"""The guard `built-in`."""

from __future__ import annotations

from unit.plan.guards.cases import case_of
from unit.plan.small import desired, live

from policysync.kinds.kind import Kind
from policysync.plan.change import Action, Change
from policysync.plan.guards.built_in import built_in
from policysync.state.resource import Address


def test_what_the_product_ships_is_not_made_anew(kinds: dict[str, Kind]) -> None:
    by_name = case_of(
        kinds, [desired(kinds, "Policy", "Default", region="us")], [live(kinds, "Policy", "Default", region="eu")]
    )
    said = built_in(by_name)
    assert said
    assert "Policy/Default" in said
    shipped = live(kinds, "Policy", "cis", region="eu", shipped=True)
    assert built_in(case_of(kinds, [desired(kinds, "Policy", "cis", region="us")], [shipped]))


def test_what_the_product_ships_is_not_deleted(kinds: dict[str, Kind]) -> None:
    there = live(kinds, "Policy", "Default")
    forged = Change(Action.DELETE, Address("Policy", "Default"), there, None)
    assert built_in(case_of(kinds, (), [there], plan={"waves": ((forged,),)}))


def test_it_may_be_changed_and_others_may_go(kinds: dict[str, Kind]) -> None:
    changed = case_of(kinds, [desired(kinds, "Policy", "Default", note="ours")], [live(kinds, "Policy", "Default")])
    assert built_in(changed) is None
    gone = case_of(kinds, (), [live(kinds, "Policy", "web")], [desired(kinds, "Policy", "web")])
    assert len(gone.plan.changes) == 1
    assert built_in(gone) is None
