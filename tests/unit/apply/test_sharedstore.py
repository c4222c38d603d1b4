"""Two machines that share a ledger through a git remote, all of them real repositories."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from unit.apply.world import git, resource

from policysync.apply.events import Outcome
from policysync.apply.gitstore import RefMoved
from policysync.apply.ledger import Ledger
from policysync.apply.record import State
from policysync.apply.report import Done, Report
from policysync.apply.sharedstore import SharedStore
from policysync.apply.verify import verify
from policysync.clock import FakeClock
from policysync.errors import PartlyApplied, PolicySyncError
from policysync.kinds.load import Kinds
from policysync.plan.change import Action, Change, Plan
from policysync.state.resource import Address


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    git(tmp_path, "init", "-q", "--bare", "remote.git")
    return tmp_path / "remote.git"


@pytest.fixture
def machines(tmp_path: Path, remote: Path) -> list[Path]:
    for name in ("one", "two"):
        git(tmp_path, "init", "-q", name)
        git(tmp_path / name, "remote", "add", "origin", str(remote))
    return [tmp_path / "one", tmp_path / "two"]


def shared(root: Path, stage: str = "dev") -> Ledger:
    return Ledger(root, stage, FakeClock(), remote="origin")


def plan_of(kinds: Kinds, name: str, target: str = "console") -> Plan:
    web = resource(kinds, "Policy", name)
    return Plan("dev", target, waves=((Change(Action.CREATE, web.address, None, web),),))


def done(plan: Plan) -> Report:
    return Report(plan.target, tuple(Done(change, Outcome.APPLIED) for change in plan.changes))


def apply(ledger: Ledger, plan: Plan) -> None:
    ledger.begin(plan, "d").finish(done(plan))


def names(ledger: Ledger, target: str = "console") -> set[str]:
    return {address.name for address in ledger.last_applied(target)}


def test_the_other_machine_knows(machines: list[Path], kinds: Kinds) -> None:
    one, two = machines
    apply(shared(one), plan_of(kinds, "a"))
    assert names(shared(two)) == {"a"}
    assert shared(two).salt == shared(one).salt
    apply(shared(two), plan_of(kinds, "b"))
    assert names(shared(one)) == {"a", "b"}
    assert len(list(shared(one).history())) == 2
    assert shared(one, "prod").salt == shared(two).salt


def test_a_lost_race_is_run_again(machines: list[Path], kinds: Kinds) -> None:
    one, two = (shared(machine) for machine in machines)
    apply(one, plan_of(kinds, "a"))
    first, second = plan_of(kinds, "b", "eu"), plan_of(kinds, "c", "us")
    run, other = one.begin(first, "d"), two.begin(second, "d")
    run.finish(done(first))
    other.finish(done(second))
    assert (names(shared(machines[0]), "eu"), names(shared(machines[0]), "us")) == ({"b"}, {"c"})
    assert [record.state for record in shared(machines[0]).history()] == [State.FINISHED] * 3


def test_exactly_one_wins(machines: list[Path], kinds: Kinds, remote: Path) -> None:
    apply(shared(machines[0]), plan_of(kinds, "a"))
    one, two = (shared(machine) for machine in machines)
    tips = [ledger.store.tips(ledger.ref)[ledger.ref] for ledger in (one, two)]
    at, author = FakeClock().now(), one.store.author()
    won = one.store.commit(one.ref, tips[0], {"x": b"1"}, message="", author=author, at=at)
    with pytest.raises(RefMoved):
        two.store.commit(two.ref, tips[1], {"x": b"2"}, message="", author=author, at=at)
    assert git(remote, "rev-parse", one.ref).strip() == won
    assert two.store.tips(two.ref) == {two.ref: won}


def test_nothing_is_kept_that_the_remote_did_not_take(machines: list[Path], kinds: Kinds, remote: Path) -> None:
    hook = remote / "hooks" / "update"
    hook.write_text("#!/bin/sh\necho not today >&2; exit 1\n")
    hook.chmod(0o755)
    with pytest.raises(PolicySyncError, match="not today"):
        apply(shared(machines[0]), plan_of(kinds, "a"))
    assert git(machines[0], "for-each-ref") == ""


def test_an_outcome_the_remote_did_not_take_is_completed_from_the_journal(
    machines: list[Path], kinds: Kinds, remote: Path
) -> None:
    plan = plan_of(kinds, "a")
    run = shared(machines[0]).begin(plan, "d")
    run.journal().close()
    away = remote.rename(remote.with_name("away.git"))
    with pytest.raises(
        PartlyApplied, match=r"not on record: git .*\n.*runs/.*\.jsonl; the next apply here completes it"
    ):
        run.finish(done(plan))
    away.rename(remote)
    unfinished = shared(machines[1]).unfinished()
    assert unfinished is not None
    assert unfinished.id == run.id


def test_a_remote_that_is_away_still_lets_one_read(machines: list[Path], kinds: Kinds, remote: Path) -> None:
    apply(shared(machines[0]), plan_of(kinds, "a"))
    remote.rename(remote.with_name("away.git"))
    ledger = shared(machines[0])
    assert names(ledger) == {"a"}
    assert "origin cannot be reached" in ledger.notice
    with pytest.raises(PolicySyncError):
        apply(ledger, plan_of(kinds, "b"))


def test_a_ledger_from_before_it_was_shared_is_taken_along(machines: list[Path], kinds: Kinds) -> None:
    alone = Ledger(machines[0], "dev", FakeClock())
    apply(alone, plan_of(kinds, "a"))
    apply(shared(machines[0]), plan_of(kinds, "b"))
    assert names(shared(machines[1])) == {"a", "b"}


def test_two_ledgers_that_grew_apart_are_not_mixed(machines: list[Path], kinds: Kinds) -> None:
    apply(shared(machines[0]), plan_of(kinds, "a"))
    apply(Ledger(machines[1], "dev", FakeClock()), plan_of(kinds, "b"))
    with pytest.raises(PolicySyncError, match="grown apart"):
        shared(machines[1]).last_applied("console")


def test_a_hook_before_pushing_is_not_asked(machines: list[Path], kinds: Kinds) -> None:
    hook = machines[0] / ".git" / "hooks" / "pre-push"
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    apply(shared(machines[0]), plan_of(kinds, "a"))
    assert set(shared(machines[1]).last_applied("console")) == {Address("Policy", "a")}


def test_a_token_in_the_address_is_not_shown(machines: list[Path]) -> None:
    git(machines[0], "remote", "set-url", "origin", "http://user:canary-token@127.0.0.1:1/ledger.git")
    ledger = shared(machines[0])
    assert ledger.last_applied("console") == {}
    assert "127.0.0.1" in ledger.notice
    assert "canary-token" not in ledger.notice


def test_a_remote_is_never_an_option(machines: list[Path], tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    ledger = Ledger(machines[0], "dev", FakeClock(), remote=f"--upload-pack=touch {marker};")
    assert ledger.last_applied("console") == {}
    assert not marker.exists()


def test_a_remote_that_can_only_be_read(machines: list[Path], kinds: Kinds, remote: Path) -> None:
    apply(shared(machines[0]), plan_of(kinds, "a"))
    (remote / "hooks" / "update").write_text("#!/bin/sh\nexit 1\n")
    (remote / "hooks" / "update").chmod(0o755)
    ledger = shared(machines[1])
    assert names(ledger) == {"a"}
    assert ledger.notice == ""
    with pytest.raises(PolicySyncError, match=r"can be read and not written.*`plan` and `drift`"):
        ledger.lock("console").acquire()


def test_a_remote_that_was_rewritten(machines: list[Path], kinds: Kinds, remote: Path) -> None:
    one, two = machines
    apply(shared(one), plan_of(kinds, "a"))
    apply(shared(one), plan_of(kinds, "b"))
    # This machine has only ever read.
    assert names(shared(two)) == {"a", "b"}
    git(remote, "update-ref", shared(one).ref, f"{shared(one).ref}~2")
    ledger = shared(two)
    assert names(ledger) == {"a"}
    assert "was rewritten" in ledger.notice
    assert "was rewritten" in verify(ledger).problems[0]
    with pytest.raises(PolicySyncError, match="was rewritten"):
        ledger.begin(plan_of(kinds, "c"), "d")


def test_a_remote_that_lost_it_gets_it_back(machines: list[Path], kinds: Kinds, remote: Path) -> None:
    apply(shared(machines[0]), plan_of(kinds, "a"))
    git(remote, "update-ref", "-d", shared(machines[0]).ref)
    assert "origin has no ledger of dev, and this clone has one" in verify(shared(machines[0])).problems[0]
    apply(shared(machines[0]), plan_of(kinds, "b"))
    assert names(shared(machines[1])) == {"a", "b"}
    assert verify(shared(machines[1])).problems == ()


def test_what_is_checked_without_the_remote_is_said(machines: list[Path], kinds: Kinds, remote: Path) -> None:
    apply(shared(machines[0]), plan_of(kinds, "a"))
    remote.rename(remote.with_name("away.git"))
    (problem,) = verify(shared(machines[0])).problems
    assert "only what is here was checked" in problem


class Deaf(SharedStore):
    """A store whose remote takes what is pushed and whose answers are lost."""

    deaf = True

    def _push(self, ref: str, lease: str, commit: str) -> subprocess.CompletedProcess[bytes]:
        done = super()._push(ref, lease, commit)
        return subprocess.CompletedProcess(done.args, 1, b"", b"lost") if self.deaf else done


def test_an_answer_that_is_lost_on_the_way(machines: list[Path], kinds: Kinds) -> None:
    ledger = shared(machines[0])
    ledger.store = Deaf(machines[0], os.environ, "origin")
    apply(ledger, plan_of(kinds, "a"))
    assert names(shared(machines[1])) == {"a"}
    assert verify(shared(machines[1])).problems == ()
    with ledger.lock("console"):
        assert shared(machines[1]).lock("console").holder() is not None


def test_a_lock_that_was_taken_away_elsewhere_is_not_held_by_what_is_left_of_it_here(machines: list[Path]) -> None:
    """A run that was killed leaves its own copy of the lock; only the remote's counts."""
    shared(machines[0]).lock("console").acquire()
    assert shared(machines[1]).lock("console").take_away() is not None
    assert shared(machines[0]).lock("console").holder() is None
    with shared(machines[0]).lock("console"):
        assert shared(machines[1]).lock("console").holder() is not None
    assert git(machines[0], "for-each-ref", "refs/policysync") == ""
