from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

import pytest

from policysync.apply.retry import Retry
from policysync.clock import FakeClock
from policysync.errors import OutcomeUnknown, Refused, Unavailable


def failing(*failures: Exception) -> Callable[[], str]:
    """Return a call that fails in these ways, one after another, and then works."""
    left = list(failures)

    def call() -> str:
        if left:
            raise left.pop(0)
        return "done"

    return call


def test_what_works_at_once_does_not_wait() -> None:
    clock = FakeClock()
    assert Retry(clock).read(failing()) == "done"
    assert clock.monotonic() == 0


def test_waits_grow_twofold_up_to_the_longest() -> None:
    clock, waits = FakeClock(), list[float]()
    retry = Retry(clock, attempts=6, jitter=lambda: 1.0, first=1.0, longest=5.0, listener=lambda _, w: waits.append(w))
    assert retry.read(failing(*[Unavailable("busy")] * 5)) == "done"
    assert waits == [1, 2, 4, 5, 5]
    assert clock.monotonic() == 17


def test_jitter_takes_any_part_of_the_wait() -> None:
    clock = FakeClock()
    Retry(clock, jitter=lambda: 0.25, first=2.0).read(failing(Unavailable("busy")))
    assert clock.monotonic() == 0.5


def test_retry_after_wins_over_the_backoff() -> None:
    clock = FakeClock()
    Retry(clock, longest=5.0).read(failing(Unavailable("busy", 33)))
    assert clock.monotonic() == 33


def test_the_last_failure_is_passed_on_when_the_attempts_are_used_up() -> None:
    clock = FakeClock()
    failures = [Unavailable("one"), Unavailable("two"), Unavailable("three")]
    with pytest.raises(Unavailable, match="three"):
        Retry(clock, attempts=3).read(failing(*failures))


@pytest.mark.parametrize(("asked", "works"), [(60.0, True), (61.0, False)])
def test_a_wait_past_the_budget_is_not_begun(asked: float, works: bool) -> None:
    clock = FakeClock()
    retry = Retry(clock, budget=60.0)
    if works:
        assert retry.read(failing(Unavailable("busy", asked))) == "done"
    else:
        with pytest.raises(Unavailable):
            retry.read(failing(Unavailable("busy", asked)))
        assert clock.monotonic() == 0


def test_every_call_has_the_whole_budget() -> None:
    clock = FakeClock()
    retry = Retry(clock, budget=10.0)
    for _ in range(3):
        assert retry.read(failing(Unavailable("busy", 9))) == "done"


@pytest.mark.parametrize("failure", [Refused("no"), OutcomeUnknown("who knows"), KeyError("a bug")])
def test_nothing_else_is_tried_again(failure: Exception) -> None:
    clock = FakeClock()
    with pytest.raises(type(failure)):
        Retry(clock).read(failing(failure))
    assert clock.monotonic() == 0


def test_the_listener_is_not_told_of_the_failure_that_ends_it() -> None:
    told: list[str] = []
    retry = Retry(FakeClock(), attempts=2, listener=lambda error, _: told.append(str(error)))
    with pytest.raises(Unavailable):
        retry.read(failing(Unavailable("one"), Unavailable("two")))
    assert told == ["one"]


def test_a_read_inside_a_write_does_not_multiply_attempts() -> None:
    retry, seen = Retry(FakeClock(), attempts=5, jitter=lambda: 0.0), list[str]()

    def read() -> None:
        seen.append("read")
        raise Unavailable("no")

    def write() -> None:
        seen.append("write")
        retry.read(read)

    with pytest.raises(Unavailable):
        retry.read(write)
    assert seen == ["write", *["read"] * 5]


def test_threads_in_a_copy_of_the_context_share_attempts_and_others_do_not() -> None:
    retry, seen = Retry(FakeClock(), attempts=3, jitter=lambda: 0.0), list[str]()

    def read() -> None:
        seen.append("read")
        raise Unavailable("no")

    def write() -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(copy_context().run, retry.read, read).result()

    with pytest.raises(Unavailable):
        retry.read(write)
    assert len(seen) == 3
    with pytest.raises(Unavailable):
        retry.read(read)
    assert len(seen) == 6


def test_nested_calls_share_one_budget() -> None:
    clock = FakeClock()
    retry = Retry(clock, budget=10.0)
    with pytest.raises(Unavailable):
        retry.read(lambda: retry.read(failing(*[Unavailable("busy", 4)] * 9)))
    assert clock.monotonic() <= 10


def test_halting_ends_waits_and_begins_no_more_attempts() -> None:
    class Halting(FakeClock):
        def sleep(self, seconds: float) -> None:
            super().sleep(seconds)
            retry.halt()

    clock = Halting()
    retry = Retry(clock)
    with pytest.raises(Unavailable, match="busy"):
        retry.read(failing(Unavailable("busy", 60)))
    assert clock.monotonic() < 1
    with pytest.raises(Unavailable):
        retry.read(failing(Unavailable("busy")))
