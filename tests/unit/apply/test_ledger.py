from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import pytest
from unit.apply.world import git, plan_of, resource, retry_of

from policysync.apply.events import Event, Outcome, What
from policysync.apply.execute import execute
from policysync.apply.ledger import Ledger
from policysync.apply.memory import AT_ONCE
from policysync.apply.record import Record, State
from policysync.apply.report import Done, Report
from policysync.backends.memory import Memory
from policysync.clock import FakeClock
from policysync.errors import PolicySyncError, StalePlan
from policysync.kinds.load import Kinds
from policysync.plan.change import Action, Change, Plan
from policysync.secret import Secret
from policysync.state.resource import Address, Resource

CANARY = "canary-7f3a-secret"
WEB = Address("Policy", "web")
ENVIRON = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")} | {
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
}


@pytest.fixture
def ledger(repo: Path, clock: FakeClock) -> Ledger:
    return Ledger(repo, "dev", clock, environ=ENVIRON)


def create(*resources: Resource, target: str = "console") -> Plan:
    changes = tuple(Change(Action.CREATE, r.address, None, r) for r in resources)
    return Plan("dev", target, revision="abc123", dirty=True, waves=(changes,) if changes else ())


def delete(*resources: Resource) -> Plan:
    return Plan("dev", "console", waves=(tuple(Change(Action.DELETE, r.address, r, None) for r in resources),))


def report(plan: Plan, *outcomes: Outcome) -> Report:
    ends = outcomes or (Outcome.APPLIED,) * len(plan.changes)
    pairs = zip(plan.changes, ends, strict=True)
    return Report(plan.target, tuple(Done(change, outcome, f"it {outcome}") for change, outcome in pairs))


def apply(ledger: Ledger, plan: Plan, *outcomes: Outcome, settled: Iterable[Resource] = ()) -> Record | None:
    return ledger.begin(plan, "digest").finish(report(plan, *outcomes), settled)


def count(ledger: Ledger) -> int:
    return int(git(ledger.root, "rev-list", "--count", ledger.ref))


def everything(ledger: Ledger) -> str:
    """Return all that git holds, packed or not."""
    names = git(ledger.root, "cat-file", "--batch-check=%(objectname)", "--batch-all-objects").split()
    command = ["git", "-C", str(ledger.root), "cat-file", "--batch"]
    listing = "\n".join(names).encode()
    return subprocess.run(command, input=listing, capture_output=True, check=True).stdout.decode(errors="replace")


