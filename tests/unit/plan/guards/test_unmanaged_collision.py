"""The guard `unmanaged-collision`."""

from __future__ import annotations

import pytest
from unit.plan.guards.cases import case_of
from unit.plan.small import desired, live

from policysync.kinds.kind import Kind
from policysync.kinds.load import load_kinds
from policysync.plan.guards.unmanaged_collision import first_sight, unmanaged_collision
from policysync.state.resource import Address


def test_what_was_made_by_hand_is_not_overwritten(kinds: dict[str, Kind]) -> None:
    case = case_of(
        kinds,
        [desired(kinds, "Policy", "web", note="git")],
        [live(kinds, "Policy", "web", note="hand")],
        remembers=True,
    )
    said = unmanaged_collision(case)
    assert said
    assert "Policy/web" in said
    assert "policysync adopt" in said
    assert first_sight(case) is None


def test_without_a_memory_it_is_a_notice(kinds: dict[str, Kind]) -> None:
    case = case_of(kinds, [desired(kinds, "Policy", "web", note="git")], [live(kinds, "Policy", "web", note="hand")])
    assert unmanaged_collision(case) is None
    said = first_sight(case)
    assert said
    assert "Policy/web; an apply overwrites them" in said


@pytest.mark.parametrize("name", ["Default", "same", "managed", "begun", "new"])
def test_nobody_made_these_by_hand_or_nothing_of_them_is_lost(kinds: dict[str, Kind], name: str) -> None:
    wanted = [desired(kinds, "Policy", name, note="git")]
    there = [live(kinds, "Policy", name, note="git" if name == "same" else "hand")] if name != "new" else []
    last = [desired(kinds, "Policy", name, note="before")] if name == "managed" else []
    begun = frozenset({Address("Policy", "begun")})
    assert unmanaged_collision(case_of(kinds, wanted, there, last, remembers=True, begun=begun)) is None


@pytest.mark.parametrize(("url", "refused"), [("", False), ("https://siem.example.com", True)])
def test_a_slot_nobody_ever_used_is_nobodys_work(url: str, refused: bool) -> None:
    slots = {"LogManagement": load_kinds()["LogManagement"]}
    wanted = [desired(slots, "LogManagement", "Splunk", enable=True)]
    there = [live(slots, "LogManagement", "Splunk", enable=False, url=url)]
    assert bool(unmanaged_collision(case_of(slots, wanted, there, remembers=True))) is refused
