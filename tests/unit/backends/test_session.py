from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from unit.backends.conftest import Console, jwt, reply

from policysync.backends.http import Http
from policysync.backends.session import Session
from policysync.clock import FakeClock
from policysync.errors import Refused, Unavailable
from policysync.secret import Secret


class Method:
    """Gives out these tokens in turn, the last one again and again; an exception is raised instead."""

    def __init__(self, *tokens: Secret | Exception) -> None:
        self.tokens = list(tokens)
        self.times = 0
        self.gate = threading.Event()
        self.gate.set()

    def sign_in(self, http: Http) -> Secret:
        self.gate.wait()
        self.times += 1
        token = self.tokens.pop(0) if len(self.tokens) > 1 else self.tokens[0]
        if isinstance(token, Exception):
            raise token
        return token


@pytest.fixture
def session(console: Console, clock: FakeClock) -> Any:
    def make(method: Method, header: str = "") -> Session:
        return Session(Http(clock, local=console), "http://embedded", method, clock, header=header)

    return make


def test_signs_in_once_and_sends_the_token(console: Console, session: Any) -> None:
    method = Method(Secret("token-one"))
    console.on("GET", "/a", reply(200))
    made = session(method)
    for _ in range(3):
        assert made.call("GET", "/a").ok
    assert method.times == 1
    assert {asked.headers["authorization"] for asked in console.asked} == {"Bearer token-one"}


def test_the_header_can_be_another_one(console: Console, session: Any) -> None:
    session(Method(Secret("token-one")), "aqua-auth").call("GET", "/a")
    headers = console.asked[0].headers
    assert headers["aqua-auth"] == "Bearer token-one"
    assert "authorization" not in headers


def test_a_body_is_sent_as_json_and_nothing_is_not(console: Console, session: Any) -> None:
    made = session(Method(Secret("token-one")))
    made.call("POST", "/a", {"b": [1]}, writes=True)
    made.call("GET", "/a")
    assert [asked.body for asked in console.asked] == [{"b": [1]}, None]
    assert console.asked[0].headers["content-type"] == "application/json"
    assert "content-type" not in console.asked[1].headers
    assert console.asked[1].headers["user-agent"].startswith("policysync/")


def test_401_is_met_by_signing_in_once_more(console: Console, session: Any) -> None:
    method = Method(Secret("token-one"), Secret("token-two"))
    console.on("GET", "/a", reply(401), reply(200))
    assert session(method).call("GET", "/a").ok
    assert [asked.headers["authorization"] for asked in console.asked] == ["Bearer token-one", "Bearer token-two"]


def test_a_second_401_is_the_answer(console: Console, session: Any) -> None:
    method = Method(Secret("token-one"))
    console.on("GET", "/a", reply(401))
    assert session(method).call("GET", "/a").status == 401
    assert (method.times, len(console.asked)) == (2, 2)


def test_threads_with_the_same_old_token_sign_in_once(session: Any) -> None:
    method = Method(Secret("token-one"), *[Secret(f"token-new-{n}") for n in range(9)])
    made = session(method)
    old = made.token()
    method.gate.clear()
    with ThreadPoolExecutor(8) as pool:
        renewed = [pool.submit(made.renewed, old) for _ in range(8)]
        method.gate.set()
        tokens = {future.result().reveal() for future in renewed}
    assert tokens == {"token-new-0"}
    assert method.times == 2


def test_a_token_is_renewed_when_a_tenth_of_its_life_is_left(session: Any, clock: FakeClock) -> None:
    now = clock.now().timestamp()
    method = Method(jwt(iat=now, exp=now + 1000), Secret("second-token"))
    made = session(method)
    made.token()
    clock.sleep(899)
    made.token()
    assert method.times == 1
    clock.sleep(2)
    assert made.token() == Secret("second-token")


def test_a_refused_sign_in_is_not_tried_again(session: Any) -> None:
    method = Method(Refused("wrong password"))
    made = session(method)
    for _ in range(3):
        with pytest.raises(Refused, match="wrong password"):
            made.call("GET", "/a")
    assert method.times == 1


def test_a_sign_in_that_may_work_later_is(session: Any) -> None:
    method = Method(Unavailable("busy"), Secret("token-one"))
    made = session(method)
    with pytest.raises(Unavailable):
        made.token()
    assert made.token() == Secret("token-one")


class Guide:
    """Finds the console, or fails in these ways first."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.asked: list[Secret] = []

    def __call__(self, http: Http, token: Secret) -> str:
        self.asked.append(token)
        if self.failures:
            raise self.failures.pop(0)
        return "http://found"


def located(console: Console, clock: FakeClock, guide: Guide) -> Session:
    method = Method(Secret("token-one"), Secret("token-two"))
    return Session(Http(clock, local=console), "http://portal", method, clock, locate=guide)


def test_the_console_is_found_once_after_signing_in(console: Console, clock: FakeClock) -> None:
    guide = Guide()
    session = located(console, clock, guide)
    console.on("GET", "/a", reply(401), reply(200))
    assert session.call("GET", "/a").ok
    assert session.base == "http://found"
    assert guide.asked == [Secret("token-one")]
    assert {asked.headers["host"] for asked in console.asked} == {"found"}


def test_asking_for_the_address_signs_in(console: Console, clock: FakeClock) -> None:
    assert located(console, clock, Guide()).base == "http://found"


def test_a_console_that_may_be_found_later_is_looked_for_again(console: Console, clock: FakeClock) -> None:
    session = located(console, clock, Guide(Unavailable("busy")))
    with pytest.raises(Unavailable):
        _ = session.base
    assert session.base == "http://found"


def test_a_console_that_is_nowhere_is_not(console: Console, clock: FakeClock) -> None:
    guide = Guide(Refused("no console"))
    session = located(console, clock, guide)
    for _ in range(2):
        with pytest.raises(Refused, match="no console"):
            session.call("GET", "/a")
    assert len(guide.asked) == 1