class TestApply:
    def test_nothing_is_known_at_first(self, ledger: Ledger) -> None:
        assert ledger.last_applied("console") == {}
        assert ledger.remembered("console").protected == frozenset()
        assert list(ledger.history()) == []
        assert ledger.unfinished() is None

    def test_an_apply_is_two_commits(self, ledger: Ledger, kinds: Kinds) -> None:
        plan = create(resource(kinds, "Policy", "web", level=2))
        run = ledger.begin(plan, "d1", allowed=["dirty-tree"])
        assert count(ledger) == 1
        assert [record.state for record in ledger.history()] == [State.INTENT]
        run.finish(report(plan))
        assert count(ledger) == 2
        assert ledger.last_applied("console") == {WEB: {"name": "web", "level": 2}}

    def test_history_tells_who_what_and_when(self, ledger: Ledger, kinds: Kinds, clock: FakeClock) -> None:
        git(ledger.root, "config", "user.name", "Ada")
        git(ledger.root, "config", "user.email", "ada@example.com")
        plan = create(resource(kinds, "Policy", "web"))
        run = ledger.begin(plan, "d1", allowed=["dirty-tree"])
        clock.sleep(90)
        run.finish(report(plan, Outcome.FAILED))
        (record,) = ledger.history()
        assert (record.id, record.state, record.by) == (run.id, State.FINISHED, "Ada <ada@example.com>")
        assert (record.revision, record.dirty, record.digest) == ("abc123", True, "d1")
        assert (record.stage, record.target, record.allowed) == ("dev", "console", ("dirty-tree",))
        assert record.ended is not None
        assert (record.ended - record.at).total_seconds() == 90
        (entry,) = record.entries
        assert (entry.id, entry.outcome, entry.message) == ("create:Policy/web", Outcome.FAILED, "it failed")
        assert (entry.before, len(entry.after)) == ("", 64)
        assert git(ledger.root, "log", "-1", "--format=%an", ledger.ref).strip() == "Ada"

    def test_the_newest_comes_first(self, ledger: Ledger, kinds: Kinds, clock: FakeClock) -> None:
        for name in ("a", "b", "c"):
            apply(ledger, create(resource(kinds, "Policy", name)))
            clock.sleep(60)
        assert [record.entries[0].address.name for record in ledger.history()] == ["c", "b", "a"]

    def test_a_long_history(self, ledger: Ledger, kinds: Kinds) -> None:
        for level in range(AT_ONCE + 2):
            apply(ledger, create(), settled=[resource(kinds, "Policy", "web", level=level)])
        assert len(list(ledger.history())) == AT_ONCE + 2

    def test_git_without_a_user(self, ledger: Ledger, kinds: Kinds) -> None:
        record = apply(ledger, create(resource(kinds, "Policy", "web")))
        assert record is not None
        assert record.by == "policysync <policysync@localhost>"

    @pytest.mark.parametrize(
        ("outcome", "level"),
        [
            (Outcome.APPLIED, 2),
            (Outcome.UNCHANGED, 2),
            (Outcome.FAILED, 1),
            (Outcome.SKIPPED, 1),
            (Outcome.UNKNOWN, 1),
        ],
    )
    def test_only_what_succeeded_is_last_applied(
        self, ledger: Ledger, kinds: Kinds, outcome: Outcome, level: int
    ) -> None:
        apply(ledger, create(resource(kinds, "Policy", "web", level=1)))
        apply(ledger, create(resource(kinds, "Policy", "web", level=2)), outcome)
        assert ledger.last_applied("console")[WEB]["level"] == level

    def test_a_delete_drops_the_entry(self, ledger: Ledger, kinds: Kinds) -> None:
        web = resource(kinds, "Policy", "web")
        apply(ledger, create(web))
        apply(ledger, delete(web), Outcome.FAILED)
        assert WEB in ledger.last_applied("console")
        apply(ledger, delete(web))
        assert ledger.last_applied("console") == {}

    def test_targets_are_kept_apart(self, ledger: Ledger, kinds: Kinds) -> None:
        apply(ledger, create(resource(kinds, "Policy", "web", level=1)))
        apply(ledger, create(resource(kinds, "Policy", "web", level=2), target="console/../eu"))
        assert ledger.last_applied("console")[WEB]["level"] == 1
        assert ledger.last_applied("console/../eu")[WEB]["level"] == 2

    def test_stages_are_kept_apart_and_share_the_salt(self, ledger: Ledger, kinds: Kinds, clock: FakeClock) -> None:
        apply(ledger, create(resource(kinds, "Policy", "web")))
        prod = Ledger(ledger.root, "prod", clock)
        assert prod.last_applied("console") == {}
        assert prod.salt == ledger.salt

    def test_what_must_not_be_deleted_is_remembered(self, ledger: Ledger, kinds: Kinds) -> None:
        apply(ledger, create(resource(kinds, "Policy", "web", protect=True), resource(kinds, "Policy", "b")))
        assert ledger.remembered("console").protected == {WEB}

    @pytest.mark.parametrize(
        "name", ["a/b c%2F", "..", ".git", "ünïcode \u2028", "x" * 300, '"quoted"\n', "~", "a.lock"]
    )
    def test_any_name_is_a_name(self, ledger: Ledger, kinds: Kinds, name: str, clock: FakeClock) -> None:
        apply(ledger, create(resource(kinds, "Policy", name, level=3)))
        assert ledger.last_applied("console") == {Address("Policy", name): {"name": name, "level": 3}}
        odd = Ledger(ledger.root, name[:50], clock)
        apply(odd, create(resource(kinds, "Policy", "web"), target=name))
        assert set(odd.last_applied(name)) == {WEB}
        git(ledger.root, "fsck", "--strict")

    def test_a_link_to_the_pipeline_run(self, repo: Path, kinds: Kinds, clock: FakeClock) -> None:
        environ = ENVIRON | {"GITHUB_RUN_ID": "7", "GITHUB_REPOSITORY": "o/r"}
        record = apply(Ledger(repo, "dev", clock, environ=environ), create(resource(kinds, "Policy", "web")))
        assert record is not None
        assert record.link == "https://github.com/o/r/actions/runs/7"


