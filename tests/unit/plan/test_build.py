"""The verdict table: what desired, live and last-applied mean together."""

from __future__ import annotations

from typing import Any

import pytest
from unit.plan.small import applied, desired, live, plan_of

from policysync.kinds.kind import Kind
from policysync.plan.change import Action, Cause, Posture, Release
from policysync.secret import Secret
from policysync.state.resource import Address

Kinds = dict[str, Kind]
WEB = Address("Policy", "web")


@pytest.mark.parametrize(
    ("last", "cause"),
    [(None, Cause.PENDING), (9, Cause.PENDING), (5, Cause.DRIFT), (4, Cause.CONFLICT)],
    ids=["no ledger", "git moved", "the console moved", "both moved"],
)
def test_a_value_that_differs_says_who_moved(kinds: Kinds, last: int | None, cause: Cause) -> None:
    before = [desired(kinds, "Policy", "web", score=last)] if last is not None else []
    plan = plan_of(kinds, [desired(kinds, "Policy", "web", score=5)], [live(kinds, "Policy", "web", score=9)], before)
    (change,) = plan.changes
    assert (change.action, change.cause) == (Action.UPDATE, cause)
    (edit,) = change.edits
    assert (edit.path, edit.before, edit.after, edit.cause) == (("score",), 9, 5, cause)


@pytest.mark.parametrize("last", [None, 5, 9])
def test_a_value_that_is_already_so_is_no_change(kinds: Kinds, last: int | None) -> None:
    before = [desired(kinds, "Policy", "web", score=last)] if last is not None else []
    plan = plan_of(kinds, [desired(kinds, "Policy", "web", score=5)], [live(kinds, "Policy", "web", score=5.0)], before)
    assert plan.changes == ()


def test_a_field_stated_for_the_first_time_is_pending(kinds: Kinds) -> None:
    wanted = desired(kinds, "Policy", "web", score=5, note="x")
    (change,) = plan_of(
        kinds, [wanted], [live(kinds, "Policy", "web", score=5)], [desired(kinds, "Policy", "web", score=5)]
    ).changes
    assert [edit.cause for edit in change.edits] == [Cause.PENDING]


def test_a_conflict_in_one_field_is_a_conflict_of_the_change(kinds: Kinds) -> None:
    wanted = desired(kinds, "Policy", "web", score=5, note="git", exceptions=["a"])
    found = live(kinds, "Policy", "web", score=9, note="console", exceptions=[])
    last = desired(kinds, "Policy", "web", score=5, note="before", exceptions=[])
    (change,) = plan_of(kinds, [wanted], [found], [last]).changes
    assert {edit.path[0]: edit.cause for edit in change.edits} == {
        "score": Cause.DRIFT,
        "note": Cause.CONFLICT,
        "exceptions": Cause.PENDING,
    }
    assert change.cause is Cause.CONFLICT


@pytest.mark.parametrize(("known", "cause"), [(False, Cause.PENDING), (True, Cause.DRIFT)])
def test_what_is_not_there_is_created_and_is_drift_when_it_was(kinds: Kinds, known: bool, cause: Cause) -> None:
    wanted = desired(kinds, "Policy", "web", score=5)
    (change,) = plan_of(kinds, [wanted], last=[wanted] if known else []).changes
    assert (change.action, change.cause, change.before, change.after) == (Action.CREATE, cause, None, wanted)


def test_a_create_shows_what_every_new_object_gets_but_not_its_key(kinds: Kinds) -> None:
    (change,) = plan_of(kinds, [desired(kinds, "Policy", "web", score=5, note="")]).changes
    assert {edit.path[0]: edit.after for edit in change.edits} == {"enabled": True, "score": 5, "scopes": ["Global"]}
    assert change.posture is Posture.MIXED or change.posture is Posture.STRICTER


GONE: list[tuple[dict[str, Any], list[Address], bool]] = [
    ({"prune": True}, [], True),
    ({"prune": False}, [], False),
    ({"prune": True}, [WEB], False),
]


@pytest.mark.parametrize(("how", "protected", "goes"), GONE, ids=["prune", "no prune", "protected"])
def test_what_git_has_no_more_goes_only_with_prune(
    kinds: Kinds, how: dict[str, Any], protected: list[Address], goes: bool
) -> None:
    found = live(kinds, "Policy", "web")
    plan = plan_of(kinds, [], [found], [desired(kinds, "Policy", "web")], protected=protected, **how)
    assert [(c.action, c.before, c.after) for c in plan.changes] == ([(Action.DELETE, found, None)] if goes else [])
    assert plan.kept == (() if goes else (WEB,))
    assert plan.unmanaged == ()


@pytest.mark.parametrize("body", [{"name": "Default"}, {"name": "theirs", "shipped": True}], ids=["name", "values"])
def test_what_the_product_ships_never_goes(kinds: Kinds, body: dict[str, Any]) -> None:
    found = live(kinds, "Policy", **body)
    plan = plan_of(kinds, [], [found], [desired(kinds, "Policy", body["name"])], prune=True)
    assert plan.changes == ()
    assert plan_of(kinds, [], [found]).unmanaged == ()


def test_what_nobody_applied_is_listed_and_never_touched(kinds: Kinds) -> None:
    others = [Address("Policy", "by-hand"), Address("Policy", "Default")]
    plan = plan_of(kinds, [], [live(kinds, "Policy", "web")], others=others, prune=True)
    assert plan.changes == ()
    assert plan.unmanaged == (Address("Policy", "by-hand"), WEB)


