"""What a console can do to an apply: the named error, the marked change, the rest, and the next run."""

from __future__ import annotations

import itertools
import re
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from acceptance.faulty import World, applied_once, copy_of
from acceptance.policy_repository import PolicyRepository
from zygote.process import hear

from policysync.emulator.exchange import Request, Response
from policysync.emulator.faults import Fault

LABELS = "/api/*/settings/labels*"
ALPHA = "/api/*/settings/labels/alpha"
LIST = "/api/v2/settings/labels"
WANTED = {"alpha": "after", "beta": "new", "gamma": "new"}
PAGE = "<html><body><h1>Sorry</h1></body></html>"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    with applied_once(tmp_path_factory.mktemp("made")) as world:
        return world


@pytest.fixture
def world(made: World, tmp_path: Path) -> Iterator[World]:
    with copy_of(made, tmp_path) as world:
        yield world


def converges(world: World) -> None:
    """A run against a console that is well again leaves everything as git says, and nothing to do."""
    world.well_again()
    ran = world.run("apply", "--stage", "dev", "--yes")
    assert ran.status == 0, ran.err + ran.out
    assert world.labels() == WANTED
    assert len(world.bodies()) == len(WANTED)
    assert world.run("plan", "--stage", "dev", "--detailed-exitcode").status == 0


@dataclass(frozen=True)
class Passing:
    """A fault that goes away by itself."""

    name: str
    fault: Fault


PASSING = [
    Passing(f"{'read' if method == 'GET' else method} meets {name}", Fault(method, path, times=1, **how))
    for method, path in (("GET", LABELS), ("PUT", ALPHA), ("POST", LABELS))
    for name, how in (
        ("silence", {"delay": 0.9}),
        ("a reset", {"drop": "before"}),
        ("a reset after the work", {"drop": "after"}),
        ("a cut body", {"status": 200, "body": {"result": [1, 2, 3]}, "truncate": 5, "worked": True}),
        ("an empty answer", {"status": 502, "empty": True}),
        ("401", {"status": 401}),
        ("429", {"status": 429}),
        ("429 and seconds", {"status": 429, "retry_after": 1}),
        ("429 and a date", {"status": 429, "headers": {"Retry-After": "Thu, 01 Jan 2026 00:00:00 GMT"}}),
        ("500", {"status": 500}),
        ("502", {"status": 502}),
        ("503", {"status": 503}),
        ("504 although it is done", {"status": 504, "worked": True}),
    )
    if method == "GET" or not name.startswith("429 and")
]


@pytest.mark.parametrize("case", PASSING, ids=lambda case: case.name)
def test_what_passes_is_waited_out(case: Passing, world: World) -> None:
    world.fails(case.fault)
    ran = world.run("apply", "--stage", "dev", "--yes")
    assert ran.status == 0, ran.err + ran.out
    assert world.labels() == WANTED
    assert len(world.bodies()) == len(WANTED)
    converges(world)


@dataclass(frozen=True)
class Lasting:
    """A fault that stays: what is said, and which labels there are afterwards when the apply goes on after it."""

    name: str
    fault: Fault
    said: str


LASTING = [
    Lasting("403", Fault("PUT", ALPHA, status=403), "the role of this account does not allow it"),
    Lasting("401", Fault("PUT", ALPHA, status=401), "the console does not accept the token it has just given out"),
    Lasting("404 on update", Fault("PUT", ALPHA, status=404), "PUT /api/v1/settings/labels/alpha: 404"),
    Lasting("409 on update", Fault("PUT", ALPHA, status=409, body={"message": "in use"}), "409: "),
    Lasting("413", Fault("PUT", ALPHA, status=413), "larger than the console or a proxy before it accepts"),
    Lasting("a page for an answer", Fault("PUT", ALPHA, status=200, body=PAGE), "description"),
    Lasting("an error page", Fault("PUT", ALPHA, status=400, body=PAGE), "400: a web page"),
    Lasting("a member that is lost", Fault("PUT", ALPHA, forget=("description",)), "description"),
    Lasting("always a reset", Fault("PUT", ALPHA, drop="before"), "no whole answer came"),
]


@pytest.mark.parametrize("case", LASTING, ids=lambda case: case.name)
def test_what_lasts_fails_its_change_and_no_other(case: Lasting, world: World) -> None:
    world.fails(case.fault)
    ran = world.run("apply", "--stage", "dev", "--yes", "--on-error", "continue")
    told = ran.out + ran.err
    assert ran.status == 5, told
    assert case.said in told
    assert "Traceback" not in told
    assert world.labels() == {**WANTED, "alpha": world.labels()["alpha"]}
    assert world.labels()["alpha"] != "after"
    converges(world)


def test_a_console_that_wants_an_hour_of_peace_gets_it(world: World) -> None:
    world.fails(Fault("PUT", ALPHA, status=429, retry_after=3600))
    ran = world.run("apply", "--stage", "dev", "--yes", "--on-error", "continue")
    assert ran.status == 1, ran.out
    assert "failed: update:Label/alpha: PUT /api/v1/settings/labels/alpha: 429" in ran.out
    assert re.search(r"the console asked to be left alone, for 3(600|5\d\d) more seconds", ran.out)
    assert "unknown" not in ran.out
    assert world.labels() == {"alpha": "before"}
    converges(world)


