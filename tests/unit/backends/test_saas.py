from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from email.utils import format_datetime
from typing import Any

import orjson
import pytest
from unit.backends.conftest import Console, Reply, jwt, reply

from policysync.backends.http import Http
from policysync.backends.saas import ApiKey, Lookup, SaasPassword
from policysync.clock import FakeClock
from policysync.errors import Refused, Unavailable
from policysync.secret import Secret

HOST = "https://api.cloudsploit.com"
PROV = "https://prov.cloud.aquasec.com"
TOKEN = jwt(exp=2000, csp_metadata={"urls": {"ese_url": "abc123.cloud.aquasec.com"}})


def denied(*reasons: Any, status: int = 403, **headers: str) -> Reply:
    body = {"status": status, "id": "2f1c-77", "code": 1, "message": "Access denied", "errors": list(reasons)}
    return reply(status, body, **headers)


@pytest.fixture
def http(console: Console, clock: FakeClock) -> Http:
    return Http(clock, local=console)


@pytest.fixture
def key(clock: FakeClock) -> Callable[..., ApiKey]:
    def make(**settings: Any) -> ApiKey:
        return ApiKey(HOST, Secret("key-0001"), Secret("secret-0001"), clock, **settings)

    return make


def test_signs_in_with_an_email_and_a_password(console: Console, http: Http) -> None:
    console.on("POST", "/v2/signin", reply(200, {"status": 200, "data": {"token": "token-one", "user": {"id": 1}}}))
    assert SaasPassword(HOST, "joe@example.com", Secret('pa"ss\\word')).sign_in(http) == Secret("token-one")
    asked = console.asked[0]
    assert asked.body == {"email": "joe@example.com", "password": 'pa"ss\\word'}
    assert asked.headers["host"] == "api.cloudsploit.com"
    assert asked.headers["content-type"] == "application/json"


def test_a_token_request_is_signed_over_its_exact_bytes(clock: FakeClock, key: Callable[..., ApiKey]) -> None:
    seen: list[tuple[str, Mapping[str, str], bytes]] = []

    def local(method: str, target: str, headers: dict[str, str], body: bytes) -> Any:
        seen.append((f"{method} {target}", headers, body))
        return 200, [], b'{"status": 200, "code": 0, "data": "token-one"}'

    method = key(validity=30, roles=("api auditor", "Administrator"), endpoints=("GET",))
    assert method.sign_in(Http(clock, local=local)) == Secret("token-one")
    what, headers, body = seen[0]
    assert what == "POST /v2/tokens"
    assert body == b'{"validity":30,"allowed_endpoints":["GET"],"csp_roles":["api auditor","Administrator"]}'
    assert headers["x-timestamp"] == str(int(clock.now().timestamp()))
    text = headers["x-timestamp"].encode() + b"POST/v2/tokens" + body
    assert headers["x-signature"] == hmac.new(b"secret-0001", text, hashlib.sha256).hexdigest()
    assert headers["x-api-key"] == "key-0001"


def test_roles_can_be_left_to_the_console(console: Console, http: Http, key: Callable[..., ApiKey]) -> None:
    console.on("POST", "/v2/tokens", reply(200, {"data": "token-one"}))
    key(roles=()).sign_in(http)
    assert console.asked[0].body == {"validity": 240, "allowed_endpoints": ["ANY:*"]}


def test_a_refused_key_is_told_with_the_reasons_of_the_account_api(
    console: Console, http: Http, key: Callable[..., ApiKey]
) -> None:
    console.on("POST", "/v2/tokens", denied("Signature\nis wrong for secret-0001"))
    with pytest.raises(Refused) as caught:
        key(roles=("api_admin",)).sign_in(http)
    assert str(caught.value) == (
        "POST /v2/tokens: 403: Access denied; (withheld, because it repeats a secret) (code 1) [id 2f1c-77] "
        "(https://api.cloudsploit.com "
        "refuses this API key: check auth.key, auth.secret and the region, and that api_admin is a role there "
        "(auth.roles))"
    )


def test_a_refused_body_is_told_field_by_field(console: Console, http: Http, key: Callable[..., ApiKey]) -> None:
    wrong = {"field": "data", "message": "has additional properties", "value": "data.x", "type": "object"}
    console.on("POST", "/v2/tokens", denied(wrong, {"message": None}, status=422))
    with pytest.raises(Refused, match=r"422: Access denied; data\.x has additional properties \(code 1\)"):
        key().sign_in(http)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (50.0, None),
        (-50.0, None),
        (300.0, "the clock of this machine is 300 s behind, and the signature holds the time: correct the clock"),
        (-90.0, "the clock of this machine is 90 s ahead"),
    ],
)
def test_a_wrong_clock_is_said(
    seconds: float, said: str | None, *, console: Console, clock: FakeClock, http: Http, key: Callable[..., ApiKey]
) -> None:
    theirs = FakeClock(clock.now())
    theirs.sleep(seconds)
    console.on("POST", "/v2/tokens", denied(Date=format_datetime(theirs.now(), usegmt=True)))
    with pytest.raises(Refused) as caught:
        key().sign_in(http)
    assert ("clock" in str(caught.value)) == bool(said)
    assert (said or "") in str(caught.value)


