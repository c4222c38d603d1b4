from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from unit.plan.small import SALT, applied, desired, live

from policysync.documents.accepted import Accepted
from policysync.kinds.kind import Kind
from policysync.plan.build import World, build
from policysync.plan.change import Cause, Plan
from policysync.plan.drift import drift
from policysync.plan.guards.immutable import immutable
from policysync.plan.guards.listed import GUARDS
from policysync.state.resource import Address, Resource

Kinds = Mapping[str, Kind]
P = Address("Policy", "p")
UNTIL = datetime(2026, 12, 25, tzinfo=UTC)


def entry(*path: str, until: datetime = UNTIL, reason: str = "an incident") -> Accepted:
    return Accepted("prod", P, until, reason, path, f"{until:%Y-%m-%d}")


def world(stated: Resource, found: Resource | None, last: Resource, *entries: Accepted) -> World:
    return World((stated,), (found,) if found else (), applied(last), salt=SALT, accepted=entries)


def plan(kinds: Kinds, stated: Resource, found: Resource | None, last: Resource, *entries: Accepted) -> Plan:
    return build("prod", "console", world(stated, found, last, *entries), kinds)


def paths(found: Plan) -> list[tuple[str, ...]]:
    return [edit.path for change in found.changes for edit in change.edits]


def test_accepted_drift_is_no_change_and_is_told(kinds: Kinds) -> None:
    stated = desired(kinds, "Policy", "p", score=7)
    found = plan(kinds, stated, live(kinds, "Policy", "p", score=9), stated, entry("score"))
    assert found.changes == ()
    (spared,) = found.spared
    assert (spared.address, spared.said, spared.reason) == (P, "2026-12-25", "an incident")
    assert [(edit.path, edit.before, edit.after) for edit in spared.edits] == [(("score",), 7, 9)]


def test_what_was_not_accepted_is_healed_beside_it(kinds: Kinds) -> None:
    stated = desired(kinds, "Policy", "p", score=7, note="git", password="s")
    there = live(kinds, "Policy", "p", score=9, note="by hand")
    found = plan(kinds, stated, there, stated, entry("score"))
    assert paths(found) == [("note",)]
    (change,) = found.changes
    assert change.after is not None
    assert change.remembered is not None
    assert change.after.spec["score"] == 9
    assert change.remembered.spec["score"] == 7


def test_the_ledger_keeps_what_was_last_applied_where_both_moved(kinds: Kinds) -> None:
    last = desired(kinds, "Policy", "p", score=5, note="old")
    stated = desired(kinds, "Policy", "p", score=7, note="new")
    found = plan(kinds, stated, live(kinds, "Policy", "p", score=9, note="old"), last, entry("score"))
    assert paths(found) == [("note",)]
    (change,) = found.changes
    assert change.after is not None
    assert change.remembered is not None
    assert (change.after.spec["score"], change.remembered.spec["score"]) == (9, 5)


def test_where_only_git_moved_nothing_is_held_back(kinds: Kinds) -> None:
    last, stated = (desired(kinds, "Policy", "p", score=score) for score in (7, 5))
    found = plan(kinds, stated, live(kinds, "Policy", "p", score=7), last, entry())
    assert paths(found) == [("score",)]
    assert found.spared == ()


def test_an_element_of_a_keyed_list_can_be_accepted_alone(kinds: Kinds) -> None:
    stated = desired(kinds, "Policy", "p", rules=[{"path": "/a", "deny": True}, {"path": "/b", "deny": True}])
    there = live(kinds, "Policy", "p", rules=[{"path": "/a"}, {"path": "/c", "deny": True}])
    entries = (entry("rules", "path=/a", "deny"), entry("rules", "path=/c"))
    found = plan(kinds, stated, there, stated, *entries)
    assert paths(found) == [("rules", "path=/b")]
    assert {edit.path[1] for spared in found.spared for edit in spared.edits} == {"path=/a", "path=/c"}
    (change,) = found.changes
    assert change.after is not None
    assert {rule["path"]: rule["deny"] for rule in change.after.spec["rules"]} == {"/a": False, "/b": True, "/c": True}


