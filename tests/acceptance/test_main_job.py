"""The main job, end to end: validate, plan, apply, plan again, drift, and what is refused on the way."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from acceptance.policy_repository import PolicyRepository, Ran, example_repository, new_repository

from policysync.emulator.embedded import Local, embedded
from policysync.emulator.settings import Settings
from policysync.kinds.load import load_kinds

CUSTOM = "policies/base/assurance/image-custom.yaml"
POLICY = "Example_Customer_Custom_Image_assurancePolicy"


class Console:
    """The embedded console of a stage, changed by hand through its own API."""

    def __init__(self, repository: PolicyRepository, name: str, schemas: tuple[Path, ...] = ()) -> None:
        self.local: Local = embedded(
            repository.root / ".policysync" / "consoles" / f"{name}.sqlite", load_kinds(schemas)
        )
        settings = Settings()
        _, login = self.call("POST", "/api/v1/login", {"id": settings.user, "password": settings.password})
        self.token = login["token"]

    def call(self, method: str, path: str, body: object = None) -> tuple[int, dict[str, object]]:
        """Call the console and return the status and the JSON of the answer."""
        headers = {"Content-Type": "application/json"}
        if hasattr(self, "token"):
            headers["Authorization"] = f"Bearer {self.token}"
        status, _, answer = self.local(method, path, headers, b"" if body is None else json.dumps(body).encode())
        return status, json.loads(answer) if answer else {}

    def edit(self, path: str, **fields: object) -> None:
        """Change fields of an object, as the web pages do: read, change, write back."""
        _, live = self.call("GET", path)
        status, _ = self.call("PUT", path, {**live, **fields})
        assert status < 300

    def close(self) -> None:
        self.local.close()


@pytest.fixture
def repository(tmp_path: Path) -> PolicyRepository:
    return example_repository(tmp_path / "team")


def test_a_fresh_console_is_planned_applied_and_then_in_sync(repository: PolicyRepository) -> None:
    planned = repository.run("plan", "--stage", "dev", "--detailed-exitcode")
    assert planned.status == 2
    assert planned.out.rstrip().splitlines()[-1].startswith("Plan: ")
    assert f"+ ImageAssurancePolicy/{POLICY}" in planned.out
    assert "~ ImageAssurancePolicy/Default" in planned.out

    applied = repository.run("apply", "--stage", "dev", "--yes")
    assert applied.status == 0, applied.err
    assert " failed" not in applied.out

    again = repository.run("plan", "--stage", "dev", "--detailed-exitcode")
    assert (again.status, again.out.rstrip().splitlines()[-1]) == (
        0,
        "No changes. Plan: 0 to add, 0 to change, 0 to destroy.",
    )
    assert repository.run("drift", "--stage", "dev").status == 0


@pytest.mark.parametrize("stage", ["nonprod", "prod"])
def test_every_stage_of_the_example_converges(repository: PolicyRepository, stage: str) -> None:
    repository.release(stage)
    assert repository.run("apply", "--stage", stage, "--yes").status == 0
    assert repository.run("plan", "--stage", stage, "--detailed-exitcode").status == 0


def test_the_custom_policy_has_its_five_controls_and_no_others(repository: PolicyRepository) -> None:
    assert repository.run("apply", "--stage", "dev", "--yes").status == 0
    console = Console(repository, "dev")
    _, live = console.call("GET", f"/api/v2/assurance_policy/image/{POLICY}")
    console.close()
    on = {name for name, value in live.items() if value is True}
    actions = {"audit_on_failure", "block_failed", "fail_cicd", "enabled"}
    assert on - actions == {
        "disallow_malware",
        "scan_sensitive_data",
        "only_none_root_users",
        "maximum_score_enabled",
        "cvss_severity_enabled",
        "custom_severity_enabled",
    }
    assert (live["maximum_score"], live["cvss_severity"]) == (0, "high")


def test_an_edit_by_hand_is_drift_and_apply_heals_it(repository: PolicyRepository) -> None:
    assert repository.run("apply", "--stage", "dev", "--yes").status == 0
    console = Console(repository, "dev")
    console.edit(f"/api/v2/assurance_policy/image/{POLICY}", disallow_malware=False)

    drift = repository.run("drift", "--stage", "dev")
    assert drift.status == 2
    assert "disallow_malware: true → false  (drift, looser)" in drift.out

    healed = repository.run("plan", "--stage", "dev")
    assert "disallow_malware: false → true  (drift, stricter)" in healed.out
    assert repository.run("apply", "--stage", "dev", "--yes").status == 0
    assert console.call("GET", f"/api/v2/assurance_policy/image/{POLICY}")[1]["disallow_malware"] is True
    console.close()


def test_both_sides_moved_is_a_conflict(repository: PolicyRepository) -> None:
    assert repository.run("apply", "--stage", "dev", "--yes").status == 0
    console = Console(repository, "dev")
    console.edit(f"/api/v2/assurance_policy/image/{POLICY}", cvss_severity="low")
    console.close()
    repository.replace(CUSTOM, "cvss_severity: high", "cvss_severity: medium")
    assert 'cvss_severity: "low" → "medium"  (conflict, looser)' in repository.run("plan", "--stage", "dev").out


def test_a_deleted_file_deletes_only_with_prune(repository: PolicyRepository) -> None:
    assert repository.run("apply", "--stage", "dev", "--yes").status == 0
    (repository.root / CUSTOM).unlink()
    kept = repository.run("plan", "--stage", "dev", "--detailed-exitcode")
    assert kept.status == 0
    assert f"kept: ImageAssurancePolicy/{POLICY}" in kept.out
    pruned = repository.run("apply", "--stage", "dev", "--prune", "--yes")
    assert pruned.status == 0, pruned.err
    console = Console(repository, "dev")
    assert console.call("GET", f"/api/v2/assurance_policy/image/{POLICY}")[0] == 404
    console.close()
    assert repository.run("plan", "--stage", "dev", "--prune", "--detailed-exitcode").status == 0


def test_built_ins_are_never_deleted(tmp_path: Path) -> None:
    repository = new_repository(tmp_path / "built-in")
    repository.write("policysync.yaml", MANY)
    repository.write("policies/base/labels.yaml", label("pci"))
    repository.write(
        "policies/base/default.yaml",
        "apiVersion: policysync/v1\nkind: ImageAssurancePolicy\nmetadata: {name: Default}\n"
        "spec: {application_scopes: [Global], disallow_malware: true}\n",
    )
    repository.commit()
    assert repository.run("apply", "--stage", "dev", "--yes").status == 0
    (repository.root / "policies/base/default.yaml").unlink()
    pruned = repository.run("plan", "--stage", "dev", "--prune", "--detailed-exitcode")
    assert pruned.status == 0, pruned.out
    assert "kept: ImageAssurancePolicy/Default" in pruned.out


def test_a_saved_plan_is_applied_as_it_was_reviewed(repository: PolicyRepository) -> None:
    assert repository.run("plan", "--stage", "dev", "--out", "plan.json").status == 0
    repository.replace(CUSTOM, "cvss_severity: high", "cvss_severity: low")
    repository.commit("moved on after the review")
    applied = repository.run("apply", "--stage", "dev", "plan.json")
    assert applied.status == 0, applied.err
    console = Console(repository, "dev")
    assert console.call("GET", f"/api/v2/assurance_policy/image/{POLICY}")[1]["cvss_severity"] == "high"
    console.close()


def test_a_saved_plan_is_stale_when_live_moved(repository: PolicyRepository) -> None:
    assert repository.run("apply", "--stage", "dev", "--yes").status == 0
    repository.replace(CUSTOM, "cvss_severity: high", "cvss_severity: medium")
    repository.commit("stricter")
    assert repository.run("plan", "--stage", "dev", "--out", "plan.json").status == 0
    console = Console(repository, "dev")
    console.edit(f"/api/v2/assurance_policy/image/{POLICY}", description="by hand")
    stale = repository.run("apply", "--stage", "dev", "plan.json")
    assert stale.status == 4
    assert f"update:ImageAssurancePolicy/{POLICY}: live moved" in stale.err
    assert console.call("GET", f"/api/v2/assurance_policy/image/{POLICY}")[1]["cvss_severity"] == "high"
    console.close()


def test_an_edited_plan_file_is_refused(repository: PolicyRepository) -> None:
    assert repository.run("plan", "--stage", "dev", "--out", "plan.json").status == 0
    repository.replace("plan.json", '"cvss_severity"', '"cvss_severitx"')
    refused = repository.run("apply", "--stage", "dev", "plan.json")
    assert refused.status == 1
    assert "edited after it was saved" in refused.err


def test_deleting_too_much_is_refused_and_can_be_allowed(tmp_path: Path) -> None:
    repository = new_repository(tmp_path / "labels")
    repository.write("policysync.yaml", MANY)
    repository.write("policies/base/labels.yaml", "\n---\n".join(label(f"label-{i}") for i in range(20)))
    repository.commit()
    assert repository.run("apply", "--stage", "dev", "--yes").status == 0
    repository.write("policies/base/labels.yaml", label("label-0"))
    repository.commit()
    refused = repository.run("apply", "--stage", "dev", "--yes", "--prune")
    assert refused.status == 3
    assert "too-many-deletes: would delete 19 of 20 managed resources" in refused.err
    assert repository.run("apply", "--stage", "dev", "--yes", "--prune", "--allow", "too-many-deletes").status == 0


def test_nobody_there_to_ask(repository: PolicyRepository) -> None:
    ran = repository.run("apply", "--stage", "dev")
    assert ran.status == 1
    assert "give --yes" in ran.err


def test_a_new_kind_is_one_schema_file_and_no_python(tmp_path: Path) -> None:
    repository = new_repository(tmp_path / "widgets")
    repository.write("policysync.yaml", MANY + "schemas: [schemas]\n")
    repository.write("schemas/widget.json", json.dumps(WIDGET))
    repository.write(
        "policies/base/widget.yaml",
        "apiVersion: policysync/v1\nkind: Widget\nmetadata: {name: a widget}\nspec: {teeth: 3, tags: [b, a]}\n",
    )
    repository.commit()
    planned = repository.run("plan", "--stage", "dev", "--format", "json")
    assert [change["id"] for plan in planned.json()["plans"] for wave in plan["waves"] for change in wave] == [
        "create:Widget/a widget"
    ]
    assert repository.run("apply", "--stage", "dev", "--yes").status == 0
    console = Console(repository, "dev", (repository.root / "schemas",))
    _, live = console.call("GET", "/api/v2/widgets/a%20widget")
    console.close()
    assert (live["teeth"], sorted(str(tag) for tag in live["tags"])) == (3, ["a", "b"])  # type: ignore[attr-defined]
    assert repository.run("plan", "--stage", "dev", "--detailed-exitcode").status == 0


def test_outside_git_there_is_no_ledger_and_it_says_so(tmp_path: Path) -> None:
    repository = PolicyRepository(tmp_path / "plain")
    repository.write("policysync.yaml", MANY)
    repository.write("policies/base/labels.yaml", label("pci"))
    planned = repository.run("plan", "--stage", "dev")
    assert planned.status == 0, planned.err
    assert "there is no ledger" in planned.out
    assert repository.run("apply", "--stage", "dev", "--yes").status == 0
    assert repository.run("plan", "--stage", "dev", "--detailed-exitcode").status == 0


def test_only_select_and_exclude(repository: PolicyRepository) -> None:
    def changed(*args: str) -> set[str]:
        plans = repository.run("plan", "--stage", "dev", "--format", "json", *args).json()["plans"]
        return {f"{c['kind']}/{c['name']}" for plan in plans for wave in plan["waves"] for c in wave}

    assert changed("--only", f"ImageAssurancePolicy/{POLICY}") == {f"ImageAssurancePolicy/{POLICY}"}
    assert all(name.startswith("Label/") for name in changed("--only", "Label/*"))
    assert not any(name.startswith("Label/") for name in changed("--exclude", "Label/*"))
    assert f"ImageAssurancePolicy/{POLICY}" in changed("--select", "customer=example")


def test_a_mistake_is_shown_with_its_place_and_nothing_is_written(repository: PolicyRepository) -> None:
    repository.replace(CUSTOM, "block_failed: true", "block_faild: true")
    for args in (("validate",), ("plan", "--stage", "dev"), ("apply", "--stage", "dev", "--yes")):
        ran: Ran = repository.run(*args)
        assert ran.status == 1
        assert f"{CUSTOM}:" in ran.err + ran.out
        assert "block_failed" in ran.err + ran.out
    assert not (repository.root / ".policysync" / "consoles").exists()


MANY = """\
version: 1
stages:
  - name: dev
    targets:
      - {name: dev-console, backend: aqua, url: "embedded:dev"}
