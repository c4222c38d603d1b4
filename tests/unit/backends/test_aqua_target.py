from __future__ import annotations

import logging
from typing import Any

import pytest
from unit.backends.conftest import Console, jwt, once, reply

from policysync.backends.connect import connect
from policysync.backends.port import Backend
from policysync.documents.project import Limits, Target
from policysync.errors import Refused
from policysync.secret import Secret

KEY = {"key": "${env:KEY}", "secret": "${env:SECRET}"}
PASSWORD = {"user": "joe", "password": "${env:PASSWORD}"}


def target(url: str, auth: Any, **options: Any) -> Target:
    return Target("t", "aqua", url, auth, options)


def connected(made: Target, console: Console, *kinds: Any) -> Backend:
    known = {kind.name: kind for kind in kinds}
    return connect(made, known, secrets=Secret, again=once, limits=Limits(), local=console)


@pytest.fixture
def cloud(console: Console) -> Console:
    """The whole of SaaS; which host was asked is noted with each request."""
    console.on("POST", "/v2/tokens", reply(200, {"data": jwt(sub="key").reveal()}))
    console.on("POST", "/v2/signin", reply(200, {"data": {"token": jwt(sub="joe").reveal()}}))
    console.on("GET", "/v1/envs", reply(200, {"data": {"ese_url": "abc123.cloud.aquasec.com"}}))
    console.on("GET", "/api/v2/repositories", reply(200, {"count": 0, "result": []}))
    return console


def hosts_of(console: Console) -> list[str]:
    return list(dict.fromkeys(asked.headers["host"] for asked in console.asked))


@pytest.mark.parametrize(
    ("url", "auth", "hosts"),
    [
        ("cloud.aquasec.com", KEY, ["api.cloudsploit.com", "prov.cloud.aquasec.com", "abc123.cloud.aquasec.com"]),
        (
            "https://eu-1.cloud.aquasec.com/#/home",
            KEY,
            ["eu-1.api.cloudsploit.com", "prov-eu-1.cloud.aquasec.com", "abc123.cloud.aquasec.com"],
        ),
        (
            "asia-1.cloud.aquasec.com",
            PASSWORD,
            ["asia-1.api.cloudsploit.com", "prov-asia-1.cloud.aquasec.com", "abc123.cloud.aquasec.com"],
        ),
        (
            "cloud-dev.aquasec.com",
            {"email": "joe", "password": "${env:PASSWORD}"},
            ["stage.api.cloudsploit.com", "prov-dev.cloud.aquasec.com", "abc123.cloud.aquasec.com"],
        ),
        ("xyz.ap-2.cloud.aquasec.com", KEY, ["ap-2.api.cloudsploit.com", "xyz.ap-2.cloud.aquasec.com"]),
        ("xyz.cloud.aquasec.com", PASSWORD, ["api.cloudsploit.com", "xyz.cloud.aquasec.com"]),
        ("aqua.example.com", PASSWORD, ["aqua.example.com"]),
        ("xyz.cloud.aquasec.com", {**PASSWORD, "method": "password"}, ["xyz.cloud.aquasec.com"]),
    ],
)
def test_the_way_to_the_console(url: str, auth: Any, hosts: list[str], cloud: Console) -> None:
    backend = connected(target(url, auth), cloud)
    assert backend.probe().identity == f"https://{hosts[-1]}"
    assert hosts_of(cloud) == hosts
    backend.close()


def test_the_region_of_a_console_under_another_name_is_an_option(cloud: Console) -> None:
    connected(target("console.example.com", KEY, region="eu-1"), cloud).probe()
    assert hosts_of(cloud) == ["eu-1.api.cloudsploit.com", "console.example.com"]


@pytest.mark.parametrize("auth", [{**KEY, "method": "api-key"}, {**PASSWORD, "method": "saas-password"}])
def test_a_deployment_of_its_own_names_its_hosts(auth: Any, cloud: Console) -> None:
    own = {"token": "http://127.0.0.1:1", "prov": "http://127.0.0.1:2"}
    connected(target("http://127.0.0.1:3", auth, hosts=own), cloud).probe()
    assert hosts_of(cloud) == ["127.0.0.1:1", "127.0.0.1:2", "abc123.cloud.aquasec.com"]
    cloud.asked.clear()
    connected(target("http://127.0.0.1:3", auth, hosts={"token": "http://127.0.0.1:1"}), cloud).probe()
    assert hosts_of(cloud) == ["127.0.0.1:1", "127.0.0.1:3"]