def test_after_a_failure_nothing_new_is_begun_unless_wanted(world: World) -> None:
    world.fails(Fault("PUT", ALPHA, status=403), Fault("POST", LABELS, status=403))
    ran = world.run("apply", "--stage", "dev", "--yes")
    assert ran.status == 1, ran.out
    assert "not begun, because another change failed" in ran.out
    assert world.labels() == {"alpha": "before"}
    converges(world)


def test_409_on_create_of_what_somebody_made_meanwhile_is_not_overwritten(world: World) -> None:
    world.fails(Fault("POST", LABELS, times=1, status=409, body={"message": "label exists"}))
    ran = world.run("apply", "--stage", "dev", "--yes", "--on-error", "continue")
    assert ran.status == 5, ran.out
    assert "label exists" in ran.out
    converges(world)


def test_what_a_first_apply_was_to_overwrite_is_not_taken_for_unmanaged_when_it_is_repeated(world: World) -> None:
    PolicyRepository(world.root).git("update-ref", "-d", "refs/policysync/ledger/dev")
    (world.root / ".policysync/ledger/dev.json").unlink()
    world.fails(Fault("PUT", ALPHA, status=403))
    ran = world.run("apply", "--stage", "dev", "--yes", "--on-error", "continue")
    assert ran.status == 5, ran.out + ran.err
    converges(world)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault("GET", LIST, status=200, body=PAGE), "is this URL a console"),
        (Fault("GET", LIST, status=200, body={"message": "surprise"}), "the answer has no list"),
        (Fault("GET", LIST, status=403), "the role of this account does not allow it"),
        (Fault("GET", LIST, truncate=3), "no whole answer"),
        (Fault("GET", LIST, empty=True), "not whole JSON"),
        (Fault("POST", "/api/v1/login", status=200, body=PAGE), "is this URL a console"),
        (Fault("POST", "/api/v1/login", status=200, body={"token": 7}), "no token"),
    ],
    ids=["page", "no list", "403", "cut", "empty", "login is a page", "login has no token"],
)
def test_what_cannot_be_read_is_an_error_and_changes_nothing(fault: Fault, said: str, world: World) -> None:
    world.fails(fault)
    ran = world.run("apply", "--stage", "dev", "--yes")
    assert ran.status == 1
    assert said in ran.err
    assert "Traceback" not in ran.err
    assert world.labels() == {"alpha": "before"}
    converges(world)


@pytest.mark.parametrize("change", ["shrinks", "grows"])
def test_a_list_that_moves_while_it_is_read_loses_nothing(change: str, world: World) -> None:
    store, done = world.console.store, list[str]()
    fill = [f"a{number:03}" for number in range(200)]
    for name in fill:
        world.label(name, "one of many")
    world.commit()
    assert world.run("apply", "--stage", "dev", "--yes", "--max-rps", "0").status == 0

    def meanwhile(request: Request) -> None:
        if request.path == LIST and "page=2&" in request.target and not done:
            done.append(change)
            first = store.get(["Label"], fill[0])
            assert first is not None
            if change == "shrinks":
                store.delete([first.number])
            else:
                name = "A before all others"
                store.put(
                    replace(first, number=0, ident=name, key=name, body=first.body.replace(b"a000", name.encode()))
                )

    world.between(meanwhile)
    ran = world.run("plan", "--stage", "dev")
    assert done == [change]
    assert ran.status == 0, ran.err
    assert set(re.findall(r"[+] Label/(\S+)", ran.out)) <= {fill[0]}


def test_tokens_that_are_refused_now_and_again_are_renewed(world: World) -> None:
    handle, met = world.console._handle, itertools.count(1)

    def forgetful(request: Request) -> Response:
        # Seldom enough for the threads that ask at once to have got their answers in between.
        return Response(401) if "authorization" in request.headers and next(met) % 7 == 0 else handle(request)

    world.console._handle = forgetful  # type: ignore[method-assign]  # no setting makes a console behave so
    converges(world)
    assert next(met) > 14


@pytest.mark.parametrize(
    ("command", "method", "path", "answers"),
    [
        (("plan",), "GET", LIST, True),
        (("plan",), "GET", LIST, False),
        (("apply", "--yes"), "PUT", ALPHA, True),
    ],
    ids=["a read that waits", "a read under way", "a write that waits"],
)
def test_an_interrupt_is_not_slept_through(
    command: tuple[str, ...], method: str, path: str, answers: bool, world: World
) -> None:
    reached, over = threading.Event(), threading.Event()
    handle = world.console._handle

    def busy(request: Request) -> Response:
        if request.method != method or not fnmatchcase(request.path, path):
            return handle(request)
        reached.set()
        if not answers:
            over.wait(300)
        return Response(503, headers=(("retry-after", "100"),))

    world.console._handle = busy  # type: ignore[method-assign]  # what happens is to be known here
    running = PolicyRepository(world.root, world.environ).start(*command, "--stage", "dev")
    assert reached.wait(60)
    # Most often it waits by then; before that, it has to end all the same.
    time.sleep(0.3)
    running.send_signal(signal.SIGINT)
    if method == "PUT":
        hear(running, "interrupt again to stop at once")
        running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=50)
    over.set()
    assert running.returncode == 130, out + err
    assert "Traceback" not in err
