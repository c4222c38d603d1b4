"""What a new console holds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from unit.emulator.caller import Caller

from policysync.emulator.embedded import embedded
from policysync.kinds.load import load_kinds


@pytest.fixture(scope="module")
def one() -> Iterator[Caller]:
    local = embedded(None, load_kinds())
    yield Caller(local)
    local.close()


def names(one: Caller, target: str) -> set[str]:
    found: Any = one.get(target).json
    return {item["name"] for item in (found if isinstance(found, list) else found["result"])}


@pytest.mark.parametrize("sort", ["image", "host", "function", "kubernetes", "cf_application"])
def test_every_assurance_type_has_a_default_without_controls(one: Caller, sort: str) -> None:
    body = one.get(f"/api/v2/assurance_policy/{sort}/Default").json
    assert (body["audit_on_failure"], body["block_failed"], body["application_scopes"]) == (True, True, ["Global"])
    assert body["fail_cicd"] is (sort != "kubernetes")
    assert not [name for name, value in body.items() if name.endswith("_enabled") and value]
    assert one.delete(f"/api/v2/assurance_policy/{sort}/Default").status == 400


def test_runtime_policies(one: Caller) -> None:
    found = names(one, "/api/v2/runtime_policies")
    assert {"Aqua default runtime policy", "Aqua default host runtime policy", "CIS"} <= found
    body = one.get("/api/v2/runtime_policies/Aqua%20default%20runtime%20policy").json
    assert (body["enabled"], body["enforce"], body["is_ootb_policy"], body["author"]) == (True, False, True, "system")
    assert body["enable_crypto_mining_dns"]
    assert body["block_fileless_exec"]
    assert all(body[block]["enabled"] for block in ("drift_prevention", "restricted_volumes", "bypass_scope"))
    host = one.get("/api/v2/runtime_policies/Aqua%20default%20host%20runtime%20policy").json
    assert (host["runtime_type"], host["audit_brute_force_login"]) == ("host", True)


def test_one_policy_is_the_products_own(one: Caller) -> None:
    bodies = one.get("/api/v2/runtime_policies").json["result"]
    own = [body for body in bodies if body["is_auto_generated"]]
    assert [body["name"] for body in own] == ["vShield CVE-2021-44228 log4j-core"]


def test_access_management(one: Caller) -> None:
    assert names(one, "/api/v2/access_management/scopes") == {"Global"}
    assert {"Administrator", "Auditor", "Scanner"} <= names(one, "/api/v2/access_management/permissions")
    assert {"Administrator", "Auditor", "Scanner"} <= names(one, "/api/v2/access_management/roles")
    assert one.get("/api/v2/access_management/permissions/Administrator").json["is_super"] is True
    auditor = one.get("/api/v2/access_management/permissions/Auditor").json
    assert all(action.endswith(".read") for action in auditor["actions"])
    role = one.get("/api/v2/access_management/roles/Auditor").json
    assert (role["permission"], role["scopes"]) == ("Auditor", ["Global"])


def test_the_global_scope_is_not_changed(one: Caller) -> None:
    refused = one.put("/api/v2/access_management/scopes/Global", {"name": "Global"})
    assert (refused.status, refused.message) == (403, "application scope Global is built in and cannot be changed")


def test_registries_and_firewall(one: Caller) -> None:
    assert "Docker Hub" in names(one, "/api/v1/registries")
    assert one.get("/api/v1/registries/Docker%20Hub").json["type"] == "HUB"
    assert names(one, "/api/v2/firewall_policies") == {"default"}