def test_a_field_that_is_stated_no_more_is_released(kinds: Kinds) -> None:
    plan = plan_of(
        kinds,
        [desired(kinds, "Policy", "web")],
        [live(kinds, "Policy", "web", score=7)],
        [desired(kinds, "Policy", "web", score=7, rules=[{"path": "/"}])],
    )
    assert plan.changes == ()
    assert set(plan.released) == {Release(WEB, ("score",)), Release(WEB, ("rules",))}


@pytest.mark.parametrize(("before", "changes"), [("same", 0), ("other", 1), (None, 1)])
def test_a_write_only_field_is_compared_with_what_was_sent_last(kinds: Kinds, before: str | None, changes: int) -> None:
    wanted = desired(kinds, "Policy", "web", password="same")
    last = [desired(kinds, "Policy", "web", password=before)] if before else []
    plan = plan_of(kinds, [wanted], [live(kinds, "Policy", "web")], last)
    assert len(plan.changes) == changes
    for change in plan.changes:
        assert [edit.after for edit in change.edits] == [Secret("same")]


def test_a_field_that_cannot_change_makes_the_object_anew(kinds: Kinds) -> None:
    wanted = desired(kinds, "Policy", "web", region="eu")
    (change,) = plan_of(kinds, [wanted], [live(kinds, "Policy", "web", region="us")]).changes
    assert change.replace
    assert change.immutable


def test_a_kind_without_an_update_makes_the_object_anew(kinds: Kinds) -> None:
    wanted = desired(kinds, "Waiver", "w", days=5)
    (change,) = plan_of(kinds, [wanted], [live(kinds, "Waiver", "w")]).changes
    assert change.replace
    assert not change.immutable


def test_creating_an_exception_is_looser_and_deleting_one_stricter(kinds: Kinds) -> None:
    created = plan_of(kinds, [desired(kinds, "Waiver", "w")])
    assert [change.posture for change in created.changes] == [Posture.LOOSER]
    last = [desired(kinds, "Waiver", "w")]
    deleted = plan_of(kinds, [], [live(kinds, "Waiver", "w")], last, prune=True)
    assert [change.posture for change in deleted.changes] == [Posture.STRICTER]


def test_a_policy_comes_stricter_and_goes_looser_whatever_exceptions_it_has(kinds: Kinds) -> None:
    wanted = desired(kinds, "Policy", "web", enabled=True, scopes=["payments"], exceptions=["a"])
    (created,) = plan_of(kinds, [wanted]).changes
    assert created.posture is Posture.STRICTER
    found = live(kinds, "Policy", "web", enabled=True, scopes=["payments"], exceptions=["a"])
    (deleted,) = plan_of(kinds, [], [found], [wanted], prune=True).changes
    assert deleted.posture is Posture.LOOSER


def test_what_is_referred_to_comes_in_an_earlier_wave(kinds: Kinds) -> None:
    policy = desired(kinds, "Policy", "web", scopes=["payments"])
    plan = plan_of(kinds, [policy, desired(kinds, "Scope", "payments")])
    assert [[str(change.address) for change in wave] for wave in plan.waves] == [["Scope/payments"], ["Policy/web"]]


def test_a_plan_counts_and_names_what_it_was_made_of(kinds: Kinds) -> None:
    wanted = [desired(kinds, "Policy", "web", score=1), desired(kinds, "Scope", "s")]
    found = [live(kinds, "Policy", "web"), live(kinds, "Scope", "s")]
    plan = plan_of(kinds, wanted, found, others=[Address("Scope", "t")], revision="abc", dirty=True, notices=["look"])
    assert (plan.live, plan.desired, plan.revision, plan.dirty, plan.notices) == (3, 2, "abc", True, ("look",))
    assert plan.schemas == (("Policy", kinds["Policy"].digest),)


def test_the_ledger_of_these_tests_holds_no_secret(kinds: Kinds) -> None:
    assert "hunter2" not in str(applied(desired(kinds, "Policy", "web", password="hunter2")))


def test_what_something_still_refers_to_is_kept_and_so_is_what_that_refers_to(kinds: Kinds) -> None:
    gone = [desired(kinds, "Scope", "a"), desired(kinds, "Scope", "b"), desired(kinds, "Policy", "old", scopes=["b"])]
    found = [
        live(kinds, "Policy", "web", scopes=["a"]),
        live(kinds, "Policy", "old", scopes=["b"]),
        live(kinds, "Scope", "a"),
        live(kinds, "Scope", "b"),
    ]
    plan = plan_of(kinds, [desired(kinds, "Policy", "web", note="x")], found, gone, prune=True)
    assert [change.id for wave in plan.waves for change in wave] == [
        "delete:Policy/old",
        "update:Policy/web",
        "delete:Scope/b",
    ]
    assert plan.kept == (Address("Scope", "a"),)
    assert plan.notices == ("Scope/a is kept: Policy/web still refers to it",)


def test_what_is_referred_to_no_more_goes(kinds: Kinds) -> None:
    wanted = desired(kinds, "Policy", "web", scopes=["Global"])
    found = [live(kinds, "Policy", "web", scopes=["a"]), live(kinds, "Scope", "a")]
    plan = plan_of(kinds, [wanted], found, [desired(kinds, "Scope", "a")], prune=True)
    assert [change.id for change in plan.changes] == ["update:Policy/web", "delete:Scope/a"]
