"""Habits of policies and the options that change how all kinds behave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from unit.emulator.caller import Caller

from policysync.clock import FakeClock
from policysync.emulator.embedded import Local, embedded
from policysync.emulator.settings import Settings
from policysync.kinds.load import load_kinds

IMAGE = "/api/v2/assurance_policy/image"
RUNTIME = "/api/v2/runtime_policies"
FIREWALL = "/api/v2/firewall_policies"
SCRIPTS = "/api/v2/image_assurance/user_scripts"
Open = Callable[..., Caller]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def console(clock: FakeClock) -> Iterator[Open]:
    locals_: list[Local] = []

    def open_one(**options: Any) -> Caller:
        locals_.append(embedded(None, load_kinds(), settings=Settings(**options), clock=clock))
        return Caller(locals_[-1])

    yield open_one
    for local in locals_:
        local.close()


def test_only_an_enforced_runtime_policy_forgets_the_day_it_would_be(console: Open) -> None:
    one = console()
    one.post(RUNTIME, {"name": "a", "enforce": True, "enforce_after_days": 3})
    one.post(RUNTIME, {"name": "b", "enforce_after_days": 3})
    one.post(IMAGE, {"name": "c", "enforce": True, "enforce_after_days": 3})
    assert one.get(f"{RUNTIME}/a").json["enforce_after_days"] == 0
    assert one.get(f"{RUNTIME}/b").json["enforce_after_days"] == 3
    assert one.get(f"{IMAGE}/c").json["enforce_after_days"] == 3


def test_anywhere_is_spelt_out_and_the_metadata_rule_is_written(console: Open) -> None:
    one = console()
    rule = {"allow": True, "port_range": "443", "resource_type": "anywhere"}
    one.post(
        FIREWALL, {"name": "f", "block_metadata_service": True, "inbound_networks": [rule], "outbound_networks": []}
    )
    read = one.get(f"{FIREWALL}/f").json
    assert read["inbound_networks"][0]["resource"] == "0.0.0.0/0"
    assert [each["is_cloud_metadata_rule"] for each in read["outbound_networks"]] == [True]
    one.put(f"{FIREWALL}/f", read)
    assert len(one.get(f"{FIREWALL}/f").json["outbound_networks"]) == 1
    one.put(f"{FIREWALL}/f", {**read, "block_metadata_service": False})
    assert not one.get(f"{FIREWALL}/f").json["outbound_networks"]


def test_a_plain_console_leaves_rules_alone(console: Open) -> None:
    one = console(quirks="off")
    one.post(FIREWALL, {"name": "f", "block_metadata_service": True, "outbound_networks": []})
    assert one.get(f"{FIREWALL}/f").json["outbound_networks"] == []


def test_a_policy_carries_its_script_and_refuses_one_that_is_not_there(console: Open) -> None:
    one = console()
    body = [{"name": "s", "engine": "yaml", "path": "s", "kind": "image", "snippet": "text"}]
    (script,) = one.post(SCRIPTS, body).json
    one.post(IMAGE, {"name": "p", "custom_checks": [{"script_id": script["script_id"]}]})
    assert one.get(f"{IMAGE}/p").json["custom_checks"][0]["name"] == "s"
    refused = one.post(IMAGE, {"name": "q", "custom_checks": [{"script_id": "999"}]})
    assert (refused.status, refused.message) == (400, "custom_checks: script_id 999 doesn't exist")


def test_strict_refuses_what_it_does_not_know(console: Open) -> None:
    strict, kind = console(strict=True), console()
    body = {"name": "p", "cvss_severty": "high"}
    refused = strict.post(IMAGE, body)
    assert refused.status == 400
    assert refused.message == ('Failed reading policy body: code=400, message=json: unknown field "cvss_severty"')
    assert strict.post(IMAGE, {"name": "p", "scope": {"expresion": ""}}).status == 400
    assert kind.post(IMAGE, body).status == 201
    assert "cvss_severty" not in kind.get(f"{IMAGE}/p").json


def test_what_is_named_may_be_kept(console: Open) -> None:
    for references, status in (("refuse", 400), ("free", 204)):
        one = console(references=references)
        one.post("/api/v2/access_management/scopes", {"name": "web"})
        one.post(IMAGE, {"name": "p", "application_scopes": ["web"]})
        answer = one.delete("/api/v2/access_management/scopes/web")
        assert answer.status == status
        assert one.delete(f"{IMAGE}/p").status == 204


def test_new_objects_may_be_hidden_for_a_while(console: Open, clock: FakeClock) -> None:
    one = console(hidden_for=2.0)
    before = one.get(IMAGE).json["count"]
    one.post(IMAGE, {"name": "p"})
    assert one.get(f"{IMAGE}/p").status == 404
    assert one.get(IMAGE).json["count"] == before
    clock.sleep(2)
    assert one.get(f"{IMAGE}/p").status == 200
    assert one.get(IMAGE).json["count"] == before + 1


def test_the_code_of_one_call_can_be_chosen(console: Open) -> None:
    one = console(answers={"ImageAssurancePolicy.create": 204, "FirewallPolicy.update": 200})
    assert one.post(IMAGE, {"name": "p"}).status == 204
    one.post(FIREWALL, {"name": "f"})
    assert one.put(f"{FIREWALL}/f", {"name": "f"}).status == 200


def test_lists_are_narrowed(console: Open) -> None:
    one = console()
    one.post(IMAGE, {"name": "web", "description": "the Shop", "application_scopes": ["web"]})
    assert [each["name"] for each in one.get(f"{IMAGE}?text_search=shop").json["result"]] == ["web"]
    assert [each["name"] for each in one.get(f"{IMAGE}?scope=web").json["result"]] == ["web"]
    assert one.get(f"{IMAGE}?scope=nobody").json["count"] == 0
    assert one.get(f"{IMAGE}?unheard=of").json["count"] == 2
    issue = {"issue_type": "vulnerability", "issue_name": "CVE-1", "resource_type": "package", "resource_name": "tar"}
    one.post("/api/v2/risks/acknowledge", {"comment": "c", "issues": [issue]})
    found = one.get("/api/v2/risks/acknowledge?text_search=TAR").json["result"]
    assert [each["issue_name"] for each in found] == ["CVE-1"]
