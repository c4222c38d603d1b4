"""A saved plan, and what a fresh one has to be to be held to it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from unit.plan.small import desired, live, plan_of

from policysync.errors import PolicySyncError, StalePlan
from policysync.kinds.kind import Kind
from policysync.plan.change import Plan
from policysync.plan.codec import FORMAT_VERSION, Saved, dump, hold_to, load, load_all, plan_digest, summary
from policysync.pointer import MISSING
from policysync.state.normalize import digest

Kinds = dict[str, Kind]


def _plan(kinds: Kinds, *, console: int = 9, git: int = 5, names: tuple[str, ...] = ("web", "api")) -> Plan:
    wanted = [desired(kinds, "Policy", name, score=git, password="hunter2") for name in names]
    gone = desired(kinds, "Policy", "old")
    found = [live(kinds, "Policy", name, score=console) for name in names]
    return plan_of(kinds, wanted, [*found, live(kinds, "Policy", "old")], [*wanted, gone], prune=True, notices=["look"])


def _saved(plan: Plan) -> Saved:
    return load(json.loads(json.dumps(dump(plan, "salt"))))


def test_a_plan_reads_back(kinds: Kinds) -> None:
    plan = _plan(kinds)
    document = dump(plan, "salt")
    saved = load(document)
    assert (saved.stage, saved.target, saved.salt) == ("dev", "console", "salt")
    assert saved.digest == document["digest"] == plan_digest(plan, "salt")
    assert set(saved.changes) == {"update:Policy/web", "update:Policy/api", "delete:Policy/old"}
    assert document["summary"] == summary(plan) == {"add": 0, "change": 2, "destroy": 1}
    assert document["notices"] == ["look"]


def test_what_a_value_was_is_left_out_where_there_was_none(kinds: Kinds) -> None:
    document = dump(plan_of(kinds, [desired(kinds, "Policy", "new", score=5)]), "salt")
    edits = {edit["path"][0]: edit for edit in document["waves"][0][0]["edits"]}
    assert edits["score"]["after"] == 5
    assert "before" not in edits["score"]
    assert MISSING not in edits["score"].values()


def test_a_secret_stands_as_a_digest(kinds: Kinds) -> None:
    text = json.dumps(dump(_plan(kinds), "salt"))
    assert "hunter2" not in text
    assert json.dumps(dump(_plan(kinds), "pepper")) != text


@pytest.mark.parametrize("document", [{}, [], "plan", None, {"format_version": 2, "waves": []}, {"format_version": 1}])
def test_what_is_no_plan_is_refused(document: Any) -> None:
    with pytest.raises(PolicySyncError, match="not a plan of format 1"):
        load(document)


def test_an_edited_plan_is_refused(kinds: Kinds) -> None:
    with pytest.raises(PolicySyncError, match="was edited"):
        load({**dump(_plan(kinds), "salt"), "dirty": 0})


@pytest.mark.parametrize(
    ("member", "value"),
    [("schemas", None), ("schemas", 3), ("waves", [["web"]]), ("waves", None), ("dirty", "no"), ("identity", 3),
     ("revision", None), ("heals_accepted", "yes"), ("salt", [])],
)  # fmt: skip
def test_a_plan_that_somebody_put_together_is_refused(kinds: Kinds, member: str, value: object) -> None:
    body = {name: said for name, said in dump(_plan(kinds), "salt").items() if name != "digest"} | {member: value}
    with pytest.raises(PolicySyncError, match="the plan is not whole"):
        load({**body, "digest": digest(body)})


def test_a_file_holds_one_plan_for_each_target(kinds: Kinds) -> None:
    one = dump(_plan(kinds), "salt")
    other = dump(replace(_plan(kinds), target="us"), "salt")
    assert list(load_all({"format_version": FORMAT_VERSION, "plans": [one, other]})) == ["console", "us"]


@pytest.mark.parametrize(
    ("plans", "version", "why"),
    [(2, 1, "two plans for one target"), (0, 1, "it holds no plan"), (1, 99, "not a saved plan of format 1"),
     (None, 1, "not a saved plan")],
)  # fmt: skip
def test_a_file_that_is_something_else_is_refused(kinds: Kinds, plans: int | None, version: int, why: str) -> None:
    held = None if plans is None else [dump(_plan(kinds), "salt")] * plans
    with pytest.raises(PolicySyncError, match=why):
        load_all({"format_version": version, "plans": held})


def test_an_unmoved_world_holds_to_the_plan(kinds: Kinds) -> None:
    assert hold_to(_plan(kinds), _saved(_plan(kinds))) == _plan(kinds)


MOVED: list[tuple[Callable[[Kinds], Plan], str]] = [
    (lambda kinds: _plan(kinds, console=8), "update:Policy/web: live moved"),
    (lambda kinds: _plan(kinds, git=4), "update:Policy/web: git moved"),
    (lambda kinds: _plan(kinds, git=4, console=8), "update:Policy/web: live and git moved"),
    (lambda kinds: _plan(kinds, names=("api",)), "update:Policy/web: not needed any more"),
    (lambda kinds: replace(_plan(kinds), schemas=(("Policy", "newer"),)), "the schema of Policy changed"),
    (lambda kinds: replace(_plan(kinds), target="other"), "not for other"),
    (lambda kinds: replace(_plan(kinds), stage="prod"), "of stage prod"),
]


@pytest.mark.parametrize(("fresh", "why"), MOVED)
def test_a_world_that_moved_makes_the_plan_stale(kinds: Kinds, fresh: Callable[[Kinds], Plan], why: str) -> None:
    with pytest.raises(StalePlan, match=why):
        hold_to(fresh(kinds), _saved(_plan(kinds)))


def test_what_was_not_reviewed_is_not_carried_out(kinds: Kinds) -> None:
    reviewed = _plan(kinds)
    assert hold_to(_plan(kinds, names=("web", "api", "new")), _saved(reviewed)).changes == reviewed.changes
