from __future__ import annotations

import os
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from unit.apply.world import git

from policysync.apply.events import Event, What
from policysync.apply.gitstore import GitStore
from policysync.apply.lock import LASTS, Lock
from policysync.apply.sharedstore import SharedStore
from policysync.clock import FakeClock
from policysync.errors import Blocked

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
