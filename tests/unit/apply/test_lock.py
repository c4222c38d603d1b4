from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from unit.apply.world import git

from policysync.apply.events import Event, What
from policysync.apply.gitstore import GitStore, RefMoved
from policysync.apply.lock import LASTS, Lock
from policysync.apply.sharedstore import SharedStore
from policysync.clock import FakeClock
from policysync.errors import Blocked, PolicySyncError

BEAT = Event(datetime(2026, 1, 1, tzinfo=UTC), What.ENDED, "console")


def lock_of(root: Path, clock: FakeClock, stop: threading.Event | None = None) -> Lock:
    return Lock(GitStore(root, os.environ), "console", clock, stop)


def test_only_one_holds_it(repo: Path, clock: FakeClock) -> None:
    with lock_of(repo, clock) as lock:
        holder = lock.holder()
        assert holder is not None
        assert holder.pid == os.getpid()
        with pytest.raises(Blocked, match=r"the lock of console is held by .* on .*policysync unlock"):
            lock_of(repo, clock).acquire()
    assert lock_of(repo, clock).holder() is None
    assert git(repo, "for-each-ref") == ""


def test_targets_have_locks_of_their_own(repo: Path, clock: FakeClock) -> None:
    with lock_of(repo, clock), Lock(GitStore(repo, os.environ), "other/eu", clock):
        assert len(git(repo, "for-each-ref").splitlines()) == 2


def test_it_ends_by_itself(repo: Path, clock: FakeClock) -> None:
    old = lock_of(repo, clock)
    old.acquire()
    clock.sleep(LASTS.total_seconds())
    with lock_of(repo, clock) as lock:
        old.release()
        assert lock.holder() is not None


def test_a_long_apply_renews_it(repo: Path, clock: FakeClock) -> None:
    with lock_of(repo, clock) as lock:
        for _ in range(10):
            clock.sleep(LASTS.total_seconds() / 2)
            lock(BEAT)
        with pytest.raises(Blocked):
            lock_of(repo, clock).acquire()
    assert lock.holder() is None


def test_nothing_is_written_before_there_is_need(repo: Path, clock: FakeClock) -> None:
    with lock_of(repo, clock) as lock:
        before = git(repo, "rev-parse", lock.ref)
        lock(BEAT)
        assert git(repo, "rev-parse", lock.ref) == before


def test_losing_it_stops_the_apply(repo: Path, clock: FakeClock) -> None:
    stop = threading.Event()
    with lock_of(repo, clock, stop) as lock:
        holder = lock_of(repo, clock).take_away()
        assert holder is not None
        clock.sleep(LASTS.total_seconds() / 2)
        lock(BEAT)
        assert stop.is_set()
        with lock_of(repo, clock) as other:
            lock.release()
            assert other.holder() is not None


def test_taking_away_what_nobody_holds(repo: Path, clock: FakeClock) -> None:
    assert lock_of(repo, clock).take_away() is None