class TestSettled:
    """What needs no change is remembered too, so that later drift is known."""

    def test_a_first_run_against_an_equal_console(self, ledger: Ledger, kinds: Kinds) -> None:
        record = apply(ledger, create(), settled=[resource(kinds, "Policy", "web", level=1)])
        assert record is not None
        assert record.state is State.SETTLED
        assert count(ledger) == 1
        assert ledger.last_applied("console") == {WEB: {"name": "web", "level": 1}}

    def test_nothing_new_adds_no_commit(self, ledger: Ledger, kinds: Kinds) -> None:
        web = resource(kinds, "Policy", "web", level=1)
        assert apply(ledger, create()) is None
        assert ledger.store.tips("refs") == {}
        apply(ledger, create(web))
        assert apply(ledger, create(), settled=[web]) is None
        assert count(ledger) == 2

    def test_another_revision_that_changes_nothing_is_remembered(self, ledger: Ledger, kinds: Kinds) -> None:
        web = resource(kinds, "Policy", "web", level=1)
        apply(ledger, replace(create(web), dirty=False))
        again = replace(create(), revision="def456", dirty=False)
        record = apply(ledger, again, settled=[web])
        assert record is not None
        assert (record.state, record.revision, record.settled) == (State.SETTLED, "def456", ())
        assert apply(ledger, again, settled=[web]) is None
        assert apply(ledger, replace(again, dirty=True), settled=[web]) is None
        assert [known.revision for known in ledger.history()] == ["def456", "abc123"]

    def test_why_it_was_done_out_of_turn_is_remembered(self, ledger: Ledger, kinds: Kinds) -> None:
        plan = create(resource(kinds, "Policy", "web", level=1))
        ledger.begin(plan, "digest", occasion="rollback to x").finish(report(plan))
        assert [known.occasion for known in ledger.history()] == ["rollback to x"]

    def test_a_change_outranks_it(self, ledger: Ledger, kinds: Kinds) -> None:
        web = resource(kinds, "Policy", "web", level=1)
        apply(ledger, create(web), Outcome.FAILED, settled=[web, resource(kinds, "Policy", "b")])
        assert set(ledger.last_applied("console")) == {Address("Policy", "b")}

    def test_what_nobody_has_any_more_is_dropped(self, ledger: Ledger, kinds: Kinds) -> None:
        apply(ledger, create(resource(kinds, "Policy", "web")))
        ledger.begin(create(), "d").finish(Report("console"), gone=[WEB, Address("Policy", "never")])
        assert ledger.last_applied("console") == {}


class TestSecrets:
    def test_only_a_salted_digest_is_kept(self, ledger: Ledger, kinds: Kinds) -> None:
        web = resource(kinds, "Policy", "web", password=Secret(CANARY))
        apply(ledger, create(web), settled=[resource(kinds, "Policy", "b", password=Secret(CANARY))])
        kept = ledger.last_applied("console")[WEB]["password"]
        assert kept == {"$digest": Secret(CANARY).digest(ledger.salt)}
        assert CANARY not in everything(ledger)

    def test_a_journal_has_none(self, ledger: Ledger, kinds: Kinds, clock: FakeClock) -> None:
        memory = Memory(kinds)
        plan = plan_of(kinds, memory, [resource(kinds, "Policy", "web", password=Secret(CANARY))])
        run = ledger.begin(plan, "d")
        with run.journal() as journal:
            ended = execute(plan, memory, kinds, retry=retry_of(clock), clock=clock, listeners=[journal])
        run.finish(ended)
        assert CANARY not in journal.file.read_text()
        assert CANARY not in everything(ledger)

    def test_the_salt_stays(self, ledger: Ledger, kinds: Kinds, clock: FakeClock) -> None:
        before = ledger.salt
        apply(ledger, create(resource(kinds, "Policy", "web")))
        assert Ledger(ledger.root, "dev", clock).salt == before
        assert len(before) == 32

    def test_the_same_secret_is_known_again(self, ledger: Ledger, kinds: Kinds) -> None:
        memory = Memory(kinds, [resource(kinds, "Policy", "web")])
        desired = [resource(kinds, "Policy", "web", password=Secret(CANARY))]
        apply(ledger, plan_of(kinds, memory, desired))
        last = ledger.last_applied("console")
        assert plan_of(kinds, memory, desired, last, salt=ledger.salt).changes == ()
        other = [resource(kinds, "Policy", "web", password=Secret("another one"))]
        assert len(plan_of(kinds, memory, other, last, salt=ledger.salt).changes) == 1


