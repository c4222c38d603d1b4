"""The demonstration: what its images hold, what policies say of them, and how clients get at it."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from unit.emulator.caller import Caller

from policysync.clock import FakeClock
from policysync.emulator.embedded import embedded
from policysync.emulator.seed import find_seed
from policysync.errors import InvalidInput
from policysync.kinds.load import load_kinds

FINDINGS = "/api/v2/risks/vulnerabilities"
HUB = "/api/v2/hub/inventory/assets/images/list"
API = "/api/v2/images/Harbor%20Prod/payments%2Fapi/1.4"


@pytest.fixture
def one() -> Iterator[Caller]:
    local = embedded(None, load_kinds(), seed=find_seed("demo"), clock=FakeClock())
    yield Caller(local)
    local.close()


def count(one: Caller, path: str, **query: str) -> int:
    text = "&".join(f"{name}={quote(value)}" for name, value in query.items())
    return int(one.get(f"{path}?{text}").json["count"])


def checks(one: Caller, path: str) -> dict[tuple[str, str], bool]:
    results = one.get(path).json["assurance_results"]
    return {(c["policy_name"], c["control"]): c.get("failed", False) for c in results["checks_performed"]}


def test_there_are_some_twenty_images_in_four_registries(one: Caller) -> None:
    listed = one.get("/api/v2/images?pagesize=100").json["result"]
    assert len(listed) == 22
    assert {image["registry"] for image in listed} == {"Harbor Prod", "ECR Payments", "ACR Storefront", "Docker Hub"}
    assert all("assurance_results" not in image for image in listed)


def test_an_image_is_judged_by_the_policies_there_are(one: Caller) -> None:
    failed = {check for check, bad in checks(one, API).items() if bad}
    assert failed == {(n, c) for n in ("payments-images",) for c in ("max_severity", "sensitive_data", "root_user")}
    assert one.get(API).json["disallowed"] is True
    ledger = checks(one, "/api/v2/images/Harbor%20Prod/payments/ledger/3.2.0")
    assert ledger["no-log4shell", "cve_blacklist"]
    assert not checks(one, "/api/v2/images/Harbor%20Prod/payments/api/1.5")["payments-images", "root_user"]


def test_the_counters_of_an_image_are_those_of_its_findings(one: Caller) -> None:
    image = one.get(API).json
    rows = one.get(f"{API}/vulnerabilities?pagesize=100").json["result"]
    assert (
        image["vulns_found"]
        == len(rows)
        == sum(image[f"{level}_vulns"] for level in ("crit", "high", "med", "low", "neg"))
    )
    assert image["crit_vulns"] == sum(row["aqua_severity"] == "critical" for row in rows)
    assert len({(row["scan_resource_id"], row["name"]) for row in rows}) == len(rows)
    assert one.get(f"{API}/sensitive").json["count"] == image["sensitive_data"] == 1
    assert one.get(f"{API}/malware").json["count"] == 0
    assert one.get(f"{API}/history_layers").json["count"] == len(image["history"])
    assert one.get(f"{API}/scan_history").json["result"][0]["scan_status"] == "finished"


def test_a_digest_stands_in_for_a_tag(one: Caller) -> None:
    digest = one.get(API).json["digest"]
    assert one.get(f"/api/v2/images/Harbor%20Prod/payments%2Fapi/@{digest}").json["tag"] == "1.4"
    assert one.get("/api/v2/images/Harbor%20Prod/payments%2Fapi/@sha256:0").status == 404


def test_a_changed_policy_counts_from_the_next_scan_on(one: Caller) -> None:
    path = "/api/v2/assurance_policy/image/payments-images"
    one.put(path, {**one.get(path).json, "only_none_root_users": False, "scan_sensitive_data": False})
    assert ("payments-images", "root_user") in checks(one, API)
    named = {"registry": "Harbor Prod", "repository": "payments/api", "tag": "1.4"}
    assert one.post("/api/v1/images/rescan", {"images": [named]}).status == 201
    assert ("payments-images", "root_user") not in checks(one, API)
    assert one.get(f"{API}/scan_history").json["count"] == 2


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ({"severities": "critical,high"}, lambda row: row["aqua_severity"] in ("critical", "high")),
        ({"registry_name": "Docker Hub"}, lambda row: row["registry"] == "Docker Hub"),
        ({"image_name": "payments/api:1.4", "image_name_exact_match": "true"}, lambda r: r["image_name"][-3:] == "1.4"),
        ({"image_name": "payments/api"}, lambda row: row["image_repository_name"] == "payments/api"),
        ({"fix_availability": "true"}, lambda row: bool(row["fix_version"])),
        ({"fix_availability": "false"}, lambda row: not row["fix_version"]),
        ({"has_workloads": "false"}, lambda row: row["num_running_workloads"] == 0),
        ({"cluster": "prod-eu"}, lambda row: row["cluster"] == "prod-eu"),
        ({"namespace_names": "payments,ops"}, lambda row: row["name_space"] in ("payments", "ops")),
        ({"acknowledge_status": "true"}, lambda row: row["ack_comment"] == "the archive tool is never run"),
        ({"text_search": "LOG4J"}, lambda row: row["resource"]["name"] == "log4j-core"),
        ({"show_negligible": "false"}, lambda row: row["aqua_severity"] != "negligible"),
        ({"hide_base_image": "true"}, lambda row: not row["base_image_vulnerability"]),
        ({"scope": "payments"}, lambda row: row["image_repository_name"].startswith("payments/")),
        ({"scope": "storefront"}, lambda row: row["registry"] == "ACR Storefront"),
        ({"exploit_type": "dos"}, lambda row: row["exploit_type"] == "dos"),
    ],
    ids=lambda given: None if callable(given) else str(given),
)
def test_findings_are_filtered(one: Caller, query: dict[str, str], holds: Any) -> None:
    text = "&".join(f"{name}={quote(value)}" for name, value in query.items())
    rows = one.get(f"{FINDINGS}?pagesize=1000").json["result"]
    found = one.get(f"{FINDINGS}?pagesize=1000&{text}").json["result"]
    assert 0 < len(found) < len(rows)
    assert len(found) == sum(bool(holds(row)) for row in rows)


def test_a_count_may_be_left_out(one: Caller) -> None:
    assert "count" not in one.get(f"{FINDINGS}?skip_count=true").json
    assert one.get(f"{FINDINGS}?page=99").json["result"] == []


def test_the_archive_holds_the_same_rows(one: Caller) -> None:
    path = f"{FINDINGS}/exporters/images"
    wish = {"name": "Compressed CSV", "columns_name": "aqua_recommended", "filter": {"severities": "critical"}}
    token = one.post(f"{path}/export", wish).json["token"]
    assert one.get(f"{path}/jobs/{token}").json["status"] == "finished"
    packed = one.post(f"{path}/stream", {"token": token})
    assert packed.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(packed.body)) as archive:
        rows = list(csv.DictReader(io.StringIO(archive.read("aqua_export.csv").decode())))
        manifest = json.loads(archive.read("manifest.json"))
    assert len(rows) == manifest["rows"] == count(one, FINDINGS, severities="critical")
    assert {row["Aqua severity"] for row in rows} == {"critical"}
    assert one.post(f"{path}/export", {**wish, "name": "x"}).status == 500
    assert one.post(f"{path}/export", {"name": "Compressed CSV"}).status == 500
    assert one.post(f"{path}/stream", {"token": "x"}).status == 404


def test_inventory_and_its_counts(one: Caller) -> None:
    assert one.get(f"{HUB}/count").json == {"count": 22}
    assert count(one, HUB, has_workloads="true") + count(one, HUB, has_workloads="false") == 22
    assert count(one, HUB, first_found_date="over|90|days") + count(one, HUB, first_found_date="last|90|days") == 22
    assert 0 < count(one, HUB, scope="payments") < 22
    assert count(one, HUB, scope="nobody") == 0
    assert one.get("/api/v2/hub/inventory/assets/vms/list").json["count"] == 5
    assert one.get("/v2/build/repositories?page=2").json["data"] == []


def test_repositories_add_up_their_images(one: Caller) -> None:
    listed = one.get("/api/v2/repositories?include_totals=true&order_by=name&pagesize=100").json["result"]
    assert sum(each["num_images"] for each in listed) == 22
    assert [each["name"] for each in listed] == sorted(each["name"] for each in listed)
    assert one.delete("/api/v2/repositories/Harbor%20Prod/payments/api").status == 202
    assert count(one, HUB) == 20
    assert one.delete("/api/v2/repositories/Harbor%20Prod/payments/api").status == 404


def test_images_are_forgotten_by_number(one: Caller) -> None:
    uid = one.get(API).json["image_uid"]
    assert one.post("/api/v2/images/actions/delete", {"uids": [uid]}).status == 204
    assert one.get(API).status == 404
    assert one.post("/api/v2/images/actions/delete", {"uids": 1}).status == 400


def test_manual_verdicts_are_listed(one: Caller) -> None:
    listed = one.get("/api/v2/image_assurance/image_permissions").json["result"]
    assert {(each["name"], each["permission"]) for each in listed} == {
        ("storefront/search:1.12", "allow"),
        ("sandbox/fuzzer:dev", "block"),
    }


def test_totals_and_what_runs(one: Caller) -> None:
    totals = one.get("/api/v2/risks").json
    assert totals["registered_images"] == 22
    assert totals["total_vulns"] == count(one, FINDINGS)
    assert one.get("/api/v2/containers?cluster=prod-eu&namespace=payments").json["count"] > 0
    assert one.get("/api/v1/hosts?type=agent&status=connect&page=1&pagesize=1").json["count"] == 2
    assert one.get("/api/v1/scanqueue/summary").json["finished"] == 22
    assert one.get("/api/v2/licenses").json["details"]["num_active"] == 1
    assert one.get("/api/v1/settings/system/system").json["dta"]["enabled"] is False
    assert one.get("/api/v1/consoles").json[0]["status"] == "connect"


def test_scans_as_a_pipeline_asks_for_them(one: Caller) -> None:
    path = "/api/v1/scanner/registry/Harbor%20Prod/image/payments/api:1.4"
    assert one.get(f"{path}/status").json == {"status": "Scanned"}
    assert one.post(f"{path}/scan", {}).status == 201
    assert len(one.get(f"{path}/scan_result").json["cves"]) == one.get(API).json["vulns_found"]


def test_only_registered_registries_take_images(one: Caller) -> None:
    assert one.post("/api/v1/images", {"images": [{"registry": "x", "repository": "y", "tag": "z"}]}).status == 404
    assert one.post("/api/v1/images", {"images": [{"registry": "x"}]}).status == 400
    assert one.post("/api/v1/images/allow", {}).status == 400


def test_dates_are_relative_to_the_day_of_the_seed(one: Caller) -> None:
    assert one.get(API).json["scan_date"].endswith("Z")
    assert one.get(API).json["created"] < one.get(API).json["first_found_date"] < one.get(API).json["scan_date"]


def test_a_seed_by_name_and_by_folder(tmp_path: Path) -> None:
    assert find_seed("demo").is_dir()
    assert find_seed("seeds/demo").is_dir()
    assert find_seed(str(tmp_path)) == tmp_path
    assert find_seed("no such seed") == Path("no such seed")


@pytest.mark.parametrize("text", ["{", "{}", '{"vulnerabilities": {}, "images": [{}]}', "[]"])
def test_what_is_no_estate_is_said(tmp_path: Path, text: str) -> None:
    (tmp_path / "estate.json").write_text(text, encoding="utf-8")
    local = embedded(None, load_kinds(), seed=tmp_path)
    with pytest.raises(InvalidInput, match=r"estate\.json"):
        local("GET", "/api", {})
    local.close()
