"""Kill an apply at every point it has: every request, every call of git, every call of the kernel that matters."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest
from stress.kills import FLAKY, Stand, When, kill_at_call, kill_at_git, kill_at_request, stand

from policysync.emulator.faults import Fault

MOST = 120
SIDES: tuple[When, When] = ("before", "after")


@pytest.fixture(scope="module", params=[1, 4], ids=["one-at-once", "four-at-once"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with stand(tmp_path_factory.mktemp("kills"), request.param) as made:
        yield made


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with stand(tmp_path_factory.mktemp("shared"), 3, "origin") as made:
        yield made


def every(kill: Callable[[int], bool]) -> int:
    """Kill at the first point, the second, and so on, until the apply is over before it can be killed."""
    killed = 0
    for at in range(1, MOST):
        if not kill(at):
            break
        killed += 1
    print(f"{killed} kills")  # noqa: T201  # shown with -s, for the record
    return killed


@pytest.mark.parametrize("when", SIDES)
def test_at_every_request(made: Stand, when: When) -> None:
    assert every(lambda at: kill_at_request(made, at, when)) > 30


@pytest.mark.parametrize("when", SIDES)
def test_at_every_request_of_a_console_that_fails(made: Stand, when: When) -> None:
    assert every(lambda at: kill_at_request(made, at, when, FLAKY)) > 20


@pytest.mark.parametrize("when", SIDES)
def test_around_every_call_of_git(made: Stand, when: When) -> None:
    assert every(lambda at: kill_at_git(made, at, when)) > 15


@pytest.mark.parametrize("when", SIDES)
def test_around_every_call_of_git_with_a_shared_ledger(shared: Stand, when: When) -> None:
    assert every(lambda at: kill_at_git(shared, at, when)) > 25


@pytest.mark.parametrize(("when", "faults"), [("before", ()), ("after", FLAKY)], ids=["before", "after, failing"])
def test_at_every_request_with_a_shared_ledger(shared: Stand, when: When, faults: tuple[Fault, ...]) -> None:
    assert every(lambda at: kill_at_request(shared, at, when, faults)) > 20


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
@pytest.mark.parametrize("call", ["fsync", "sendto", "recvfrom", "write"])
def test_at_calls_of_the_kernel(made: Stand, call: str) -> None:
    # Each thread counts for itself, so a late call may be made by nobody.
    assert sum(kill_at_call(made, call, at) for at in range(1, 9)) > 0
