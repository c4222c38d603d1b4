"""What clients that are not ours ask of a console, beyond the objects themselves.

Source: reference, policies 2, 3.2, 5, 6, 8, 11, 13 and 14.1; platform 2.2 and 4; and three published clients.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from unit.emulator.caller import Caller

from policysync.clock import FakeClock
from policysync.emulator.embedded import embedded
from policysync.emulator.seed import find_seed
from policysync.emulator.settings import Settings
from policysync.kinds.load import load_kinds


@pytest.fixture(scope="module")
def seeded() -> Iterator[Caller]:
    """A console that tests read, and change only in objects of their own."""
    local = embedded(None, load_kinds(), settings=Settings(), seed=find_seed("demo"), clock=FakeClock())
    yield Caller(local)
    local.close()


def member(items: Any, name: str) -> list[Any]:
    return [item[name] for item in items]


@pytest.mark.parametrize(("asked", "down"), [("id asc", False), ("id desc", True), ("-id", True)])
@pytest.mark.parametrize("page", ["", "&page=1&pagesize=100"])
def test_enforcer_groups_come_in_the_order_of_their_ids(seeded: Caller, asked: str, down: bool, page: str) -> None:
    for ident in ("zz", "aa"):
        seeded.post("/api/v1/hostsbatch", {"id": ident, "type": "agent", "orchestrator": {}})
    answer = seeded.get(f"/api/v1/hostsbatch?orderby={asked.replace(' ', '%20')}{page}").json
    idents = member(answer["result"] if page else answer, "id")
    assert idents == sorted(idents, reverse=down)


def test_findings_of_hosts_are_sorted_by_number(seeded: Caller) -> None:
    numbers = member(seeded.get("/api/v1/hosts/images?orderby=id").json["result"], "id")
    assert numbers == sorted(numbers)


def test_the_group_that_is_there_from_the_start_has_a_gateway(seeded: Caller) -> None:
    assert seeded.get("/api/v1/hostsbatch/default").json["gateways"] == ["8522744b25e2_gateway"]


def test_a_firewall_policy_is_answered_with_itself(seeded: Caller) -> None:
    made = seeded.post("/api/v2/firewall_policies", {"name": "other", "inbound_networks": [], "outbound_networks": []})
    assert (made.status, made.json["name"], made.json["type"]) == (201, "other", "access.control")


def test_a_suppression_rule_says_what_it_is(seeded: Caller) -> None:
    path = "/v2/build/suppressionsV2"
    made = seeded.post(path, {"name": "other", "enable": True, "application_scopes": ["Global"], "controls": []})
    assert made.json["policy_type"] == "suppression"
    listed = seeded.get(f"{path}?page=1&page_size=10&order_by=name&type=suppression").json
    assert listed["selection_scopes"] == []
    assert set(member(listed["data"], "policy_type")) == {"suppression"}


def test_scripts_are_found_by_their_number(seeded: Caller) -> None:
    path = "/api/v2/image_assurance/user_scripts"
    scripts = [{"name": name, "engine": "sh", "path": "p", "kind": "image", "snippet": "x"} for name in ("s1", "s2")]
    _, second = seeded.post(path, scripts).json
    assert member(seeded.get(f"{path}?id={second['script_id']}").json, "name") == ["s2"]
    assert member(seeded.get(f"{path}?engine=sh&order_by=-name").json, "name") == ["s2", "s1"]


def test_response_policies_repeat_what_was_asked(seeded: Caller) -> None:
    page = seeded.get("/api/v2/response_policies?page=1&page_size=5&scope=Global&title=zz").json
    assert (page["scope"], page["title"], page["data"]) == ("Global", "zz", [])


def test_log_services_are_found_in_either_case(seeded: Caller) -> None:
    path = "/api/v1/settings/log_services"
    assert seeded.put(f"{path}/Qradar", {"name": "Qradar", "enable": False, "url": "https://q"}).status == 200
    assert seeded.get(f"{path}/QRadar").json["url"] == "https://q"
    assert seeded.get(f"{path}/qradar").json["name"] == "QRadar"


@pytest.mark.parametrize(
    "sent",
    [{"image": "library/nginx:9"}, {"image": "library/nginx"}, {"repository": "library/nginx", "tag": "8"}],
    ids=str,
)
def test_an_image_is_registered_by_name_or_in_parts(seeded: Caller, sent: dict[str, str]) -> None:
    assert seeded.post("/api/v2/images", {"registry": "Docker Hub", **sent}).json == {}
    tag = sent.get("tag") or sent["image"].partition(":")[2] or "latest"
    assert seeded.get(f"/api/v2/images/Docker%20Hub/library%2Fnginx/{tag}").status == 200


@pytest.mark.parametrize("columns", [[{"a": 1}], [["name"]], 7, "name,none"], ids=str)
def test_columns_nobody_knows_are_passed_over(seeded: Caller, columns: Any) -> None:
    path = "/api/v2/risks/vulnerabilities/exporters/images/export"
    assert seeded.post(path, {"name": "Compressed CSV", "columns": columns}).json["token"]


def test_benchmarks_of_a_host(seeded: Caller) -> None:
    host = seeded.get("/api/v1/hosts").json["result"][0]["id"]
    assert seeded.get(f"/api/v2/risks/bench/{host}/bench_results").json["cis"]["result"] == {"tests": []}
    assert seeded.get("/api/v2/risks/bench/none/bench_results").json["code"] == 404


@pytest.mark.parametrize("odd", [True, 7, 1e308, "x", {"a": 1}, [[1]], [None]], ids=str)
@pytest.mark.parametrize(
    ("path", "member", "body"),
    [
        ("/api/v1/registries", "options", {"type": "V1"}),
        ("/api/v2/access_management/permissions", "actions", {}),
        ("/api/v1/users", "password", {"roles": ["Scanner"]}),
        ("/api/v1/users", "roles", {"password": "long enough"}),
        ("/api/v2/assurance_policy/image", "maximum_score", {}),
        ("/api/v2/runtime_policies", "enforce", {}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_value_of_another_type_is_stored_or_refused(
    seeded: Caller, path: str, member: str, body: dict[str, Any], odd: Any
) -> None:
    named = {"id" if path.endswith("users") else "name": f"odd {member} {odd}", **body, member: odd}
    answer = seeded.post(path, named)
    assert answer.status in (201, 204) or answer.json["code"] == answer.status == 400


def test_an_expression_that_goes_too_deep_takes_in_nothing(seeded: Caller) -> None:
    scope = {"expression": "(" * 2000 + "v1" + ")" * 2000, "variables": [{"attribute": "image.name", "value": "*"}]}
    policy = {"name": "deep", "scope": scope, "application_scopes": ["Global"], "disallow_malware": True}
    assert seeded.post("/api/v2/assurance_policy/image", policy).status == 201
    image = {"registry": "Docker Hub", "repository": "library/deep", "tag": "1"}
    assert seeded.post("/api/v1/images", {"images": [image]}).status == 201


def test_somebody_changes_the_own_password(seeded: Caller) -> None:
    seeded.post("/api/v1/users", {"id": "own", "password": "long enough", "roles": ["Scanner"]})
    own, path = Caller(seeded.local, "own", "long enough"), "/api/v2/self_service/change_password"
    for odd in (None, "", "short", 7):
        assert seeded.put("/api/v1/users/own/password", {"name": "own", "new_password": odd}).status == 400
    assert own.post(path, {"current_password": "wrong", "new_password": "another one"}).status == 400
    assert own.post(path, {"current_password": "long enough", "new_password": "short"}).status == 400
    assert own.post(path, {"current_password": "long enough", "new_password": "another one"}).status == 204
    assert Caller(seeded.local, "own", "long enough").login.status == 401
    assert Caller(seeded.local, "own", "another one").login.status == 200


def test_the_scopes_of_the_account_are_gone_without_a_word(seeded: Caller) -> None:
    gone = seeded.get("/api/access_mgmt/scopes/Global")
    assert (gone.status, gone.body) == (404, b"")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/v1/settings/keystores", {"name": "k", "type": "vault", "user": "u", "token": "t"}),
        ("DELETE", "/api/v1/settings/keystores/k", None),
        ("DELETE", "/api/v2/repositories/Docker%20Hub/library%2Fpostgres", None),
    ],
)
def test_a_success_that_is_not_204_is_json(seeded: Caller, method: str, path: str, body: Any) -> None:
    assert seeded.send(method, path, body).json == {}


def test_scanners_come_five_at_a_time_and_addresses_may_end_in_a_slash(seeded: Caller) -> None:
    assert seeded.get("/api/v1/scanqueue/scanners").json["pagesize"] == 5
    assert seeded.get("/api/").json == seeded.get("/api").json
