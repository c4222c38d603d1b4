"""One port, several APIs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from unit.emulator.caller import Caller

from policysync.clock import FakeClock
from policysync.emulator.embedded import embedded
from policysync.emulator.planes import plane_of
from policysync.emulator.settings import Settings
from policysync.kinds.load import load_kinds


def opened(**options: Any) -> Iterator[Caller]:
    local = embedded(None, load_kinds(), settings=Settings(**options), clock=FakeClock())
    yield Caller(local)
    local.close()


@pytest.fixture
def one() -> Iterator[Caller]:
    yield from opened()


@pytest.mark.parametrize(
    ("path", "plane"),
    [
        ("/api/v2/images", "console"),
        ("/v2/users", "account"),
        ("/v2/build/suppressionsV2", "supply-chain"),
        ("/supply_chain/v2/build/suppressionsV2", "supply-chain"),
        ("/v1/envs", "prov"),
        ("/api/access_mgmt/permissions", "front"),
    ],
)
def test_the_path_tells_the_plane(path: str, plane: str) -> None:
    assert plane_of(path) == plane


@pytest.mark.parametrize("host", ["abc-gw.cloud.aquasec.com", "abc-gw.example:8443"])
def test_a_gateway_speaks_grpc(one: Caller, host: str) -> None:
    answer = one.send("GET", "/api/v2/images", None, host=host)
    assert (answer.status, answer.headers["content-type"]) == (415, "application/grpc")


@pytest.mark.parametrize(
    ("host", "path", "status"),
    [
        ("api.cloudsploit.com", "/v2/users", 200),
        ("eu-1.api.cloudsploit.com", "/api/v2/images", 404),
        ("prov-eu-1.cloud.aquasec.com", "/v1/envs", 200),
        ("prov.cloud.aquasec.com", "/v2/users", 404),
        ("us-east-1.edge.cloud.aquasec.com", "/supply_chain/v2/build/suppressionsV2", 200),
        ("abc.cloud.aquasec.com", "/api/v2/images", 200),
        ("127.0.0.1:8085", "/v2/users", 200),
    ],
)
def test_a_known_host_serves_its_own_plane(one: Caller, host: str, path: str, status: int) -> None:
    assert one.send("GET", path, None, host=host).status == status


def test_without_a_token_the_account_api_denies_as_recorded(one: Caller) -> None:
    one.headers = {}
    denied = one.get("/v2/users")
    assert denied.status == 403
    assert denied.json["errors"] == ["The request is missing the session token. Please login."]
    assert one.get("/api/v2/images").json == {"message": "Unauthorized", "code": 401}


def test_errors_of_the_account_api_have_its_form(one: Caller) -> None:
    missing = one.get("/v2/users/999").json
    assert (missing["status"], missing["code"], missing["message"]) == (404, 1, "Not found")
    unknown = one.post("/v2/groups", {"name": "x", "colour": "red"})
    assert unknown.status == 422
    assert unknown.json["errors"] == [
        {
            "field": "data",
            "message": "has additional properties",
            "value": "data.colour",
            "type": "object",
            "schemaPath": [],
        }
    ]


def test_a_self_hosted_console_has_no_account() -> None:
    for one in opened(edition="self-hosted"):
        assert one.get("/v2/users").status == 404
        assert one.get("/v1/envs").status == 404
        assert one.get("/api/v1/users").status == 200


def test_a_platform_has_no_users_of_its_own_console() -> None:
    for one in opened(edition="saas"):
        assert one.get("/api/v1/users").status == 404
        assert one.get("/v2/users").status == 200
        assert one.get("/v2/accounts/10630").json["data"]["csp_enabled"] is True


def test_the_named_console_is_another_one() -> None:
    for one in opened(console_host="tenant.example"):
        assert one.get("/v1/envs").json["data"]["ese_url"] == "tenant.example"


def test_anybody_may_look_at_the_front_page(one: Caller) -> None:
    one.headers = {}
    assert one.get("/").status == 200
