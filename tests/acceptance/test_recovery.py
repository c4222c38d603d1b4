"""Applies that are killed or interrupted, as processes; `make stress` kills many more."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from stress.kills import (
    APPLY,
    Stand,
    assert_recovers,
    kill_at_git,
    kill_at_request,
    stand,
)
from zygote.process import hear

from policysync.emulator.exchange import Request, Response


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with stand(tmp_path_factory.mktemp("kills")) as made:
        yield made


def test_killed_while_the_console_works(made: Stand) -> None:
    assert kill_at_request(made, 20, "before")
    assert kill_at_request(made, 26, "after")
    assert kill_at_request(made, 34, "after")


def test_killed_while_git_works(made: Stand) -> None:
    assert kill_at_git(made, 18, "after")


def test_killed_with_a_shared_ledger_and_completed_on_another_clone(tmp_path: Path) -> None:
    with stand(tmp_path, remote="origin") as shared:
        assert kill_at_request(shared, 26, "after")
        assert kill_at_git(shared, 25, "before")
        assert kill_at_git(shared, 25, "after")


class Slow:
    """A console that holds back its answers to writes until it is told to go on."""

    def __init__(self, made: Stand) -> None:
        self.console = made.watched.console
        self.reached, self.go_on = threading.Event(), threading.Event()
        self.done: list[threading.Event] = []
        made.watched.console = self  # type: ignore[assignment]  # `handle` is all that is asked of it

    def handle(self, request: Request) -> Response:
        if request.method not in ("POST", "PUT", "DELETE") or "login" in request.path:
            return self.console.handle(request)
        self.done.append(done := threading.Event())
        self.reached.set()
        self.go_on.wait(120)
        try:
            return self.console.handle(request)
        finally:
            done.set()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_interrupted_once_finishes_what_is_in_flight(made: Stand, number: int) -> None:
    repository = made.trial()
    slow = Slow(made)
    process = repository.start(*APPLY)
    assert slow.reached.wait(60)
    process.send_signal(number)
    hear(process, "finishing what is being written")
    slow.go_on.set()
    out, err = process.communicate(timeout=60)
    made.watched.console = slow.console
    assert process.returncode == 5, err
    assert "interrupted before it" in out
    told = repository.run("history", "--stage", "dev", "--limit", "1")
    assert "PARTLY APPLIED" in told.out
    assert "console is partly applied" in told.out
    assert_recovers(made, repository)
    assert "repaired since" in repository.run("history", "--stage", "dev").out


def test_interrupted_twice_stops_at_once(made: Stand) -> None:
    repository = made.trial()
    slow = Slow(made)
    process = repository.start(*APPLY)
    assert slow.reached.wait(60)
    process.send_signal(signal.SIGINT)
    hear(process, "interrupt again to stop at once")
    process.send_signal(signal.SIGINT)
    # Half as long as the console would keep it waiting.
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    slow.go_on.set()
    assert all(done.wait(60) for done in slow.done)
    made.watched.console = slow.console
    assert "UNFINISHED" in repository.run("history", "--stage", "dev", "--limit", "1").out
    assert_recovers(made, repository)
