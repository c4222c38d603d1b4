"""Habits of registries, enforcer groups and what else hangs together with them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from unit.emulator.caller import Caller

from policysync.clock import FakeClock
from policysync.emulator.embedded import embedded
from policysync.emulator.settings import Settings
from policysync.kinds.load import load_kinds

REGISTRIES = "/api/v1/registries"
GROUPS = "/api/v1/hostsbatch"


def opened(**options: Any) -> Iterator[Caller]:
    local = embedded(None, load_kinds(), settings=Settings(**options), clock=FakeClock())
    yield Caller(local)
    local.close()


@pytest.fixture
def one() -> Iterator[Caller]:
    yield from opened()


def test_a_prefix_that_was_made_out_is_lost_when_it_is_not_sent_back(one: Caller) -> None:
    one.post(REGISTRIES, {"name": "ecr", "type": "AWS", "url": "eu-west-1", "prefixes": ["mine"]})
    read = one.get(f"{REGISTRIES}/ecr").json
    prefix = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"
    assert (read["default_prefix"], sorted(read["prefixes"])) == (prefix, [prefix, "mine"])
    one.put(f"{REGISTRIES}/ecr", read)
    assert sorted(one.get(f"{REGISTRIES}/ecr").json["prefixes"]) == [prefix, "mine"]
    one.put(f"{REGISTRIES}/ecr", {**read, "prefixes": ["mine"], "default_prefix": ""})
    assert one.get(f"{REGISTRIES}/ecr").json["prefixes"] == ["mine"]


def test_a_connected_registry_says_so_among_its_options(one: Caller) -> None:
    option = {"option": "TestImagePull", "value": "web:1"}
    one.post(REGISTRIES, {"name": "r", "type": "V1", "url": "https://r", "options": [option]})
    options = one.get(f"{REGISTRIES}/r").json["options"]
    assert {each["option"]: each["value"] for each in options} == {"TestImagePull": "web:1", "status": "Connected"}


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({"url": "https://unreachable"}, "failed connecting"),
        ({"options": [{"option": "TestImagePull", "value": "unreachable:1"}]}, "failed connecting"),
        ({"auto_pull": True, "auto_pull_interval": 0}, "auto_pull_interval"),
        ({"scanner_type": "specific"}, "scanner group"),
    ],
)
def test_registries_that_are_refused(one: Caller, body: dict[str, Any], says: str) -> None:
    refused = one.post(REGISTRIES, {"name": "r", "type": "V1", **body})
    assert refused.status == 400
    assert says in refused.message


@pytest.mark.parametrize(
    ("secrets", "shown"), [("omit", None), ("blank", ""), ("masked", "********"), ("clear", "hidden")]
)
def test_what_a_read_gives_for_a_password(secrets: str, shown: str | None) -> None:
    for one in opened(secrets=secrets):
        one.post(REGISTRIES, {"name": "r", "type": "V1", "url": "https://r", "password": "hidden"})
        assert one.get(f"{REGISTRIES}/r").json.get("password") == shown


def test_scanner_names_of_a_change_are_not_kept(one: Caller) -> None:
    one.post(REGISTRIES, {"name": "r", "type": "V1", "scanner_name": ["a"], "scanner_name_added": ["a"]})
    read = one.get(f"{REGISTRIES}/r").json
    assert read["scanner_name"] == ["a"]
    assert "scanner_name_added" not in read


def test_registries_and_users_are_also_listed_in_pages(one: Caller) -> None:
    assert isinstance(one.get(REGISTRIES).json, list)
    assert one.get("/api/v2/registries?pagesize=1").json["pagesize"] == 1
    assert one.get("/api/v2/users").json["count"] == 1


def test_an_enforcer_group_keeps_its_token(one: Caller) -> None:
    made = one.post(GROUPS, {"id": "g", "orchestrator": {}}).json
    assert made["type"] == "agent"
    assert made["gateways"] == ["8522744b25e2_gateway"]
    assert made["token"] in made["command"]["kubernetes"]
    assert one.put(GROUPS, {"id": "g", "orchestrator": {}, "description": "d"}).status == 204
    again = one.get(f"{GROUPS}/g").json
    assert (again["token"], again["description"]) == (made["token"], "d")
    assert one.put(GROUPS, {"id": "nobody"}).status == 404


def test_a_chosen_token_is_taken(one: Caller) -> None:
    assert one.post(GROUPS, {"id": "g", "token": "chosen", "orchestrator": {}}).json["token"] == "chosen"


def test_a_harsh_console_copies_secrets_whatever_it_is_told() -> None:
    body = {"id": "g", "type": "kube_enforcer", "auto_copy_secrets": False, "orchestrator": {}}
    for quirks, copied in (("harsh", True), ("mild", False)):
        for one in opened(quirks=quirks):
            one.post(GROUPS, body)
            assert one.get(f"{GROUPS}/g").json["auto_copy_secrets"] is copied


def test_slots_stand_from_the_start_and_are_emptied_by_writing(one: Caller) -> None:
    path = "/api/v1/settings/log_services"
    assert all(slot["enable"] is False for slot in one.get(path).json.values())
    assert one.put(f"{path}/Nothing", {"enable": True}).status == 404
    assert one.put("/api/v1/settings/monitoring/Prometheus", {"type": "prometheus", "enabled": True}).status == 204
    assert one.get("/api/v1/settings/monitoring/Prometheus").json["enabled"] is True


def test_users_need_a_password_and_a_role(one: Caller) -> None:
    path, body = "/api/v1/users", {"id": "u", "password": "long enough", "roles": ["Scanner", "Auditor"]}
    assert one.post(path, {**body, "password": "short"}).status == 400
    assert one.post(path, {**body, "roles": []}).status == 400
    assert one.post(path, {**body, "passwordConfirm": "other"}).status == 400
    assert one.post(path, body).status == 204
    assert one.get(f"{path}/u").json["role"] == "Scanner"
    assert one.post(path, body).status == 409
    assert one.delete(f"{path}/administrator").status == 400


def test_what_is_held_is_not_deleted(one: Caller) -> None:
    roles = "/api/v2/access_management/roles"
    one.post(roles, {"name": "web", "permission": "Auditor", "scopes": ["Global"]})
    one.post("/v2/users", {"email": "x@example.com", "account_admin": False, "csp_roles": ["web"]})
    refused = one.delete(f"{roles}/web")
    assert (refused.status, refused.message) == (400, "role web is in use by user x@example.com")
    root = one.get("/v2/users").json["data"][0]
    assert root["email"] == "administrator@emulator.example"
    assert one.delete(f"/v2/users/{root['id']}").status == 403


def test_an_account_is_read_in_parts(one: Caller) -> None:
    for number in range(3):
        one.post("/v2/groups", {"name": f"g{number}"})
    first = one.get("/v2/groups?limit=2").json
    assert first["meta"] == {"count": 4, "next_offset": 2}
    second = one.get("/v2/groups?limit=2&offset=2").json
    assert second["meta"]["next_offset"] is None
    assert [each["name"] for each in first["data"] + second["data"]] == ["Default", "g0", "g1", "g2"]
    group = second["data"][1]
    assert one.put(f"/v2/groups/{group['id']}", {"action": "adding", "user_id": 999}).status == 404
    assert one.put(f"/v2/groups/{group['id']}", {"action": "teasing", "user_id": 1}).status in (400, 404)
