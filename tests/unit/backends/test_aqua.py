from __future__ import annotations

from typing import Any

import pytest
from unit.backends.conftest import Connects, Console, reply

from policysync.backends.address import console_url
from policysync.backends.port import Facts
from policysync.errors import Refused, Unavailable
from policysync.kinds.kind import Kind


@pytest.mark.parametrize(
    ("written", "url"),
    [
        ("aqua.example.com", "https://aqua.example.com"),
        ("  HTTPS://Aqua.Example.COM:443/#/home ", "https://aqua.example.com"),
        ("https://aqua.internal:8443/api/v2/", "https://aqua.internal:8443"),
        ("http://127.0.0.1:80", "http://127.0.0.1"),
        ("http://127.0.0.1:443", "http://127.0.0.1:443"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
        ("aqua.internal:8443", "https://aqua.internal:8443"),
        ("https://aqua.example.com.", "https://aqua.example.com"),
        ("https://my-gw.example.com", "https://my-gw.example.com"),
    ],
)
def test_an_address_is_written_one_way(written: str, url: str) -> None:
    assert console_url(written) == url


@pytest.mark.parametrize(
    "written", ["", "   ", "ftp://aqua.example.com", "https://", "https://a b.com", "https://a:port"]
)
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(Refused, match="is not the address of a console"):
        console_url(written)


def test_credentials_in_an_address_are_refused_and_not_shown() -> None:
    with pytest.raises(Refused, match="holds credentials") as caught:
        console_url("https://joe:hunter22@aqua.example.com")
    assert "hunter22" not in str(caught.value)


def test_a_gateway_is_refused_with_the_name_of_its_console() -> None:
    with pytest.raises(Refused, match=r"use https://abc123\.cloud\.aquasec\.com"):
        console_url("https://abc123-gw.cloud.aquasec.com")


def test_signs_in_with_the_password_of_an_embedded_console(console: Console, connected: Connects) -> None:
    console.on("GET", "/api", reply(200, {"version": "2026.1"}))
    assert connected().probe() == Facts("2026.1", "embedded:dev")
    login = next(asked for asked in console.asked if asked.target == "/api/v1/login")
    assert login.body == {"id": "administrator", "password": "emulator"}
    assert "authorization" not in login.headers


def test_a_password_is_sent_as_json_whatever_is_in_it(console: Console, connected: Connects) -> None:
    backend = connected(auth={"user": "joe", "password": '${env:PA"SS\\WORD}'})
    backend.probe()
    login = next(asked for asked in console.asked if asked.target == "/api/v1/login")
    assert login.body == {"id": "joe", "password": '${env:PA"SS\\WORD}'}


@pytest.mark.parametrize("status", [400, 401, 403])
def test_wrong_credentials_are_refused(status: int, console: Console, connected: Connects) -> None:
    console.on("POST", "/api/v1/login", reply(status, {"message": "nope"}))
    with pytest.raises(Refused, match=rf"POST /api/v1/login: {status}: .*nope.*does not let 'administrator' in"):
        connected().probe()


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (reply(500), Unavailable),
        (reply(503), Unavailable),
        (reply(404), Refused),
        (reply(200, {}), Refused),
        (reply(200, {"token": ""}), Refused),
        (reply(200, b"<html>"), Refused),
        (reply(302, Location="https://sso.example.com"), Refused),
    ],
)
def test_a_sign_in_that_gives_no_token(
    answer: Any, failure: type[Exception], console: Console, connected: Connects
) -> None:
    console.on("POST", "/api/v1/login", answer)
    with pytest.raises(failure, match="POST /api/v1/login"):
        connected().probe()


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (reply(200, b"<html>"), Refused),
        (reply(415), Refused),
        (reply(502), Unavailable),
        (reply(200, b"{"), Unavailable),
    ],
)
def test_probing_finds_out_that_it_is_no_console(
    answer: Any, failure: type[Exception], console: Console, connected: Connects
) -> None:
    console.on("GET", "/api/v2/repositories", answer)
    with pytest.raises(failure):
        connected().probe()


@pytest.mark.parametrize("answer", [reply(200, {"count": 0, "result": []}), reply(403), reply(404)])
def test_a_role_without_rights_still_finds_a_console(answer: Any, console: Console, connected: Connects) -> None:
    console.on("GET", "/api/v2/repositories", answer)
    assert connected().probe().identity == "embedded:dev"


@pytest.mark.parametrize(("given", "used"), [("", "aqua-auth"), ("x-mine", "x-mine")])
def test_the_console_may_name_the_header_unless_the_target_does(
    given: str, used: str, console: Console, kind: Kind, connected: Connects
) -> None:
    def console_behind_a_proxy(
        method: str, target: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, list[tuple[str, str]], bytes]:
        answer = console(method, target, headers, body)
        public = target in ("/api", "/api/v1/login")
        return answer if public or used in headers else (401, [], b"")

    console.on("GET", "/api", reply(200, {"authorization_header": "aqua-auth"}))
    console.on("GET", "/things", reply(200, {"result": []}))
    backend = connected(auth={"header": given}, local=console_behind_a_proxy)
    for _ in range(2):
        assert list(backend.read(kind)) == []
    assert console.asked[-1].headers[used] == "Bearer first-token"
    assert len([asked for asked in console.asked if asked.target == "/api"]) == (0 if given else 1)


def test_a_console_that_is_starting_is_unavailable(console: Console, connected: Connects) -> None:
    console.on("GET", "/api/v2/repositories", reply(503, retry_after="9"))
    with pytest.raises(Unavailable) as caught:
        connected().probe()
    assert caught.value.retry_after == 9
