"""The exchanges of the vendor's Terraform provider, as its client package makes and judges them.

Each test sends what that client sends and asks of the answer no more and no less than it does: it decodes into typed
structures, so a boolean where it has a number fails as surely as a wrong status.
Source: the client package of the provider, read in November 2026; said again in our own words.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from unit.emulator.caller import Answer, Caller

from policysync.clock import FakeClock
from policysync.emulator.embedded import embedded
from policysync.emulator.seed import find_seed
from policysync.emulator.settings import Settings
from policysync.kinds.load import load_kinds

WRITTEN = (200, 201, 204)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(params=["off", "mild"])
def one(request: pytest.FixtureRequest, clock: FakeClock) -> Iterator[Caller]:
    local = embedded(None, load_kinds(), settings=Settings(quirks=request.param), seed=find_seed("demo"), clock=clock)
    yield Caller(local)
    local.close()


def typed(body: Any, **types: type | tuple[type, ...]) -> None:
    """Check members as a typed decoder would: null and absent are zero, anything else must be of the type."""
    for name, wanted in types.items():
        value = body.get(name)
        assert value is None or (isinstance(value, wanted) and isinstance(value, bool) == (wanted is bool)), name


def refused(answer: Answer) -> str:
    """Every error has to decode into a message and a code."""
    typed(answer.json, message=str, code=int)
    return answer.message


def test_signing_in_to_a_console(one: Caller) -> None:
    answer = one.send("POST", "/api/v1/login", b'{"id":"administrator", "password":"emulator"}')
    assert answer.status == 200
    assert isinstance(answer.json["token"], str)


def test_signing_in_to_the_platform_and_finding_the_console(one: Caller) -> None:
    signed = one.send("POST", "/v2/signin", b'{"email":"administrator@emulator.example", "password":"emulator"}')
    assert signed.status == 200
    bearer = {"Authorization": f"Bearer {signed.json['data']['token']}", "Host": "tenant.example"}
    found = one.send("GET", "/v1/envs", None, **bearer)
    assert (found.status, found.json["data"]["ese_url"]) == (200, "tenant.example")


def test_enforcer_groups(one: Caller) -> None:
    group = {
        "id": "tf",
        "type": "kube_enforcer",
        "orchestrator": {"type": "kubernetes", "master": False},
        "gateways": None,
    }
    assert one.post("/api/v1/hostsbatch", group).status in (201, 204)
    read = one.get("/api/v1/hostsbatch/tf").json
    typed(read, gateways=list, token=str, command=dict, enforce=bool, last_update=int, hosts_count=int, host_os=str)
    assert read["id"] == "tf"
    assert read["token"] in read["install_command"]
    assert one.put("/api/v1/hostsbatch?update_enforcers=true", {**read, "enforce": True}).status in (201, 204)
    everything = one.get("/api/v1/hostsbatch").json
    assert isinstance(everything, list)
    assert {"default", "tf"} <= {each["id"] for each in everything}
    assert next(each for each in everything if each["id"] == "tf")["token"] == read["token"]
    assert one.delete("/api/v1/hostsbatch/tf").status == 204
    gone = one.get("/api/v1/hostsbatch/tf")
    assert (gone.status, refused(gone)) == (404, "Enforcer group (tf) not found")


def test_a_registry_that_cannot_be_reached_is_kept_only_by_force(one: Caller) -> None:
    registry = {"name": "tf", "type": "V1", "url": "https://unreachable.example", "auto_pull_interval": 1}
    assert "tf" in refused(one.post("/api/v1/registries", registry))
    assert one.post("/api/v1/registries", {**registry, "force_save": True}).status in WRITTEN
    read = one.get("/api/v1/registries/tf").json
    typed(read, lastupdate=int, prefixes=list, webhook=dict, options=list, auto_pull=bool, auto_scan_time=dict)
    assert read["is_registry_connected"] is False
    assert one.put("/api/v1/registries/tf", {**read, "force_save": True, "description": "d"}).status in WRITTEN
    assert isinstance(one.get("/api/v1/registries").json, list)
    assert one.delete("/api/v1/registries/tf").status == 204


def test_users_and_their_passwords(one: Caller) -> None:
    user = {"id": "tf", "name": "T", "email": "", "password": "long enough", "roles": ["Scanner"], "first_time": False}
    assert one.post("/api/v1/users", {**user, "passwordConfirm": user["password"]}).status in WRITTEN
    listed = one.get("/api/v1/users").json
    assert isinstance(listed, list)
    assert all("password" not in each for each in listed)
    changed = one.put("/api/v1/users/tf/password", {"name": "tf", "new_password": "another one"})
    assert changed.status == 204
    assert Caller(one.local, "tf", "another one").login.status == 200
    assert one.delete("/api/v1/users/tf").status in (200, 204)
    assert Caller(one.local, "tf", "another one").login.status == 401


def test_permission_sets_and_roles(one: Caller) -> None:
    path = "/api/v2/access_management"
    assert one.post(f"{path}/permissions", {"id": "", "name": "tf", "actions": ["images.read"]}).status in (201, 204)
    typed(one.get(f"{path}/permissions/tf").json, id=str, actions=list, ui_access=bool, updated_at=str)
    assert "frobnicate" in refused(one.post(f"{path}/permissions", {"name": "x", "actions": ["frobnicate"]}))
    assert one.post(f"{path}/roles", {"name": "tf", "permission": "tf", "scopes": ["Global"]}).status in WRITTEN
    assert one.delete(f"{path}/permissions/tf").status == 400
    body = {"name": "tf", "permission": "tf", "scopes": ["Global"], "updated_at": "2020-01-01T00:00:00Z"}
    assert one.put(f"{path}/roles/tf", body).status in WRITTEN
    assert one.delete(f"{path}/roles/tf").status in (200, 204)
    assert one.delete(f"{path}/permissions/tf").status == 204
    assert refused(one.get(f"{path}/permissions/tf"))


def test_permission_sets_of_the_platform_can_be_read_after_two_seconds(one: Caller, clock: FakeClock) -> None:
    path = "/api/access_mgmt/permissions"
    assert one.post(path, {"name": "tf", "actions": ["cnapp.inventory.read"]}).status in (201, 204)
    assert one.get(f"{path}/tf").status == 404
    clock.sleep(2)
    assert one.get(f"{path}/tf").json["actions"] == ["cnapp.inventory.read"]
    listed = one.get(path).json
    typed(listed, permissions=list, page=int, size=int, total=int)
    assert one.put(path, {"name": "tf", "actions": []}).status == 204
    catalogue = one.get(f"{path}/actions").json
    assert {"cnapp.inventory.read"} <= {a["name"] for module in catalogue["modules"] for a in module["actions"]}
    assert one.delete(f"{path}/tf").status == 204
    refusal = one.post(path, {"name": "odd", "actions": ["what.is.this"]})
    assert refused(refusal) == "action what.is.this not supported"


@pytest.mark.parametrize("path", ["/api/cspm/v2/samlmappings", "/v2/samlmappings"])
def test_role_mappings_of_the_platform(one: Caller, path: str) -> None:
    made = one.post(path, {"csp_role": "Scanner", "saml_groups": ["ci"]})
    assert made.status == 201
    typed(made.json["data"], id=int, created=str, account_id=int, saml_groups=list)
    ident = made.json["data"]["id"]
    assert one.put(f"{path}/{ident}", {"saml_groups": ["ci", "build"]}).status == 204
    assert sorted(one.get(f"{path}/{ident}").json["data"]["saml_groups"]) == ["build", "ci"]
    assert ident in [each["id"] for each in one.get(path).json["data"]]
    assert one.delete(f"{path}/{ident}").status == 200


def test_notifications(one: Caller) -> None:
    path = "/api/v2/notification/outputs"
    body = {"id": 0, "name": "tf", "type": "slack", "properties": {"url": "https://hooks.example"}, "template": None}
    made = one.post(path, body)
    assert made.status == 201
    typed(made.json, id=int, last_updated=int, template=dict, properties=dict)
    ident = made.json["id"]
    changed = one.put(f"{path}/{ident}", {**body, "id": ident, "name": "renamed"})
    assert (changed.status, changed.json["name"]) == (200, "renamed")
    assert [each["name"] for each in one.get(f"{path}?groupBy=type").json["slack"]] == ["renamed"]
    assert one.delete(f"{path}/{ident}").status == 200
    assert "Notification Output with id doesn't exist" in refused(one.get(f"{path}/{ident}"))


def test_the_old_slack_notifier_is_always_there(one: Caller) -> None:
    path = "/api/v1/settings/notifiers/Slack"
    typed(one.get(path).json, enabled=bool, channel=str, webhook_url=str, name=str)
    on = {"name": "Slack", "type": "slack", "enabled": True, "channel": "#x", "webhook_url": "u", "user_name": "n"}
    assert one.put(path, on).status in WRITTEN
    assert one.get(path).json["channel"] == "#x"


def test_log_services_are_switched_and_emptied(one: Caller) -> None:
    path = "/api/v1/settings/log_services"
    assert one.put(f"{path}/Loggly", {"name": "Loggly", "enable": True, "url": "https://logs.example"}).status == 200
    assert one.get(f"{path}/Loggly").json["enable"] is True
    assert one.send("PUT", f"{path}/Loggly").status in (200, 204)
    every = one.get(path).json
    typed(every["Loggly"], enable=bool, url=str, verify_cert=bool)
    assert (every["Loggly"]["enable"], every["Loggly"]["url"]) == (False, "")
    assert len(every) == 16


def test_scanner_groups(one: Caller) -> None:
    path = "/api/v2/scanner_groups"
    assert one.post(path, {"name": "tf", "type": "remote", "application_scopes": ["Global"]}).status in WRITTEN
    page = one.get(path).json
    typed(page, count=int, page=int, page_size=int, more_data_all_pages=int, is_estimated_count=bool)
    assert {"tf"} <= {each["name"] for each in page["result"]}
    typed(one.get(f"{path}/tf").json, created_at=int, updated_at=int, tokens=list, scanners=list, deploy_command=dict)
    assert one.put(f"{path}/tf", {"name": "tf", "description": "d"}).status in WRITTEN
    assert one.put("/api/v2/migrate_scanner_groups", {"name": "tf", "type": "legacy"}).status in WRITTEN
    assert one.get("/api/v2/scanner_groups/remote-eu").json["registries"] == ["Harbor Prod"]
    assert one.delete(path, ["remote-eu"]).status in (200, 204)
    assert one.delete(path, ["remote-eu"]).status == 404


def test_api_keys(one: Caller, clock: FakeClock) -> None:
    made = one.post("/v2/apikeys", {"description": "tf", "expiration": 10, "roles": ["Scanner"]})
    assert made.status == 201
    key = made.json["data"]
    typed(key, id=int, secret=str, access_key=str, expiration=int, roles=list, permission_ids=list, owner=int)
    assert key["expiration"] == int((clock.now().timestamp() + 10 * 86400) * 1000)
    read = one.get(f"/v2/apikeys/{key['id']}").json["data"]
    assert "secret" not in read
    body = {"description": "tf", "enabled": False, "roles": ["Scanner"], "group_id": 0}
    assert one.put(f"/v2/apikeys/{key['id']}", body).status == 204
    listed = one.get("/v2/apikeys?limit=1").json
    assert listed["meta"] == {"count": 1, "next_offset": None}
    assert listed["data"][0]["enabled"] is False
    unknown = one.post("/v2/apikeys", {"description": "x", "system_key": True})
    assert (unknown.status, unknown.json["errors"][0]["value"]) == (422, "data.system_key")
    assert one.delete(f"/v2/apikeys/{key['id']}").status == 200


def test_groups_and_who_is_in_them(one: Caller) -> None:
    group = one.post("/v2/groups", {"name": "tf"}).json["data"]
    user = {"email": "tf@example.com", "account_admin": False, "csp_roles": ["Scanner"], "mfa_enabled": False}
    made = one.post("/v2/users", user).json["data"]
    joining = {"action": "adding", "user_id": made["id"], "group_admin": True}
    assert one.put(f"/v2/groups/{group['id']}", joining).status in WRITTEN
    plain = one.get(f"/v2/users/{made['id']}").json["data"]
    assert plain["csp_roles"] is None
    assert "groups" not in plain
    whole = one.get(f"/v2/users/{made['id']}?expand=csproles,group").json["data"]
    assert whole["csp_roles"] == ["Scanner"]
    assert {each["name"]: each["group_admin"] for each in whole["groups"]} == {"Default": False, "tf": True}
    assert one.put(f"/v2/groups/{group['id']}", {"action": "removing", "user_id": made["id"]}).status in WRITTEN
    assert one.delete("/api/v2/access_management/roles/Scanner").status in (400, 403)
    assert one.delete(f"/v2/users/{made['id']}").status in (200, 204)
    assert one.delete(f"/v2/groups/{group['id']}").status in (200, 204)


def test_single_sign_on(one: Caller) -> None:
    for path in ("SAMLSettings/SAMLSettings", "OIDCSettings/OIDCSettings", "OIDCSettings/OpenIdSettings"):
        document = one.get(f"/api/v1/settings/{path}").json
        typed(document, enabled=bool, role_mapping=dict, user_role=str)
        mapped = {**document, "enabled": True, "role_mapping": {"Scanner": ["ci"]}}
        assert one.put(f"/api/v1/settings/{path}", mapped).status in (200, 204)
        assert one.get(f"/api/v1/settings/{path}").json["role_mapping"] == {"Scanner": ["ci"]}
    states = one.get("/api/v2/integrationsEnabledState").json
    assert states == {"OIDCSettings": True, "OpenIdSettings": True, "SAMLSettings": True}


def test_response_policies(one: Caller) -> None:
    path = "/api/v2/response_policies"
    made = one.post(path, {"title": "tf", "enabled": True, "trigger": {"predefined": "x"}, "outputs": []})
    assert made.status in (200, 201)
    typed(made.json, id=int, created_at=int, last_update=int, outputs=list)
    page = one.get(f"{path}?page=1&page_size=10&scope=&title=tf").json
    typed(page, page=int, page_size=int, scope=str, title=str, pagination_data=bool)
    assert [each["title"] for each in page["data"]] == ["tf"]
    ident = made.json["id"]
    assert one.put(f"{path}/{ident}/status", {"enabled": False}).status in WRITTEN
    assert one.get(f"{path}/{ident}").json["enabled"] is False


def test_an_image_is_registered_scanned_judged_and_forgotten(one: Caller) -> None:
    named = {"registry": "Docker Hub", "repository": "library/tf", "tag": "1"}
    path = "/api/v2/images/Docker Hub/library/tf/1"
    assert one.post("/api/v1/images", {"images": [named]}).status in WRITTEN
    assert one.post("/api/v1/images/rescan", {"full_rescan": True, "images": [named]}).status in (201, 204)
    read = one.get(path).json
    typed(read, image_uid=int, vulns_found=int, labels=list, metadata=dict, history=list, assurance_results=dict)
    assert read["scan_status"] not in ("pending", "in_progress")
    assert one.post("/api/v1/images/disallow", {"comment": "no", "images": [named]}).status in (201, 204)
    assert (one.get(path).json["blacklisted"], one.get(path).json["disallowed"]) == (True, True)
    assert one.post("/api/v1/images/allow", {"comment": "yes", "images": [named]}).status in (201, 204)
    assert (one.get(path).json["whitelisted"], one.get(path).json["disallowed"]) == (True, False)
    assert one.delete(path).status == 204
    assert refused(one.get(path))


def test_the_findings_of_an_image(one: Caller) -> None:
    query = "include_vpatch_info=true&show_negligible=true&hide_base_image=false"
    where = "image_name=payments/api:1.4&registry_name=Harbor%20Prod"
    page = one.get(f"/api/v2/risks/vulnerabilities?page=1&pagesize=50&{query}&{where}").json
    typed(page, count=int, page=int, pagesize=int, more_data_all_pages=int)
    assert page["count"] == len(page["result"]) > 0
    for row in page["result"]:
        typed(row, name=str, aqua_score=(int, float), aqua_severity=str, ack_expiration_days=int, resource=dict)
        typed(row, first_found_date=str, v_patch_policy_enforce=bool, audit_events_count=int, permission=str)
        typed(row["resource"], name=str, version=str, licenses=list, path=str)


def test_serverless_projects(one: Caller) -> None:
    path = "/api/v2/serverless/projects"
    assert one.post(path, {"name": "tf", "compute_provider": 1, "password": "secret"}).status in WRITTEN
    read = one.get(f"{path}/tf").json
    typed(read, lastupdate=int, auto_pull_max=int, include_tags=list, scanner_name=list)
    assert not read.get("password")
    assert one.put(f"{path}/tf", {"name": "tf", "compute_provider": 1}).status in WRITTEN
    assert one.delete(f"{path}/tf").status in WRITTEN


def test_suppression_rules_on_the_edge_host(one: Caller) -> None:
    path = "/v2/build/suppressionsV2"
    made = one.post(path, {"name": "tf", "enable": True, "application_scopes": ["Global"], "controls": []})
    assert made.status in WRITTEN
    found = one.get(f"{path}?page=1&page_size=10&order_by=name&type=suppression").json
    typed(found, current_page=int, next_page=int, returned_count=int, total_count=int, data=list)
    (rule,) = [each for each in found["data"] if each["name"] == "tf"]
    assert one.get(f"/supply_chain{path}/{rule['policy_id']}").json["name"] == "tf"
    assert one.delete(f"{path}/{rule['policy_id']}").status in (200, 202, 204)
