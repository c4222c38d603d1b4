"""What can go wrong on demand."""

from __future__ import annotations

from typing import Any

import pytest
from unit.emulator.conftest import Open

from policysync.clock import FakeClock
from policysync.emulator.exchange import Request, Response
from policysync.emulator.faults import Dropped, Fault, FaultPlan, Faults

DOORS = "/api/v2/doors"


def struck(faults: list[Fault], many: int, **plan: Any) -> list[int]:
    running = Faults(FaultPlan(tuple(faults), **plan), FakeClock())
    request = Request("GET", f"{DOORS}?page=1")
    return [running.around(request, ["Door"], lambda _: Response(200)).status for _ in range(many)]


def test_after_and_times() -> None:
    assert struck([Fault(status=503, after=1, times=2)], 5) == [200, 503, 503, 200, 200]


@pytest.mark.parametrize(
    ("fault", "met"),
    [
        (Fault(status=503, method="get"), True),
        (Fault(status=503, method="P*"), False),
        (Fault(status=503, path="/api/v2/*"), True),
        (Fault(status=503, path="/api/v1/*"), False),
        (Fault(status=503, kind="Door"), True),
        (Fault(status=503, kind="Window"), False),
    ],
)
def test_what_a_rule_meets(fault: Fault, met: bool) -> None:
    assert struck([fault], 1) == [503 if met else 200]


def test_chance_is_repeatable() -> None:
    first = struck([Fault(status=503, probability=0.5)], 40, seed=7)
    assert first == struck([Fault(status=503, probability=0.5)], 40, seed=7)
    assert set(first) == {200, 503}
    assert first != struck([Fault(status=503, probability=0.5)], 40, seed=8)


def test_the_first_of_several_answers() -> None:
    assert struck([Fault(status=503, times=1), Fault(status=429)], 2) == [503, 429]


@pytest.mark.parametrize(
    ("status", "header", "part"),
    [
        (404, "", b""),
        (415, "application/grpc", b""),
        (429, "text/plain; charset=utf-8", b"Too Many Requests"),
        (500, "application/json; charset=UTF-8", b"SQLSTATE 40001"),
        (502, "text/html", b"<html>"),
        (418, "", b""),
    ],
)
def test_statuses_come_with_their_usual_bodies(console: Open, status: int, header: str, part: bytes) -> None:
    answer = console(faults=[Fault(status=status)]).get(DOORS)
    assert (answer.status, answer.headers.get("content-type", "")) == (status, header)
    assert part in answer.body


def test_a_body_and_headers_of_ones_own(console: Open) -> None:
    own = Fault(status=429, body={"why": "busy"}, retry_after=1.5, headers={"X-Proxy": "p"})
    answer = console(faults=[own]).get(DOORS)
    assert answer.json == {"why": "busy"}
    assert (answer.headers["retry-after"], answer.headers["x-proxy"]) == ("1.5", "p")
    assert console(faults=[Fault(status=502, body="<p>x")]).get(DOORS).headers["content-type"] == "text/html"


def test_a_status_leaves_the_work_undone_unless_it_says_otherwise(console: Open) -> None:
    one = console(faults=[Fault(method="POST", status=500, times=1)])
    assert one.post(DOORS, {"name": "a"}).status == 500
    assert one.get(f"{DOORS}/a").status == 404
    other = console(faults=[Fault(method="POST", status=500, times=1, worked=True)])
    assert other.post(DOORS, {"name": "a"}).status == 500
    assert other.get(f"{DOORS}/a").status == 200


def test_a_dropped_connection_before_and_after_the_work(console: Open) -> None:
    one = console(
        faults=[Fault(method="POST", drop="before", times=1), Fault(method="POST", drop="after", after=1, times=1)]
    )
    for _ in range(2):
        with pytest.raises(ConnectionResetError):
            one.post(DOORS, {"name": "a"})
        status = one.get(f"{DOORS}/a").status
    assert status == 200
    assert one.post(DOORS, {"name": "a"}).status == 409


def test_a_dropped_connection_before_the_work_does_nothing() -> None:
    done: list[Request] = []

    def work(request: Request) -> Response:
        done.append(request)
        return Response(200)

    running = Faults(FaultPlan((Fault(drop="before"),)), FakeClock())
    with pytest.raises(Dropped):
        running.around(Request("POST", DOORS), [], work)
    assert not done


def test_a_forgetful_console_succeeds_without_storing(console: Open) -> None:
    one = console(faults=[Fault(method="POST", forget=("colour", "wood"))])
    made = one.post(DOORS, {"name": "a", "colour": "red", "locked": True, "frame": {"wood": "oak"}})
    assert (made.status, made.json["colour"], made.json["locked"]) == (201, "grey", True)
    assert made.json["frame"]["wood"] == ""
    assert one.post("/api/v2/scripts", [{"name": "s", "colour": "x"}]).status == 201
    assert one.post(DOORS, b"{").status == 400


def test_delay_and_latency_add_up(console: Open, clock: FakeClock) -> None:
    before = clock.monotonic()
    running = Faults(FaultPlan((Fault(delay=2),), latency=0.5), clock)
    running.around(Request("GET", DOORS), [], lambda _: Response(200))
    assert clock.monotonic() - before == 2.5


def test_bodies_may_be_emptied_or_cut(console: Open) -> None:
    whole = console().get(DOORS).body
    assert console(faults=[Fault(empty=True)]).get(DOORS).body == b""
    assert console(faults=[Fault(truncate=10)]).get(DOORS).body == whole[:10]


def test_signing_in_is_met_only_when_it_is_named(console: Open) -> None:
    assert console(faults=[Fault(status=503)]).login.status == 200
    assert console(faults=[Fault(path="/api/v1/login", status=503)]).login.status == 503