class TestDied:
    """A run that began and never said how it ended."""

    @pytest.fixture
    def plan(self, kinds: Kinds, ledger: Ledger) -> Plan:
        apply(ledger, create(resource(kinds, "Policy", "gone"), resource(kinds, "Policy", "web", level=1)))
        changes = create(resource(kinds, "Policy", "web", level=2), resource(kinds, "Policy", "b")).waves
        return replace(create(), waves=(*changes, *delete(resource(kinds, "Policy", "gone")).waves))

    def died(self, ledger: Ledger, plan: Plan, *outcomes: Outcome) -> str:
        run = ledger.begin(plan, "d")
        with run.journal() as journal:
            for change, outcome in zip(plan.changes, outcomes, strict=False):
                at = ledger.clock.now()
                journal(Event(at, What.ENDED, "console", change.address, change.action, outcome, "so it was"))
        return run.id

    def test_it_is_seen_by_the_next_one(self, ledger: Ledger, plan: Plan) -> None:
        died = self.died(ledger, plan)
        unfinished = ledger.unfinished("console")
        assert unfinished is not None
        assert unfinished.id == died
        assert ledger.unfinished("another") is None

    def test_without_a_journal_nothing_moved(self, ledger: Ledger, plan: Plan) -> None:
        ledger.begin(plan, "d")
        assert ledger.last_applied("console")[WEB]["level"] == 1
        assert Address("Policy", "gone") in ledger.last_applied("console")

    def test_the_journal_tells_how_far_it_came(self, ledger: Ledger, plan: Plan) -> None:
        self.died(ledger, plan, Outcome.APPLIED, Outcome.FAILED, Outcome.APPLIED)
        assert ledger.last_applied("console") == {WEB: {"name": "web", "level": 2}}
        assert ledger.unfinished() is not None

    def test_the_next_apply_closes_it(self, ledger: Ledger, plan: Plan, kinds: Kinds, clock: FakeClock) -> None:
        died = self.died(ledger, plan, Outcome.APPLIED, Outcome.FAILED)
        clock.sleep(60)
        apply(ledger, create(resource(kinds, "Policy", "new")))
        assert ledger.unfinished() is None
        closed = next(record for record in ledger.history() if record.id == died)
        assert closed.state is State.INTERRUPTED
        assert [e.outcome for e in closed.entries] == [Outcome.APPLIED, Outcome.FAILED, Outcome.UNKNOWN]
        assert closed.entries[2].message == "the run died before it said how this ended"
        assert ledger.last_applied("console")[WEB]["level"] == 2
        assert {address.name for address in ledger.last_applied("console")} == {"web", "gone", "new"}

    def test_one_that_was_given_up_too_early_still_ends(self, ledger: Ledger, plan: Plan, kinds: Kinds) -> None:
        slow = ledger.begin(plan, "d")
        apply(ledger, create(resource(kinds, "Policy", "new")))
        slow.finish(report(plan))
        assert next(ledger.history()).state is State.FINISHED
        # What it made is added; what it changed or deleted may have been applied again since.
        assert {address.name for address in ledger.last_applied("console")} == {"web", "b", "new", "gone"}
        assert ledger.last_applied("console")[WEB]["level"] == 1

    def test_other_targets_are_left_alone(self, ledger: Ledger, plan: Plan, kinds: Kinds) -> None:
        died = self.died(ledger, plan)
        apply(ledger, create(resource(kinds, "Policy", "new"), target="other"))
        unfinished = ledger.unfinished()
        assert unfinished is not None
        assert unfinished.id == died