def test_a_deleted_resource_stays_away_when_the_whole_of_it_is_accepted(kinds: Kinds) -> None:
    stated = desired(kinds, "Policy", "p", score=7)
    assert plan(kinds, stated, None, stated, entry()).changes == ()
    assert len(plan(kinds, stated, None, stated, entry()).spared) == 1
    assert len(plan(kinds, stated, None, stated, entry("score")).changes) == 1


def test_the_entry_that_holds_longest_counts(kinds: Kinds) -> None:
    stated = desired(kinds, "Policy", "p", score=7)
    longer = entry(until=UNTIL.replace(year=2027), reason="longer")
    found = plan(kinds, stated, live(kinds, "Policy", "p", score=9), stated, entry("score"), longer)
    assert [spared.reason for spared in found.spared] == ["longer"]


def test_drift_tells_it_apart(kinds: Kinds) -> None:
    stated = desired(kinds, "Policy", "p", score=7, note="git")
    there = live(kinds, "Policy", "p", score=9, note="by hand")
    found = drift("prod", "console", world(stated, there, stated, entry("score")), kinds)
    assert paths(found) == [("note",)]
    assert [(edit.before, edit.after) for spared in found.spared for edit in spared.edits] == [(7, 9)]


def test_an_immutable_field_that_is_accepted_replaces_nothing(kinds: Kinds) -> None:
    stated = desired(kinds, "Policy", "p", region="eu", note="git")
    there = live(kinds, "Policy", "p", region="us", note="by hand")
    (change,) = plan(kinds, stated, there, stated, entry("region")).changes
    assert not change.replace
    assert immutable is GUARDS["immutable"]


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "enabled": st.booleans(),
    "score": st.integers(0, 3),
    "note": st.sampled_from(["", "a", "b"]),
    "exceptions": st.lists(st.sampled_from("ab"), max_size=2, unique=True),
    "rules": st.lists(
        st.fixed_dictionaries({"path": st.sampled_from(["/a", "/b"]), "deny": st.booleans()}),
        max_size=2,
        unique_by=lambda rule: rule["path"],
    ),
}
specs = st.fixed_dictionaries(VALUES)
fields = st.sampled_from([(), ("score",), ("note",), ("exceptions",), ("rules",), ("rules", "path=/a"), ("enabled",)])


@settings(max_examples=150, deadline=None)
@given(before=specs, wanted=specs, there=specs, accepted=st.lists(fields, max_size=3))
def test_carrying_out_the_rest_leaves_exactly_what_is_accepted(
    kinds: Kinds,
    before: dict[str, Any],
    wanted: dict[str, Any],
    there: dict[str, Any],
    accepted: list[tuple[str, ...]],
) -> None:
    last, stated = desired(kinds, "Policy", "p", **before), desired(kinds, "Policy", "p", **wanted)
    found, entries = live(kinds, "Policy", "p", **there), tuple(entry(*path) for path in accepted)
    asked = world(stated, found, last, *entries)
    first = build("prod", "console", asked, kinds)
    without = build("prod", "console", replace(asked, accepted=()), kinds)
    spared = {edit.path for one in first.spared for edit in one.edits}
    assert spared | set(paths(first)) == set(paths(without))
    assert not spared & set(paths(first))
    assert all(any(one.covers(path) for one in entries) for path in spared)
    for change in first.changes:
        assert change.after is not None
        merged = {**found.spec, **change.after.spec}
        after = live(kinds, "Policy", **merged)
        remembered = change.remembered or change.after
        again = build("prod", "console", world(stated, after, remembered, *entries), kinds)
        assert again.changes == ()
        assert {edit.path for one in again.spared for edit in one.edits} == spared
        healed = build("prod", "console", world(stated, after, remembered), kinds)
        assert set(paths(healed)) == spared
        assert all(edit.cause is not Cause.PENDING for change in healed.changes for edit in change.edits)
