"""Calls outside the five, over the product's own kinds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from unit.emulator.caller import Caller

from policysync.clock import FakeClock
from policysync.emulator.embedded import embedded
from policysync.kinds.load import load_kinds

RESPONSE = "/api/v2/response_policies"
NEW = {"title": "t", "trigger": {"predefined": "Incidents with critical severity"}}


@pytest.fixture
def one(clock: FakeClock) -> Iterator[Caller]:
    local = embedded(None, load_kinds(), clock=clock)
    yield Caller(local)
    local.close()


def test_one_list_for_every_assurance_type(one: Caller) -> None:
    one.post("/api/v2/assurance_policy/host", {"name": "nodes"})
    page = one.get("/api/v2/assurance_policy?order_by=-name&pagesize=2").json
    assert (page["count"], [item["name"] for item in page["result"]]) == (6, ["nodes", "Default"])
    everything = one.get("/api/v2/assurance_policy").json["result"]
    assert {item["assurance_type"] for item in everything} == {
        "image",
        "host",
        "function",
        "kubernetes",
        "cf_application",
    }


def test_identifiers_only_trims_the_bodies(one: Caller) -> None:
    item = one.get("/api/v2/assurance_policy?identifiers_only=true").json["result"][0]
    assert {"id", "name", "assurance_type"} <= set(item)
    assert "scope" not in item


def test_a_response_policy_is_switched_by_a_call_of_its_own(one: Caller, clock: FakeClock) -> None:
    made = one.post(RESPONSE, NEW).json
    assert made["enabled"] is False
    clock.sleep(5)
    assert one.put(f"{RESPONSE}/{made['id']}/status", {"enabled": True}).status == 200
    after = one.get(f"{RESPONSE}/{made['id']}").json
    assert (after["enabled"], after["title"]) == (True, "t")
    assert after["last_update"] == made["last_update"] + 5


@pytest.mark.parametrize("body", [b"", b"[]", {}, {"enabled": "yes"}])
def test_a_status_needs_a_boolean(one: Caller, body: object) -> None:
    made = one.post(RESPONSE, NEW).json
    assert one.put(f"{RESPONSE}/{made['id']}/status", body).status == 400
    assert one.put(f"{RESPONSE}/999/status", {"enabled": True}).status == 404


@pytest.mark.parametrize("target", [RESPONSE, f"{RESPONSE}/"])
def test_deleting_without_an_id_deletes_them_all(one: Caller, target: str) -> None:
    for title in ("a", "b"):
        one.post(RESPONSE, {**NEW, "title": title})
    assert one.delete(target).status == 204
    assert one.get(RESPONSE).json["data"] == []


def test_the_choices_for_response_policies(one: Caller) -> None:
    configs = one.get(f"{RESPONSE}/configs").json
    assert NEW["trigger"] == {"predefined": configs["triggers"][0]["name"]}
    assert set(configs["input"]) == {"asset_types", "attributes", "operations"}


def test_what_nobody_put_there_is_empty(one: Caller) -> None:
    assert one.get("/api/v2/images?pagesize=10").json == {
        "count": 0,
        "page": 1,
        "pagesize": 10,
        "page_size": 10,
        "more_data_all_pages": 0,
        "is_estimated_count": False,
        "result": [],
    }
    assert one.get("/api/v2/images?page_size=20").json["pagesize"] == 20
    assert one.get("/api/v2/risks/vulnerabilities").json["result"] == []
    assert one.get("/api/v2/hub/inventory/assets/images/list/count").json == {"count": 0}
    assert [gateway["status"] for gateway in one.get("/api/v1/servers").json] == ["connect"]