class TestTogether:
    """Several writers of one ledger."""

    def test_targets_of_a_stage_at_once(self, ledger: Ledger, kinds: Kinds) -> None:
        plans = [create(resource(kinds, "Policy", "web"), target=name) for name in ("eu", "us")]
        runs = [ledger.begin(plan, "d") for plan in plans]
        for run, plan in zip(runs, plans, strict=True):
            run.finish(report(plan))
        assert [record.state for record in ledger.history()] == [State.FINISHED] * 2
        assert set(ledger.last_applied("eu")) == set(ledger.last_applied("us")) == {WEB}

    def test_a_lost_race_is_run_again_on_what_the_other_wrote(
        self, ledger: Ledger, kinds: Kinds, clock: FakeClock
    ) -> None:
        plan = create(resource(kinds, "Policy", "web"))
        run = ledger.begin(plan, "d")
        race(ledger, lambda: apply(again(ledger), create(resource(kinds, "Policy", "b"), target="other")))
        run.finish(report(plan))
        assert set(ledger.last_applied("console")) == {WEB}
        assert set(ledger.last_applied("other")) == {Address("Policy", "b")}

    def test_another_apply_to_the_same_target_wins_once(self, ledger: Ledger, kinds: Kinds) -> None:
        apply(ledger, create(resource(kinds, "Policy", "a")))
        race(ledger, lambda: again(ledger).begin(create(resource(kinds, "Policy", "b")), "d"))
        with pytest.raises(StalePlan, match=r"apply .* to console was begun by .* meanwhile"):
            ledger.begin(create(resource(kinds, "Policy", "c")), "d")

    def test_two_that_begin_the_ledger_do_not_mix_salts(self, ledger: Ledger, kinds: Kinds, clock: FakeClock) -> None:
        assert ledger.salt
        apply(Ledger(ledger.root, "dev", clock), create(resource(kinds, "Policy", "b")))
        with pytest.raises(StalePlan, match="begun by another run"):
            ledger.begin(create(resource(kinds, "Policy", "c")), "d")


def again(ledger: Ledger) -> Ledger:
    return Ledger(ledger.root, ledger.stage, ledger.clock)


def race(ledger: Ledger, other: Callable[[], object]) -> None:
    """Let somebody else write between the next look at the ledger's files and the commit that follows."""
    tree, store = ledger.store.tree, ledger.store
    others = [other]

    def looked(commit: str) -> dict[str, str]:
        found = tree(commit)
        if others:
            others.pop()()
        return found

    store.tree = looked  # type: ignore[method-assign]  # the moment between two processes, which nothing else can reach


class TestPlaces:
    def test_below_the_root_of_a_repository(self, repo: Path, kinds: Kinds, clock: FakeClock) -> None:
        root = repo / "teams" / "security"
        root.mkdir(parents=True)
        ledger = Ledger(root, "dev", clock)
        apply(ledger, create(resource(kinds, "Policy", "web")))
        assert set(Ledger(root, "dev", clock).last_applied("console")) == {WEB}

    def test_nothing_of_it_is_seen_in_the_work_tree(self, ledger: Ledger, kinds: Kinds) -> None:
        run = ledger.begin(create(resource(kinds, "Policy", "web")), "d")
        run.journal().close()
        assert git(ledger.root, "status", "--porcelain") == ""
        assert git(ledger.root, "for-each-ref", "--format=%(refname)").split() == [ledger.ref]

    def test_a_repository_that_names_by_sha256(self, tmp_path: Path, kinds: Kinds, clock: FakeClock) -> None:
        git(tmp_path, "init", "-q", "--object-format=sha256")
        ledger = Ledger(tmp_path, "dev", clock)
        web = resource(kinds, "Policy", "web")
        apply(ledger, create(web))
        assert apply(ledger, create(), settled=[web]) is None
        assert set(ledger.last_applied("console")) == {WEB}

    def test_thousands_of_resources_write_only_what_changed(self, ledger: Ledger, kinds: Kinds) -> None:
        many = [resource(kinds, "Policy", f"p{n}", level=n) for n in range(3000)]
        apply(ledger, create(), settled=many)
        held = len(git(ledger.root, "cat-file", "--batch-check", "--batch-all-objects").splitlines())
        apply(ledger, create(), settled=[*many[:-1], resource(kinds, "Policy", "p2999", level=0)])
        after = len(git(ledger.root, "cat-file", "--batch-check", "--batch-all-objects").splitlines())
        assert after - held < 10
        assert len(ledger.last_applied("console")) == 3000

    def test_git_that_refuses_is_named(self, ledger: Ledger, kinds: Kinds) -> None:
        objects = ledger.root / ".git" / "objects"
        for folder in objects.iterdir():
            folder.rmdir()
        objects.rmdir()
        with pytest.raises(PolicySyncError, match="git"):
            apply(ledger, create(resource(kinds, "Policy", "web")))
