from __future__ import annotations

import logging
from typing import Any

import pytest
from unit.backends.conftest import Console, once, reply

from policysync.backends.connect import connect
from policysync.backends.memory import Memory
from policysync.backends.port import Backend
from policysync.documents.project import Limits, Target
from policysync.errors import PolicySyncError
from policysync.secret import Secret

AUTH = {"user": "${env:USER}", "password": "${env:PASSWORD}"}
KEY = {"key": "${env:KEY}", "secret": "${env:SECRET}"}
VALUES = {
    "${env:USER}": "joe",
    "${env:PASSWORD}": "hunter2222",
    "${env:KEY}": "key-0001",
    "${env:SECRET}": "secret-0001",
}


def secrets(reference: str) -> Secret:
    return Secret(VALUES[reference], reference)


def connected(target: Target, console: Console | None = None) -> Backend:
    return connect(target, {}, secrets=secrets, again=once, limits=Limits(), local=console)


def test_references_in_auth_are_resolved(console: Console) -> None:
    target = Target("prod", "aqua", "https://aqua.example.com", {**AUTH, "method": "password"})
    backend = connected(target, console)
    assert backend.probe().identity == "https://aqua.example.com"
    assert {"id": "joe", "password": "hunter2222"} in [asked.body for asked in console.asked]
    backend.close()


def test_a_user_may_stand_there_as_it_is(console: Console) -> None:
    backend = connected(Target("prod", "aqua", "https://a.example.com", {**AUTH, "user": "ann"}), console)
    backend.probe()
    assert {"id": "ann", "password": "hunter2222"} in [asked.body for asked in console.asked]
    backend.close()


def test_a_memory_needs_nothing() -> None:
    backend = connected(Target("try", "memory"))
    assert isinstance(backend, Memory)
    assert backend.probe().identity == "memory:try"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        (Target("t", "azure"), "target t: backend 'azure' is not served here; known are "),
        (Target("t", "aqua", "embedded:dev"), "target t: embedded:dev needs an embedded console"),
        (Target("t", "aqua", "", AUTH), "target t: '' is not the address of a console"),
        (Target("t", "aqua", "a.com", {**AUTH, "method": "oauth"}), "target t: auth.method 'oauth' is not known"),
        (Target("t", "aqua", "a.com"), "target t: auth.user is missing"),
        (Target("t", "aqua", "a.com", {"user": "joe"}), "target t: auth.password is missing"),
        (Target("t", "aqua", "a.com", {**AUTH, "password": "plain"}), "target t: auth.password stands in the file"),
        (Target("t", "aqua", "a.com", AUTH, {"verfiy": False}), "target t: unknown option 'verfiy'"),
        (Target("t", "aqua", "a.com", AUTH, {"verify": "no"}), "target t: options.verify is 'no'; want true or false"),
        (
            Target("t", "aqua", "a.com", AUTH, {"ca_file": 7}),
            "target t: options.ca_file is 7; want a text, a number in quotes",
        ),
        (Target("t", "aqua", "a.com", AUTH, {"hosts": {"edge": "a.com"}}), "target t: unknown host 'edge'; known are"),
        (
            Target("t", "aqua", "a.com", AUTH, {"hosts": ["a.com"]}),
            "target t: options.hosts is ['a.com']; want a mapping",
        ),
        (Target("t", "aqua", "a.com", AUTH, {"region": "eu"}), "target t: options.region: there is no region 'eu'"),
        (Target("t", "aqua", "a.com", {**AUTH, "usr": "joe"}), "target t: auth.usr is no member of auth with method"),
        (Target("t", "aqua", "a.com", KEY), "target t: method api-key signs in at a token host of the vendor's cloud"),
        (Target("t", "aqua", "cloud.aquasec.com", {**AUTH, "method": "password"}), "target t: https://cloud.aquasec"),
        (Target("t", "aqua", "cloud-dev.aquasec.com", KEY), "target t: https://cloud-dev.aquasec.com: API keys do not"),
        (Target("t", "aqua", "cloud.aquasec.com", {**KEY, "secret": "plain"}), "target t: auth.secret stands in"),
        (Target("t", "aqua", "cloud.aquasec.com", {**KEY, "roles": 7}), "target t: auth.roles is 7; want a text or a"),
        (
            Target("t", "aqua", "cloud.aquasec.com", {**KEY, "validity": 0}),
            "target t: auth.validity is 0; want a whole",
        ),
        (Target("t", "aqua", "cloud.aquasec.com", {**KEY, "validity": True}), "target t: auth.validity is True"),
    ],
)
def test_a_target_that_cannot_be_used_is_named(target: Target, message: str) -> None:
    with pytest.raises(PolicySyncError) as caught:
        connected(target)
    assert str(caught.value).startswith(message)
    assert "plain" not in str(caught.value)


def test_credentials_in_the_clear_are_said_loudly(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        connected(Target("t", "aqua", "http://aqua.example.com", AUTH)).close()
        assert "travel in the clear" in caplog.text
        caplog.clear()
        connected(Target("t", "aqua", "http://127.0.0.1:8080", AUTH)).close()
        assert caplog.text == ""


def test_other_hosts_may_have_a_path(console: Console, kind_of: Any) -> None:
    kind = kind_of(base="supply-chain")
    asked: list[str] = []

    def local(method: str, target: str, headers: dict[str, str], body: bytes) -> Any:
        asked.append(target)
        return console(method, target, headers, body)

    console.on("GET", "/edge/things", reply(200, {"result": []}))
    target = Target("t", "aqua", "a.com", AUTH, {"hosts": {"supply-chain": "https://edge.example.com/edge/"}})
    backend = connect(target, {}, secrets=secrets, again=once, limits=Limits(), local=local)
    assert list(backend.list(kind)) == []
    assert asked[-1].startswith("/edge/things?")
    backend.close()
