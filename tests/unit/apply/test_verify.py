"""What `verify` finds in a ledger that somebody changed with git's own commands."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from unit.apply.test_ledger import ENVIRON, apply, create, delete, report
from unit.apply.world import git, resource

from policysync.apply.events import Outcome
from policysync.apply.gitstore import Author
from policysync.apply.ledger import Ledger
from policysync.apply.record import State
from policysync.apply.verify import SKEW, verify
from policysync.clock import FakeClock
from policysync.errors import PolicySyncError
from policysync.kinds.load import Kinds

MALLORY = Author("Mallory", "m@example.com")


@pytest.fixture
def ledger(repo: Path, clock: FakeClock) -> Ledger:
    return Ledger(repo, "dev", clock, environ=ENVIRON)


@pytest.fixture
def full(ledger: Ledger, kinds: Kinds, clock: FakeClock) -> Ledger:
    """A ledger with everything in it: a failure and its repair, a death, a late end, something settled and gone."""
    web, old = resource(kinds, "Policy", "web"), resource(kinds, "Policy", "old")
    apply(ledger, create(web, old), Outcome.APPLIED, Outcome.FAILED)
    clock.sleep(60)
    apply(ledger, create(), settled=[old])
    late = create(resource(kinds, "Policy", "late"))
    died = ledger.begin(late, "d")
    apply(ledger, create(resource(kinds, "Policy", "eu"), target="eu"))
    new = create(resource(kinds, "Policy", "new", level=1))
    run = ledger.begin(new, "d")
    died.finish(report(late))
    run.finish(report(new), gone=[old.address])
    apply(ledger, delete(web))
    return ledger


def problems(ledger: Ledger) -> str:
    return "\n".join(verify(ledger).problems)


def tip(ledger: Ledger) -> str:
    return git(ledger.root, "rev-parse", ledger.ref).strip()


def forge(ledger: Ledger, files: dict[str, bytes | None], seconds: int = 0) -> None:
    """Add a commit to the ledger, as somebody who can push would."""
    at = FakeClock().now().fromtimestamp(FakeClock().now().timestamp() + 10_000 + seconds, FakeClock().now().tzinfo)
    ledger.store.commit(ledger.ref, tip(ledger), files, message="", author=MALLORY, at=at)


def forged_record(ledger: Ledger, **members: object) -> bytes:
    said = json.loads(git(ledger.root, "show", f"{ledger.ref}:record.json"))
    return json.dumps({**said, **members}).encode()


def test_what_applies_wrote_is_proven(full: Ledger) -> None:
    found = verify(full)
    assert found.problems == ()
    assert (found.tip, found.signed) == (tip(full), 0)
    assert found.commits == int(git(full.root, "rev-list", "--count", full.ref))


def test_nothing_is_proven_of_nothing(ledger: Ledger) -> None:
    assert verify(ledger).problems == ()
    assert verify(ledger).commits == 0


def test_last_applied_changed_by_hand(full: Ledger) -> None:
    forge(full, {"last-applied/console/Policy/late.json": b'{"spec":{"level":9}}'})
    assert "last-applied/console/Policy/late.json was changed, and no apply did that" in problems(full)


def test_last_applied_that_the_outcome_does_not_explain(ledger: Ledger, kinds: Kinds) -> None:
    plan = create(resource(kinds, "Policy", "web"))
    run = ledger.begin(plan, "d")
    tree = git(ledger.root, "ls-tree", "-r", "--name-only", ledger.ref).split()
    files: dict[str, bytes | None] = {path: None for path in tree if path.startswith("open/")}
    record = run.record.closed(State.FINISHED, run.record.at, {})
    said = json.loads(forged_record(ledger, state="finished", ended=run.record.at.isoformat()))
    said["changes"][0]["outcome"] = "applied"
    forge(ledger, {**files, "record.json": json.dumps(said).encode(), "last-applied/console/Policy/web.json": b"{}"})
    assert record.entries
    assert f"last-applied of Policy/web is not what apply {run.id} made it" in problems(ledger)


def test_an_apply_that_is_there_twice(full: Ledger) -> None:
    forge(full, {"record.json": forged_record(full, state="intent")})
    assert "begins a second time" in problems(full)


def test_an_end_without_a_beginning(full: Ledger) -> None:
    forge(full, {"record.json": forged_record(full, id="20260101T000000Z-ffffff")})
    assert "apply 20260101T000000Z-ffffff ends and never began" in problems(full)


def test_an_end_that_is_there_twice(full: Ledger) -> None:
    forge(full, {"record.json": forged_record(full)})
    assert "ends a second time, and adds nothing" in problems(full)


def test_two_applies_open_at_once(ledger: Ledger, kinds: Kinds) -> None:
    ledger.begin(create(resource(kinds, "Policy", "web")), "d")
    forge(ledger, {"record.json": forged_record(ledger, id="other")})
    assert "begins while" in problems(ledger)


def test_another_plan_than_was_begun(ledger: Ledger, kinds: Kinds) -> None:
    plan = create(resource(kinds, "Policy", "web"))
    run = ledger.begin(plan, "d")
    forge(ledger, {"record.json": forged_record(ledger, state="finished", plan="another")})
    assert f"apply {run.id} ends as another one than it began" in problems(ledger)


@pytest.mark.parametrize("text", [None, b"", b"[]", b"{}", b"\xff", b"[" * 100_000])
def test_a_record_that_is_none(full: Ledger, text: bytes | None) -> None:
    forge(full, {"record.json": text})
    assert "has no record of a form known here" in problems(full)
    with pytest.raises(PolicySyncError, match="cannot be read"):
        list(full.history())


def test_a_changed_salt(full: Ledger) -> None:
    forge(full, {"salt": b"another"})
    assert "the salt was changed" in problems(full)


def test_time_that_runs_backwards(full: Ledger) -> None:
    forge(full, {"x": b"1"})
    forge(full, {"x": b"2"}, seconds=-SKEW - 1)
    assert f"it is {SKEW + 1} s older than the commit before it" in problems(full)


def test_a_merge(full: Ledger) -> None:
    git(full.root, "-c", "user.name=m", "-c", "user.email=m@x", "commit", "-q", "--allow-empty", "-m", "other")
    arguments = ("commit-tree", f"{full.ref}^{{tree}}", "-p", full.ref, "-p", "HEAD", "-m", "merge")
    merged = git(full.root, "-c", "user.name=m", "-c", "user.email=m@x", *arguments).strip()
    git(full.root, "update-ref", full.ref, merged)
    assert "it has 2 parents" in problems(full)


class TestAdopted:
    """What was taken into git: marks, and nothing that an apply wrote."""

    def test_an_adoption_is_proven_and_makes_nothing_last_applied(self, full: Ledger, kinds: Kinds) -> None:
        hand = resource(kinds, "Policy", "hand", level=3)
        before = full.last_applied("console")
        full.adopt("console", [hand])
        assert list(full.adopted("console")) == [hand.address]
        assert full.last_applied("console") == before
        assert verify(full).problems == ()
        commits = verify(full).commits
        full.adopt("console", [hand])
        assert verify(full).commits == commits

    @pytest.mark.parametrize("how", ["applied", "settled", "gone"])
    def test_a_mark_goes_when_an_apply_knows_better(self, full: Ledger, kinds: Kinds, how: str) -> None:
        hand = resource(kinds, "Policy", "hand", level=3)
        full.adopt("console", [hand])
        if how == "applied":
            apply(full, create(hand))
        else:
            run = full.begin(create(), "d")
            run.finish(report(create()), [hand] if how == "settled" else [], [hand.address] if how == "gone" else [])
        assert full.adopted("console") == {}
        assert verify(full).problems == ()

    def test_a_mark_stays_when_an_apply_failed(self, full: Ledger, kinds: Kinds) -> None:
        hand = resource(kinds, "Policy", "hand", level=3)
        full.adopt("console", [hand])
        apply(full, create(hand), Outcome.FAILED)
        assert list(full.adopted("console")) == [hand.address]
        assert verify(full).problems == ()

    @pytest.mark.parametrize(
        ("members", "files", "said"),
        [
            ({"taken": ["Policy/x"]}, {}, "took adopted/console/Policy/x.json, which is not there"),
            ({"taken": []}, {"adopted/console/Policy/x.json": b"1"}, "was changed, and no apply did that"),
            ({"taken": []}, {"last-applied/console/Policy/x.json": b"1"}, "was changed, and no apply did that"),
            ({"taken": [], "settled": ["Policy/x"]}, {}, "says that it applied something"),
        ],
    )
    def test_a_forged_one(
        self, full: Ledger, members: dict[str, object], files: dict[str, bytes | None], said: str
    ) -> None:
        plain = {"id": "20260101T000000Z-ffffff", "state": "adopted", "changes": [], "settled": [], "gone": []}
        forge(full, {"record.json": forged_record(full, **{**plain, **members}), **files})
        assert said in problems(full)

    @pytest.mark.parametrize("text", [b"", b"[]", b'{"live": 7}'])
    def test_a_mark_that_is_none(self, full: Ledger, text: bytes) -> None:
        forge(full, {"adopted/console/Policy/x.json": text})
        with pytest.raises(PolicySyncError, match="cannot be read"):
            full.adopted("console")


class TestSeen:
    """What the folder remembers of the ledger."""

    def test_a_ledger_that_lost_its_newest_commits(self, full: Ledger) -> None:
        git(full.root, "update-ref", full.ref, f"{full.ref}~2")
        assert "was rewritten" in problems(full)
        assert full.last_applied("console")
        assert "was rewritten" in full.notice
        with pytest.raises(PolicySyncError, match=r"was rewritten.*delete .*ledger/dev\.json"):
            full.begin(create(), "d")

    def test_a_ledger_that_is_gone_is_not_an_empty_one(self, full: Ledger, kinds: Kinds) -> None:
        was = tip(full)
        git(full.root, "update-ref", "-d", full.ref)
        assert full.last_applied("console") == {}
        assert f"is missing: it was at {was[:12]}" in full.notice
        with pytest.raises(PolicySyncError, match="git update-ref"):
            full.begin(create(resource(kinds, "Policy", "web")), "d")
        git(full.root, "update-ref", full.ref, was)
        assert full.last_applied("console")
        assert full.notice == ""

    def test_a_ledger_that_may_begin_anew(self, full: Ledger, kinds: Kinds) -> None:
        git(full.root, "update-ref", "-d", full.ref)
        full.seen.file.unlink()
        apply(full, create(resource(kinds, "Policy", "web")))
        assert verify(full).problems == ()

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"tip": "--all"}', '{"tip": 7}'])
    def test_what_cannot_be_read_is_nothing(self, full: Ledger, text: str) -> None:
        full.seen.file.write_text(text)
        assert full.seen.tip() == ""
        assert full.last_applied("console")
        assert full.seen.tip() == tip(full)

    def test_another_stage_is_another_ledger(self, full: Ledger) -> None:
        assert full.beside("prod").last_applied("console") == {}
        assert full.beside("prod").notice == ""


class TestShallow:
    """A ledger of which only the newest part was fetched."""

    @pytest.fixture
    def clone(self, full: Ledger, tmp_path_factory: pytest.TempPathFactory) -> Path:
        root = tmp_path_factory.mktemp("clone")
        git(root, "init", "-q")
        git(root, "remote", "add", "origin", f"file://{full.root}")
        git(root, "fetch", "-q", "--depth=1", "origin", f"{full.ref}:{full.ref}")
        return root

    def test_it_can_be_read_and_not_written(self, clone: Path, clock: FakeClock, full: Ledger) -> None:
        part = Ledger(clone, "dev", clock, environ=ENVIRON)
        assert part.last_applied("console") == full.last_applied("console")
        assert "a shallow clone" in problems(part)
        with pytest.raises(PolicySyncError, match="git fetch --depth=2147483646"):
            part.begin(create(), "d")

    def test_one_that_is_shared_is_fetched_whole(self, clone: Path, clock: FakeClock, kinds: Kinds) -> None:
        whole = Ledger(clone, "dev", clock, environ=ENVIRON, remote="origin")
        assert whole.last_applied("console")
        apply(whole, create(resource(kinds, "Policy", "more")))
        found = verify(whole)
        assert (found.problems, found.commits > 5) == ((), True)


class TestSigned:
    """Commits signed with an SSH key made for the test."""

    @pytest.fixture
    def signing(self, ledger: Ledger, tmp_path_factory: pytest.TempPathFactory) -> Ledger:
        folder = tmp_path_factory.mktemp("keys")
        key = folder / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)], check=True)
        allowed = folder / "allowed"
        allowed.write_text(f"ada@example.com {key.with_suffix('.pub').read_text()}")
        for name, value in {
            "user.name": "Ada",
            "user.email": "ada@example.com",
            "gpg.format": "ssh",
            "user.signingkey": str(key),
            "gpg.ssh.allowedSignersFile": str(allowed),
            "commit.gpgsign": "true",
        }.items():
            git(ledger.root, "config", name, value)
        return Ledger(ledger.root, "dev", ledger.clock, environ=ENVIRON)

    def test_signatures_hold(self, signing: Ledger, kinds: Kinds) -> None:
        apply(signing, create(resource(kinds, "Policy", "web")))
        found = verify(signing)
        assert (found.problems, found.commits, found.signed) == ((), 2, 2)
        assert git(signing.root, "for-each-ref", "--format=%(refname)").split() == [signing.ref]

    def test_a_key_nobody_allowed(self, signing: Ledger, kinds: Kinds) -> None:
        apply(signing, create(resource(kinds, "Policy", "web")))
        Path(git(signing.root, "config", "gpg.ssh.allowedSignersFile").strip()).write_text("")
        assert "its signature does not hold" in problems(signing)

    def test_a_commit_without_one_among_signed_ones(self, signing: Ledger, kinds: Kinds) -> None:
        apply(signing, create(resource(kinds, "Policy", "web")))
        git(signing.root, "config", "commit.gpgsign", "false")
        unsigned = Ledger(signing.root, "dev", signing.clock, environ=ENVIRON)
        apply(unsigned, create(resource(kinds, "Policy", "b")))
        assert "it is not signed, and commits before it are; 2 such commits" in problems(unsigned)

    def test_signing_that_begins_later(self, ledger: Ledger, kinds: Kinds, request: pytest.FixtureRequest) -> None:
        apply(ledger, create(resource(kinds, "Policy", "web")))
        signing: Ledger = request.getfixturevalue("signing")
        apply(signing, create(resource(kinds, "Policy", "b")))
        assert (verify(signing).problems, verify(signing).signed) == ((), 2)

    def test_a_key_that_is_away_ends_the_apply_before_it_begins(self, signing: Ledger, kinds: Kinds) -> None:
        git(signing.root, "config", "user.signingkey", "/nowhere/key")
        with pytest.raises(PolicySyncError, match="commit-tree failed"):
            signing.begin(create(resource(kinds, "Policy", "web")), "d")
        assert git(signing.root, "for-each-ref") == ""


class TestUnrepaired:
    def test_what_failed_stays_until_it_succeeds(self, ledger: Ledger, kinds: Kinds) -> None:
        web, b = resource(kinds, "Policy", "web"), resource(kinds, "Policy", "b")
        record = apply(ledger, create(web, b), Outcome.FAILED, Outcome.APPLIED)
        (undone,) = ledger.unrepaired("console").values()
        assert record is not None
        assert (undone.apply, undone.outcome, undone.message) == (record.id, Outcome.FAILED, "it failed")
        apply(ledger, create(web))
        assert ledger.unrepaired("console") == {}

    def test_what_is_in_order_by_itself_is_repaired(self, ledger: Ledger, kinds: Kinds) -> None:
        first, second = (resource(kinds, "Policy", "web", level=level) for level in (1, 2))
        apply(ledger, create(first))
        apply(ledger, create(second), Outcome.FAILED)
        # Git went back to what was applied before: last-applied stays, and there is nothing left to repair.
        assert apply(ledger, create(), settled=[first]) is not None
        assert ledger.unrepaired("console") == {}
        assert apply(ledger, create(), settled=[first]) is None
        assert verify(ledger).problems == ()

    def test_what_a_dead_run_left_unknown(self, ledger: Ledger, kinds: Kinds) -> None:
        ledger.begin(create(resource(kinds, "Policy", "web")), "d")
        apply(ledger, create(resource(kinds, "Policy", "b")))
        assert [undone.outcome for undone in ledger.unrepaired("console").values()] == [Outcome.UNKNOWN]