def test_a_process_that_is_gone_holds_nothing(repo: Path, clock: FakeClock) -> None:
    code = (
        "import os, sys; from pathlib import Path; from policysync.clock import FakeClock\n"
        "from policysync.apply.gitstore import GitStore; from policysync.apply.lock import Lock\n"
        "Lock(GitStore(Path(sys.argv[1]), os.environ), 'console', FakeClock()).acquire(); os._exit(9)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(repo)], check=False).returncode == 9
    assert lock_of(repo, clock).holder() is not None
    with lock_of(repo, clock):
        pass


class TestShared:
    """Through a remote, so that it holds on every machine."""

    @pytest.fixture
    def stores(self, tmp_path: Path) -> list[SharedStore]:
        git(tmp_path, "init", "-q", "--bare", "remote.git")
        for name in ("one", "two"):
            git(tmp_path, "init", "-q", name)
            git(tmp_path / name, "remote", "add", "origin", str(tmp_path / "remote.git"))
        return [SharedStore(tmp_path / name, os.environ, "origin") for name in ("one", "two")]

    def test_one_machine_at_a_time(self, stores: list[SharedStore], clock: FakeClock) -> None:
        one, two = (Lock(store, "console", clock) for store in stores)
        for _ in range(3):
            with one, pytest.raises(Blocked):
                two.acquire()
            with two, pytest.raises(Blocked):
                one.acquire()
        assert git(stores[0].root.parent / "remote.git", "for-each-ref") == ""

    def test_a_race_has_one_winner(self, stores: list[SharedStore], clock: FakeClock) -> None:
        """The other one takes it between our look and our write."""
        one, two = (Lock(store, "console", clock) for store in stores)
        refresh = stores[0].refresh
        others = [two.acquire]

        def refreshed() -> None:
            refresh()
            if others:
                others.pop()()

        stores[0].refresh = refreshed  # type: ignore[method-assign]  # a moment nothing else can reach
        with pytest.raises(Blocked):
            one.acquire()
        two.release()

    def test_another_machine_takes_it_away(self, stores: list[SharedStore], clock: FakeClock) -> None:
        stop = threading.Event()
        lock = Lock(stores[0], "console", clock, stop)
        lock.acquire()
        assert Lock(stores[1], "console", clock).take_away() is not None
        clock.sleep(LASTS.total_seconds() / 2)
        lock(BEAT)
        assert stop.is_set()


class TestWaiting:
    def test_for_one_that_is_given_back(self, repo: Path, clock: FakeClock) -> None:
        first, said = lock_of(repo, clock), []

        def told(text: str) -> None:
            said.append(text)
            first.release()

        first.acquire()
        with Lock(GitStore(repo, os.environ), "console", clock, timeout=60, say=told) as second:
            assert second.holder() is not None
        assert len(said) == 1
        assert "waiting for up to 60 s: the lock of console is held by" in said[0]

    def test_only_for_so_long(self, repo: Path, clock: FakeClock) -> None:
        with lock_of(repo, clock):
            before = clock.monotonic()
            with pytest.raises(Blocked, match="held by"):
                Lock(GitStore(repo, os.environ), "console", clock, timeout=60).acquire()
            assert clock.monotonic() - before == 60

    def test_until_it_ends_by_itself(self, repo: Path, clock: FakeClock) -> None:
        lock_of(repo, clock).acquire()
        with Lock(GitStore(repo, os.environ), "console", clock, timeout=LASTS.total_seconds() + 60) as lock:
            assert lock.holder() is not None

    def test_not_when_told_to_stop(self, repo: Path, clock: FakeClock) -> None:
        stop = threading.Event()
        stop.set()
        with lock_of(repo, clock), pytest.raises(Blocked):
            Lock(GitStore(repo, os.environ), "console", clock, stop, timeout=60).acquire()


def test_the_holder_names_its_pipeline_run(repo: Path, clock: FakeClock) -> None:
    first = Lock(GitStore(repo, os.environ), "console", clock, link="https://ci/7")
    with first, pytest.raises(Blocked, match=r"since .* \(https://ci/7\)"):
        lock_of(repo, clock).acquire()


@pytest.mark.parametrize(
    "text",
    [b"", b"[]", b"{}", b"\xff", b'{"by":1,"host":"","pid":"x","since":"","until":"2026-01-01"}', b"[" * 100_000],
)
def test_a_lock_nobody_can_read_is_held_until_it_is_taken_away(repo: Path, clock: FakeClock, text: bytes) -> None:
    store, lock = GitStore(repo, os.environ), lock_of(repo, clock)
    store.commit(lock.ref, "", {"lock.json": text}, message="", author=store.author(), at=clock.now())
    with pytest.raises(Blocked, match=r"in a form not known here .*policysync unlock"):
        lock.acquire()
    lock.take_away()
    with lock:
        assert lock.holder() is not None


class Deaf(GitStore):
    """A store whose remote does the work and whose answer never comes."""

    deaf = True

    def commit(self, *args: Any, **how: Any) -> str:
        done = super().commit(*args, **how)
        if self.deaf:
            raise RefMoved("lost")
        return done


def test_our_own_lock_is_known_again(repo: Path, clock: FakeClock) -> None:
    with Lock(Deaf(repo, os.environ), "console", clock) as lock:
        assert lock.holder() is not None
    assert lock.holder() is None


class Away(GitStore):
    """A store whose remote cannot be reached for a while."""

    away = False

    def commit(self, *args: Any, **how: Any) -> str:
        if self.away:
            raise PolicySyncError("away")
        return super().commit(*args, **how)


def test_a_remote_that_is_away_for_a_moment_does_not_end_the_apply(repo: Path, clock: FakeClock) -> None:
    stop, store, said = threading.Event(), Away(repo, os.environ), list[str]()
    with Lock(store, "console", clock, stop, say=said.append) as lock:
        store.away = True
        clock.sleep(LASTS.total_seconds() / 3)
        lock(BEAT)
        assert not stop.is_set()
        clock.sleep(LASTS.total_seconds() / 3)
        lock(BEAT)
        assert stop.is_set()
        assert said == [
            "the lock of console cannot be renewed: away; what is being written is finished, and nothing new is begun"
        ]
        store.away = False


class Kept(GitStore):
    """A store whose host lets nobody delete a ref, and after `closed` lets nobody write one either."""

    closed = False

    def delete(self, ref: str, tip: str) -> None:
        raise PolicySyncError(f"deletion of {ref} at {tip} prohibited")

    def commit(self, *args: Any, **how: Any) -> str:
        if self.closed:
            raise PolicySyncError("prohibited")
        return super().commit(*args, **how)


def test_a_lock_that_cannot_be_deleted_is_given_back_all_the_same(repo: Path, clock: FakeClock) -> None:
    for _ in range(2):
        with Lock(Kept(repo, os.environ), "console", clock) as lock:
            assert lock.holder() is not None
        assert lock.holder() is None
        assert "refs/policysync/lock/console" in git(repo, "for-each-ref")
    lock.acquire()
    assert lock_of(repo, clock).take_away() is not None
    assert Lock(Kept(repo, os.environ), "console", clock).take_away() is None


def test_a_lock_that_cannot_be_given_back_is_told(repo: Path, clock: FakeClock) -> None:
    said: list[str] = []
    store = Kept(repo, os.environ)
    with Lock(store, "console", clock, say=said.append):
        store.closed = True
    assert len(said) == 1
    assert said[0].startswith("the lock of console could not be given back, and ends at 2026-01-01T00:15:00+00:00")


class Interrupted(GitStore):
    """A store that is interrupted when the ref is written and nobody knows it yet."""

    def commit(self, *args: Any, **how: Any) -> str:
        super().commit(*args, **how)
        raise KeyboardInterrupt


def test_an_interrupt_while_it_is_taken_leaves_none(repo: Path, clock: FakeClock) -> None:
    with pytest.raises(KeyboardInterrupt), Lock(Interrupted(repo, os.environ), "console", clock):
        pass
    assert git(repo, "for-each-ref") == ""
