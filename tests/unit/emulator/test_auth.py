"""Who may come in."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from unit.emulator.caller import Caller
from unit.emulator.conftest import Open

from policysync.clock import FakeClock
from policysync.emulator.auth import Tokens
from policysync.emulator.store import Store


def basic(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def claims(token: str) -> Any:
    payload = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def test_signing_in_gives_a_token_and_a_user(console: Open) -> None:
    one = console(token_life=60)
    assert one.login.status == 200
    assert one.login.json["user"]["id"] == "administrator"
    assert claims(one.login.json["token"])["exp"] - claims(one.login.json["token"])["iat"] == 60
    assert one.get("/api/v2/doors").status == 200


@pytest.mark.parametrize(("user", "password"), [("administrator", "wrong"), ("nobody", "emulator"), ("", "")])
def test_wrong_credentials_are_401_with_a_message(console: Open, user: str, password: str) -> None:
    refused = Caller(console().local, user, password).login
    assert (refused.status, refused.json) == (401, {"message": "invalid username or password", "code": 401})


@pytest.mark.parametrize("body", [b"", b"[]", b"{"])
def test_a_login_that_is_no_object_is_400(console: Open, body: bytes) -> None:
    assert console().post("/api/v1/login", body).status == 400


def test_passwords_may_hold_anything(console: Open) -> None:
    assert console(password='a"b\\ü').login.status == 200


def test_without_a_token_every_call_is_401(console: Open) -> None:
    one = console()
    one.headers.clear()
    for target in ("/api/v2/doors", "/api/v2/doors/Front", "/api/v2/images", "/api/v2/nothing"):
        assert one.get(target).json == {"message": "Unauthorized", "code": 401}


def test_what_the_console_is_like_may_be_asked_without_signing_in(console: Open) -> None:
    one = console()
    one.headers.clear()
    assert one.get("/api").json == {"authorization_header": "Authorization"}


def test_a_token_expires(console: Open, clock: FakeClock) -> None:
    one = console(token_life=60)
    clock.sleep(59)
    assert one.get("/api/v2/doors").status == 200
    clock.sleep(1)
    assert one.get("/api/v2/doors").status == 401


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é.b.c"])
def test_a_token_that_is_not_ours_is_401(console: Open, token: str) -> None:
    assert console().send("GET", "/api/v2/doors", Authorization=f"Bearer {token}").status == 401


def test_a_changed_token_is_401(console: Open) -> None:
    one = console()
    head, payload, signature = one.login.json["token"].split(".")
    forged = base64.urlsafe_b64encode(json.dumps({**claims(f".{payload}."), "exp": 9e12}).encode()).decode()
    assert one.send("GET", "/api/v2/doors", Authorization=f"Bearer {head}.{forged}.{signature}").status == 401


def test_basic_is_accepted(console: Open) -> None:
    one = console()
    one.headers.clear()
    assert one.send("GET", "/api/v2/doors", **basic("administrator:emulator")).status == 200
    assert one.send("GET", "/api/v2/doors", **basic("administrator:wrong")).status == 401
    assert one.send("GET", "/api/v2/doors", Authorization="Basic ???").status == 401


def test_the_header_may_have_another_name(console: Open) -> None:
    one = console(authorization_header="Aqua-Auth")
    assert one.get("/api").json == {"authorization_header": "Aqua-Auth"}
    token = one.headers.pop("Authorization")
    assert one.get("/api/v2/doors").status == 401
    assert one.send("GET", "/api/v2/doors", **{"aqua-auth": token}).status == 200


def test_a_token_is_good_in_every_process_with_the_same_store(tmp_path: Path, clock: FakeClock) -> None:
    first, second = Store(tmp_path / "c.sqlite"), Store(tmp_path / "c.sqlite")
    visitor = Tokens(second, clock).visitor(Tokens(first, clock).issue("me", 60))
    assert visitor is not None
    assert visitor.user == "me"
    first.close()
    second.close()


def test_many_tokens_are_not_kept_for_ever(clock: FakeClock) -> None:
    store = Store()
    tokens = Tokens(store, clock)
    for _ in range(1100):
        assert tokens.visitor(tokens.issue("me", 60)) is not None
    assert len(tokens._good) <= 1000
    store.close()
