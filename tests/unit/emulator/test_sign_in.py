"""Tokens of the account API, what they say and what they allow."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from unit.emulator.caller import Answer, Caller

from policysync.clock import FakeClock
from policysync.emulator.embedded import embedded
from policysync.emulator.settings import Settings
from policysync.kinds.load import load_kinds

WISH = {"validity": 240, "allowed_endpoints": ["ANY:*"], "csp_roles": ["Administrator"]}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def one(clock: FakeClock) -> Iterator[Caller]:
    yield from opened(clock)


def opened(clock: FakeClock, **options: Any) -> Iterator[Caller]:
    local = embedded(None, load_kinds(), settings=Settings(**options), clock=clock)
    caller = Caller(local)
    caller.headers = {}
    yield caller
    local.close()


def signed(one: Caller, stamp: str, body: bytes, text: bytes | None = None, **headers: str) -> Answer:
    """Ask for a token; `text` is the body as the signature has it, where that is another."""
    signature = hmac.new(b"emulator", stamp.encode() + b"POST/v2/tokens" + (text or body), hashlib.sha256).hexdigest()
    given = {"X-API-Key": "emulator", "X-Timestamp": stamp, "X-Signature": signature, "Host": "abc.example", **headers}
    return one.send("POST", "/v2/tokens", body, **given)


def seconds(clock: FakeClock) -> str:
    return str(int(clock.now().timestamp()))


def token(one: Caller, clock: FakeClock, **wish: Any) -> dict[str, str]:
    """Return the header of a token that was asked for with this wish."""
    answer = signed(one, seconds(clock), json.dumps({**WISH, **wish}, separators=(",", ":")).encode())
    assert answer.status == 200, answer.body
    return {"Authorization": f"Bearer {answer.json['data']}"}


def claims(header: dict[str, str]) -> Any:
    payload = header["Authorization"].split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def test_both_dialects_are_understood(one: Caller, clock: FakeClock) -> None:
    compact, loose = json.dumps(WISH, separators=(",", ":")).encode(), json.dumps(WISH).encode()
    assert signed(one, seconds(clock), compact).status == 200
    assert signed(one, seconds(clock) + "000", loose).status == 200
    assert signed(one, seconds(clock), loose, text=loose.replace(b" ", b"")).status == 200


@pytest.mark.parametrize(
    "headers",
    [{"X-API-Key": "nobody"}, {"X-Signature": "0" * 64}, {"X-Timestamp": "soon"}, {"X-Timestamp": "1"}],
    ids=str,
)
def test_what_is_not_right_is_refused_in_the_form_of_the_platform(
    one: Caller, clock: FakeClock, headers: dict[str, str]
) -> None:
    refused = signed(one, seconds(clock), b"{}", None, **headers)
    assert refused.status == 403
    assert refused.json.keys() == {"status", "id", "code", "message", "errors"}
    assert (refused.json["code"], refused.json["message"]) == (1, "Access denied")


def test_another_body_than_the_signed_one_is_refused(one: Caller, clock: FakeClock) -> None:
    assert signed(one, seconds(clock), b'{"validity":1}', text=b'{"validity":2}').status == 403


def test_a_clock_that_is_off_is_refused(one: Caller, clock: FakeClock) -> None:
    stamp = seconds(clock)
    clock.sleep(299)
    assert signed(one, stamp, b"{}").status == 200
    clock.sleep(2)
    assert signed(one, stamp, b"{}").status == 403


@pytest.mark.parametrize(
    "wish", [{"validity": 0}, {"validity": 1501}, {"validity": True}, {"allowed_endpoints": ["WHAT"]}, {"csp_roles": 1}]
)
def test_wishes_that_cannot_be_granted_are_422(one: Caller, clock: FakeClock, wish: dict[str, Any]) -> None:
    assert signed(one, seconds(clock), json.dumps(wish).encode()).status == 422
    assert signed(one, seconds(clock), b"[]").status == 422


def test_the_token_says_what_clients_look_for(one: Caller, clock: FakeClock) -> None:
    found = claims(token(one, clock, validity=10))
    assert found["exp"] == clock.now().timestamp() + 600
    assert found["csp_metadata"]["urls"] == {"ese_url": "abc.example", "ese_gw_url": "abc-gw.example"}
    assert {"user_id", "account_id", "account_admin", "csp_enabled", "user_groups_admin", "audit"} <= found.keys()
    assert (found["csp_roles"], found["allowed_endpoints"]) == (["Administrator"], ["ANY:*"])


def test_a_token_ends(one: Caller, clock: FakeClock) -> None:
    header = token(one, clock, validity=1)
    assert one.send("GET", "/v2/users", None, **header).status == 200
    clock.sleep(60)
    ended = one.send("GET", "/v2/users", None, **header)
    assert (ended.status, ended.json["message"]) == (401, "Unauthorized")


def test_a_token_for_reading_does_not_write(one: Caller, clock: FakeClock) -> None:
    header = token(one, clock, allowed_endpoints=["GET"])
    assert one.send("GET", "/api/v2/settings/labels", None, **header).status == 200
    refused = one.send("POST", "/api/v1/settings/labels", {"name": "x"}, **header)
    assert (refused.status, refused.json["code"]) == (403, 403)
    assert one.send("POST", "/v2/groups", {"name": "x"}, **header).json["message"] == "Access denied"


def test_a_token_may_be_for_one_path(one: Caller, clock: FakeClock) -> None:
    header = token(one, clock, allowed_endpoints=["GET:/v2/users"])
    assert one.send("GET", "/v2/users", None, **header).status == 200
    assert one.send("GET", "/v2/groups", None, **header).status == 403


def test_a_bare_any_is_not_for_the_supply_chain(one: Caller, clock: FakeClock) -> None:
    denied = one.send("GET", "/v2/build/suppressionsV2", None, **token(one, clock, allowed_endpoints=["ANY"]))
    assert (denied.status, "explicit deny" in denied.message) == (403, True)
    assert one.send("GET", "/v2/build/suppressionsV2", None, **token(one, clock)).status == 200


def test_a_role_that_only_reads_does_not_write(one: Caller, clock: FakeClock) -> None:
    header = token(one, clock, csp_roles=["Auditor"])
    assert one.send("GET", "/api/v2/settings/labels", None, **header).status == 200
    assert one.send("POST", "/api/v1/settings/labels", {"name": "x"}, **header).status == 403


def test_a_strict_console_knows_its_roles(clock: FakeClock) -> None:
    for one in opened(clock, strict=True):
        assert signed(one, seconds(clock), b'{"csp_roles":["nobody"]}').status == 403
        assert token(one, clock)


def test_a_key_that_was_made_opens_the_account_api(one: Caller, clock: FakeClock) -> None:
    header = token(one, clock)
    key = one.send("POST", "/v2/apikeys", {"description": "x"}, **header).json["data"]
    stamp = seconds(clock)
    for secret, status in ((key["secret"], 200), ("wrong", 403)):
        signature = hmac.new(secret.encode(), f"{stamp}GET/v2/users".encode(), hashlib.sha256).hexdigest()
        given = {"X-API-Key": key["access_key"], "X-Timestamp": stamp, "X-Signature": signature}
        assert one.send("GET", "/v2/users", None, **given).status == status
    one.send("DELETE", f"/v2/apikeys/{key['id']}", None, **header)
    signature = hmac.new(key["secret"].encode(), f"{stamp}GET/v2/users".encode(), hashlib.sha256).hexdigest()
    given = {"X-API-Key": key["access_key"], "X-Timestamp": stamp, "X-Signature": signature}
    assert one.send("GET", "/v2/users", None, **given).status == 403


@pytest.mark.parametrize("email", ["administrator@emulator.example", "administrator"])
def test_signing_in_by_email(one: Caller, email: str) -> None:
    found = one.post("/v2/signin", {"email": email, "password": "emulator"})
    assert found.json["data"]["user"]["email"] == "administrator@emulator.example"
    assert one.post("/v2/signin", {"email": email, "password": "x"}).status == 403
    assert one.post("/v2/signin", b"[").status == 422