@pytest.mark.parametrize("date", ["yesterday", "", "Thu, 01 Jan 1970 00:00:00"])
def test_a_date_that_says_nothing_is_no_trouble(
    date: str, console: Console, http: Http, key: Callable[..., ApiKey]
) -> None:
    console.on("POST", "/v2/tokens", denied(Date=date))
    with pytest.raises(Refused, match="refuses this API key"):
        key().sign_in(http)


def test_single_sign_on_is_thought_of(console: Console, http: Http) -> None:
    console.on("POST", "/v2/signin", denied("no"))
    with pytest.raises(Refused, match=r"403: Access denied; no .* does not let 'joe' in; .*single sign-on need method"):
        SaasPassword(HOST, "joe", Secret("hunter22")).sign_in(http)


@pytest.mark.parametrize(
    ("answer", "failure"),
    [
        (reply(500), Unavailable),
        (reply(429, retry_after="3"), Unavailable),
        (reply(404), Refused),
        (reply(302, Location="https://sso.example.com"), Refused),
        (reply(200, {"data": None}), Refused),
        (reply(200, {"data": {"token": 7}}), Refused),
        (reply(200, []), Refused),
        (reply(200, b"<html>"), Refused),
    ],
)
def test_a_sign_in_that_gives_no_token(
    answer: Reply, failure: type[Exception], console: Console, http: Http, key: Callable[..., ApiKey]
) -> None:
    for path in ("/v2/signin", "/v2/tokens"):
        console.on("POST", path, answer)
    for method in (SaasPassword(HOST, "joe", Secret("hunter22")), key()):
        with pytest.raises(failure, match="POST /v2/"):
            method.sign_in(http)


def test_the_token_says_where_the_console_is(console: Console, http: Http) -> None:
    assert Lookup(PROV)(http, TOKEN) == "https://abc123.cloud.aquasec.com"
    assert Lookup("http://127.0.0.1:9")(http, TOKEN) == "http://abc123.cloud.aquasec.com"
    assert console.asked == []


def test_else_the_account_does(console: Console, http: Http) -> None:
    console.on("GET", "/v1/envs", reply(200, {"data": {"ese_url": "ABC.cloud.aquasec.com"}}))
    assert Lookup(PROV)(http, Secret("opaque-token")) == "https://abc.cloud.aquasec.com"
    asked = console.asked[0]
    assert asked.headers["host"] == "prov.cloud.aquasec.com"
    assert asked.headers["authorization"] == "Bearer opaque-token"


@pytest.mark.parametrize(
    ("answer", "failure", "message"),
    [
        (denied("nope"), Refused, r"403: Access denied; nope .*the console of this account cannot be found"),
        (reply(404), Refused, "GET /v1/envs: 404.*write the console's own address"),
        (reply(503, retry_after="4"), Unavailable, "cannot be found"),
        (reply(200, {"data": {}}), Refused, "names no console"),
        (reply(200, {"data": {"ese_url": "abc-gw.cloud.aquasec.com"}}), Refused, "is the gateway"),
        (reply(200, b"<html>"), Refused, "web page"),
    ],
)
def test_a_console_that_is_not_found_is_never_made_up(
    answer: Reply, failure: type[Exception], message: str, console: Console, http: Http
) -> None:
    console.on("GET", "/v1/envs", answer)
    with pytest.raises(failure, match=message):
        Lookup(PROV)(http, jwt(csp_metadata={"urls": None}))


def test_an_account_without_a_console_is_told_apart(console: Console, http: Http) -> None:
    with pytest.raises(Refused, match="has no console"):
        Lookup(PROV)(http, jwt(csp_enabled=False))
    assert console.asked == []


def test_what_is_no_error_of_the_account_api_is_not_quoted(console: Console, http: Http) -> None:
    console.on("POST", "/v2/signin", reply(403, orjson.dumps(["odd"])))
    with pytest.raises(Refused, match="POST /v2/signin: 403: 7 bytes of JSON that say nothing"):
        SaasPassword(HOST, "joe", Secret("hunter22")).sign_in(http)