"""


def label(name: str) -> str:
    return f"apiVersion: policysync/v1\nkind: Label\nmetadata: {{name: {name}}}\nspec: {{description: {name}}}\n"


WIDGET = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Widget",
    "description": "Something that nobody has written a line of Python for.",
    "x-kind": {"name": "Widget", "backend": "aqua", "key": "name"},
    "x-api": {
        "base": "console",
        "noun": "widget",
        "id": "name",
        "list": {"method": "GET", "path": "/api/v2/widgets", "success": [200], "paging": "count", "bodies": "full"},
        "get": {"method": "GET", "path": "/api/v2/widgets/{id}", "success": [200], "missing": [404]},
        "create": {"method": "POST", "path": "/api/v2/widgets", "success": [201], "canonical": 201, "answer": "object"},
        "update": {"method": "PUT", "path": "/api/v2/widgets/{id}", "success": [204], "canonical": 204},
        "delete": {"method": "DELETE", "path": "/api/v2/widgets/{id}", "success": [204], "canonical": 204},
    },
    "type": "object",
    "additionalProperties": False,
    "required": ["teeth"],
    "properties": {
        "name": {"type": "string"},
        "teeth": {"type": "integer", "default": 0, "x-stricter": "higher"},
        "tags": {"type": "array", "items": {"type": "string"}, "default": [], "x-set": True},
    },
}