@pytest.mark.parametrize(
    ("url", "base", "host", "path"),
    [
        ("cloud.aquasec.com", "supply-chain", "us-east-1.edge.cloud.aquasec.com", "/supply_chain/things"),
        ("eu-1.cloud.aquasec.com", "supply-chain", "eu-central-1.edge.cloud.aquasec.com", "/supply_chain/things"),
        ("eu-1.cloud.aquasec.com", "front", "eu-1.cloud.aquasec.com", "/things"),
        ("abc.eu-1.cloud.aquasec.com", "account", "eu-1.api.cloudsploit.com", "/things"),
    ],
)
def test_each_api_has_its_host(url: str, base: str, host: str, path: str, *, cloud: Console, kind_of: Any) -> None:
    kind = kind_of(base=base)
    cloud.on("GET", path, reply(200, {"result": []}))
    assert list(connected(target(url, KEY), cloud, kind).list(kind)) == []
    assert cloud.asked[-1].headers["host"] == host
    assert cloud.asked[-1].target.startswith(f"{path}?")


def test_a_host_can_be_named(cloud: Console, kind_of: Any) -> None:
    kind = kind_of(base="front")
    cloud.on("GET", "/x/things", reply(200, {"result": []}))
    made = target("cloud.aquasec.com", KEY, hosts={"front": "https://front.example.com/x/"})
    assert list(connected(made, cloud, kind).list(kind)) == []
    assert cloud.asked[-1].headers["host"] == "front.example.com"


@pytest.mark.parametrize(("url", "auth"), [("asia-2.cloud.aquasec.com", KEY), ("aqua.example.com", PASSWORD)])
def test_a_host_nobody_knows_is_asked_for(url: str, auth: Any, cloud: Console, kind_of: Any) -> None:
    kind = kind_of(base="supply-chain")
    with pytest.raises(Refused, match=r"hosts: \{supply-chain: URL\}"):
        list(connected(target(url, auth), cloud, kind).list(kind))


@pytest.mark.parametrize(
    ("more", "body"),
    [
        ({}, {"validity": 240, "allowed_endpoints": ["ANY:*"], "csp_roles": ["Administrator"]}),
        (
            {"validity": 5, "allowed_endpoints": "GET", "roles": ["auditor", "api"]},
            {"validity": 5, "allowed_endpoints": ["GET"], "csp_roles": ["auditor", "api"]},
        ),
        ({"roles": []}, {"validity": 240, "allowed_endpoints": ["ANY:*"]}),
    ],
)
def test_what_a_key_asks_for_can_be_chosen(more: Any, body: Any, cloud: Console) -> None:
    connected(target("cloud.aquasec.com", {**KEY, **more}), cloud).probe()
    assert cloud.asked[0].body == body


def test_a_console_that_is_not_found_ends_it(cloud: Console) -> None:
    cloud.on("GET", "/v1/envs", reply(403, {"status": 403, "code": 1, "message": "Access denied", "errors": []}))
    with pytest.raises(Refused, match=r"403: Access denied .*cannot be found at https://prov"):
        connected(target("cloud.aquasec.com", KEY), cloud).probe()
    assert "cloud.aquasec.com" not in hosts_of(cloud)


@pytest.mark.parametrize("method", ["password", "saas-password", "api-key"])
def test_every_method_works_in_process(method: str, cloud: Console) -> None:
    cloud.on("GET", "/v1/envs", reply(200, {"data": {"ese_url": "embedded"}}))
    backend = connected(Target("t", "aqua", "embedded:dev", {"method": method}), cloud)
    assert backend.probe().identity == "embedded:dev"
    assert hosts_of(cloud) == ["embedded"]


def test_a_token_host_in_the_clear_is_said_loudly(caplog: pytest.LogCaptureFixture) -> None:
    made = target("cloud.aquasec.com", KEY, hosts={"token": "http://token.example.com"})
    with caplog.at_level(logging.WARNING):
        connect(made, {}, secrets=Secret, again=once, limits=Limits()).close()
    assert "http://token.example.com is not encrypted" in caplog.text


@pytest.mark.parametrize(
    ("url", "auth", "options", "refused"),
    [
        ("aqua.example.com", PASSWORD, {}, "saas"),
        ("aqua.example.com", PASSWORD, {"hosts": {"front": "front.example.com"}}, ""),
        ("cloud.aquasec.com", KEY, {}, "self-hosted"),
        ("abc.cloud.aquasec.com", {**PASSWORD, "method": "password"}, {}, "self-hosted"),
        ("127.0.0.1:1", KEY, {"hosts": {"token": "127.0.0.1:1"}}, "self-hosted"),
        ("embedded:dev", {}, {}, ""),
    ],
)
def test_a_kind_of_the_other_edition_is_refused(
    url: str, auth: Any, options: Any, refused: str, *, cloud: Console, kind_of: Any
) -> None:
    cloud.on("GET", "/things", reply(200, {"result": []}))
    for edition in ("saas", "self-hosted"):
        kind = kind_of(kind={"edition": edition})
        backend = connected(Target("t", "aqua", url, auth, options), cloud, kind)
        if edition == refused:
            with pytest.raises(Refused, match=f"Thing is there on {edition} only"):
                list(backend.list(kind))
        else:
            assert list(backend.list(kind)) == []
        backend.close()
