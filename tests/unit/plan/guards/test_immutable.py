"""The guard `immutable`."""

from __future__ import annotations

from unit.plan.guards.cases import case_of
from unit.plan.small import desired, live

from policysync.kinds.kind import Kind
from policysync.plan.guards.immutable import immutable


def test_a_field_that_cannot_change_is_refused_by_the_name_of_its_resource(kinds: dict[str, Kind]) -> None:
    moved = case_of(kinds, [desired(kinds, "Policy", "web", region="us")], [live(kinds, "Policy", "web", region="eu")])
    said = immutable(moved)
    assert said
    assert said.endswith("created again: Policy/web")


def test_a_kind_that_knows_no_update_may_be_made_anew(kinds: dict[str, Kind]) -> None:
    case = case_of(kinds, [desired(kinds, "Waiver", "w", days=2)], [live(kinds, "Waiver", "w", days=1)])
    assert case.plan.changes[0].replace
    assert immutable(case) is None


def test_many_are_not_all_listed(kinds: dict[str, Kind]) -> None:
    wanted = [desired(kinds, "Policy", f"p{n:02}", region="us") for n in range(12)]
    said = immutable(case_of(kinds, wanted, [live(kinds, "Policy", f"p{n:02}", region="eu") for n in range(12)]))
    assert said
    assert said.endswith("Policy/p09 and 2 more")
