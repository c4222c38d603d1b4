"""`policysync diff`, end to end."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from acceptance.console_by_hand import by_hand
from acceptance.policy_repository import PolicyRepository, quick_repository
from acceptance.stages import LABEL_FILE, OVERLAY_FILE, applied, release, two_stages

CONFIGURATION = """\
version: 1
stages:
  - name: dev
    targets:
      - {name: dev-console, backend: aqua, url: "embedded:dev"}
    vars: {host: harbor.dev.example.com}
  - name: prod
    targets:
      - {name: prod-eu, backend: aqua, url: "embedded:eu"}
      - {name: prod-us, backend: aqua, url: "embedded:us"}
    vars: {host: harbor.example.com}
"""
REGISTRY = """\
apiVersion: policysync/v1
kind: Registry
metadata: {name: harbor}
spec: {type: V2, url: "https://${var.host}", password: "${env:HARBOR_PASSWORD}"}
"""
POLICY = """\
apiVersion: policysync/v1
kind: ImageAssurancePolicy
metadata: {name: strict}
spec: {application_scopes: [Global], maximum_score_enabled: true, maximum_score: 7}
"""
OVERLAY = """\
apiVersion: policysync/v1
kind: ImageAssurancePolicy
metadata: {name: strict}
spec: {maximum_score: 5}
"""
POLICY_FILE = "policies/base/strict.yaml"
HEAD = "apiVersion: policysync/v1\nkind: Label\n"


@pytest.fixture
def repository(tmp_path: Path) -> PolicyRepository:
    repository = quick_repository(tmp_path / "team")
    repository.write("policysync.yaml", CONFIGURATION)
    repository.write(POLICY_FILE, POLICY)
    repository.write("policies/base/harbor.yaml", REGISTRY)
    repository.write("policies/stages/prod/strict.yaml", OVERLAY)
    repository.release("prod")
    return repository


def test_two_stages(repository: PolicyRepository) -> None:
    found = repository.run("diff", "stage:dev", "stage:prod")
    assert found.status == 2, found.err
    assert "~ ImageAssurancePolicy/strict  (stricter)" in found.out
    assert "~ maximum_score: 7 → 5  (stricter)" in found.out
    assert '~ url: "https://harbor.dev.example.com" → "https://harbor.example.com"' in found.out
    assert found.out.rstrip().endswith("Differences: 0 added, 2 changed, 0 removed.")
    back = repository.run("diff", "stage:prod", "stage:dev")
    assert "~ maximum_score: 5 → 7  (looser)" in back.out


def test_a_stage_is_like_itself(repository: PolicyRepository) -> None:
    same = repository.run("diff", "stage:dev", "stage:dev:desired")
    assert (same.status, same.err) == (0, "")
    assert same.out.rstrip().endswith("No differences.")


def test_two_revisions(repository: PolicyRepository) -> None:
    repository.write(POLICY_FILE, POLICY.replace("enabled: true", "enabled: false"))
    repository.write(
        "policies/base/label.yaml", "apiVersion: policysync/v1\nkind: Label\nmetadata: {name: l}\nspec: {}\n"
    )
    repository.write("policies/base/harbor.yaml", REGISTRY.replace("HARBOR_PASSWORD", "OTHER"))
    repository.commit()
    found = repository.run("diff", "rev:HEAD~1", "rev:HEAD", "--format", "json")
    assert found.status == 2, found.err
    changes = {change["name"]: change for change in found.json()["changes"]}
    assert changes["strict"]["posture"] == "looser"
    assert changes["l"]["action"] == "create"
    assert (
        changes["harbor"]["edits"]
        == [
            {
                "path": ["password"],
                "before": "${env:HARBOR_PASSWORD}",
                "after": "${env:OTHER}",
                "posture": "neutral",
            }
        ]
        or changes["harbor"]["edits"][0]["after"] == "${env:OTHER}"
    )
    prod = repository.run("diff", "rev:HEAD~1:prod", "rev:HEAD:prod")
    assert "maximum_score:" not in prod.out
    assert "maximum_score_enabled: true → false" in prod.out


def test_git_and_live(repository: PolicyRepository) -> None:
    repository.environ["HARBOR_PASSWORD"] = "canary-password"
    before = repository.run("diff", "stage:dev:live", "stage:dev")
    assert before.status == 2, before.err
    assert "+ ImageAssurancePolicy/strict" in before.out
    assert "canary" not in before.out + before.err
    assert repository.run("apply", "--stage", "dev", "--yes").status == 0
    with by_hand(repository.root) as console:
        console.edit("ImageAssurancePolicy", "strict", maximum_score=9, description="mine")
    found = repository.run("diff", "stage:dev", "stage:dev:live")
    assert found.status == 2, found.err
    assert "~ maximum_score: 7 → 9  (looser)" in found.out
    assert "mine" not in found.out
    assert "← cannot be read back" in found.out
    assert "0 unexplained" not in found.out


def test_two_consoles(repository: PolicyRepository) -> None:
    with by_hand(repository.root, "eu") as console:
        console.create("Label", {"name": "l", "description": "old"})
    with by_hand(repository.root, "us") as console:
        console.create("Label", {"name": "l", "description": "new"})
    found = repository.run("diff", "stage:prod:live@prod-eu", "stage:prod:live@prod-us")
    assert found.status == 2, found.err
    assert '~ description: "old" → "new"' in found.out
    assert "Differences: 0 added, 1 changed, 0 removed." in found.out
    several = repository.run("diff", "stage:prod:live", "stage:prod:live@prod-us")
    assert several.status == 1
    assert "want stage:prod:live@prod-eu or stage:prod:live@prod-us" in several.err


def test_files(repository: PolicyRepository, tmp_path: Path) -> None:
    export = {"name": "strict", "application_scopes": ["Global"], "maximum_score": 3, "author": "somebody"}
    repository.write("exports/image_assurance_policy/strict.json", json.dumps(export))
    path = "exports/image_assurance_policy/strict.json"
    found = repository.run("diff", POLICY_FILE, f"file:{path}")
    assert found.status == 2, found.err
    assert "~ maximum_score: 7 → 3" in found.out
    assert "author" not in found.out
    assert repository.run("diff", path, path).status == 0
    outside = PolicyRepository(tmp_path)
    assert outside.run("diff", f"team/{POLICY_FILE}", f"team/{path}").out.count("maximum_score") == 2


def test_secrets_are_masked(repository: PolicyRepository) -> None:
    for name, canary in (("a", "canary-one"), ("b", "canary-two")):
        body = {"name": "harbor", "type": "V2", "password": canary, "webhook": {"auth_token": canary}}
        repository.write(f"{name}/registry/harbor.json", json.dumps(body))
    for options in ((), ("--format", "json")):
        found = repository.run("diff", "a/registry/harbor.json", "b/registry/harbor.json", *options)
        assert found.status == 2, found.err
        assert "auth_token" in found.out
        assert "canary" not in found.out + found.err


@pytest.mark.parametrize("form", ["text", "json"])
def test_anything_can_be_compared_raw(repository: PolicyRepository, form: str) -> None:
    repository.write("a.json", json.dumps({"some": {"thing": 1}, "list": ["a", "b"]}))
    repository.write("b.yaml", "list: [b, a]\nsome: {thing: 2}\n")
    found = repository.run("diff", "--raw", "a.json", "b.yaml", "--format", form)
    assert found.status == 2, found.err
    assert "some" in found.out
    assert "list" not in found.out
    assert repository.run("diff", "--raw", "a.json", "a.json").status == 0


def test_live_bodies_can_be_compared_raw_without_showing_a_secret(repository: PolicyRepository) -> None:
    for name, canary in (("eu", "canary-one"), ("us", "canary-two")):
        with by_hand(repository.root, name) as console:
            decoy = {"enabled": True, "user_id": canary}
            console.create("FunctionRuntimePolicy", {"name": "p", "runtime_type": "function", "tripwire": decoy})
    found = repository.run("diff", "--raw", "stage:prod:live@prod-eu", "stage:prod:live@prod-us")
    assert found.status == 2, found.err
    assert "tripwire" in found.out
    assert "canary" not in found.out + found.err
    (token,) = (line for line in found.out.splitlines() if "EnforcerGroup/default']['token']" in line)
    assert token.count("***") == 2


@pytest.mark.parametrize(
    ("side", "message"),
    [
        ("stage:nowhere", "no stage `nowhere`"),
        ("stage:dev:live@nowhere", "no target nowhere"),
        ("rev:nowhere", "no revision"),
        ("nowhere.yaml", "nowhere.yaml cannot be read: there is no such file; want stage:S"),
        ("file:nowhere.yaml", "nowhere.yaml cannot be read"),
        ("stage:dev:dead", "want stage:S[:live|:desired]"),
    ],
)
def test_a_side_that_is_not_there_is_an_error(repository: PolicyRepository, side: str, message: str) -> None:
    repository.environ["HARBOR_PASSWORD"] = "not needed"
    found = repository.run("diff", "stage:dev", side)
    assert found.status == 1
    assert message in found.err


def why(repository: PolicyRepository, *sides: str) -> dict[str, list[tuple[str, str]]]:
    """Return why each path differs, or each resource that only one side has: reason and what it is about."""
    ran = repository.run("diff", *sides, "--format", "json")
    assert ran.status == 2, ran.err
    found = {}
    for change in ran.json()["changes"]:
        whole = [{"path": (), **change}] if "reasons" in change else change["edits"]
        for edit in whole:
            reasons = [(one["why"], one["where"] or one["said"] or one["stage"]) for one in edit["reasons"]]
            found["/".join([change["name"], *edit["path"]])] = reasons
    return found


@pytest.fixture
def staged(tmp_path: Path) -> PolicyRepository:
    repository = two_stages(tmp_path / "staged")
    release(repository)
    return repository


def test_what_is_meant_says_where_it_is_written(staged: PolicyRepository) -> None:
    assert why(staged, "stage:dev", "stage:prod") == {
        "strict/maximum_score": [("overlay", f"{OVERLAY_FILE}:5:18")],
        "pci/description": [("variable", f"{LABEL_FILE}:4:21")],
    }
    shown = staged.run("diff", "stage:dev", "stage:prod").out
    assert f"~ maximum_score: 7 → 5  (stricter)  ← overlay {OVERLAY_FILE}:5:18" in shown
    assert f"← variable team {LABEL_FILE}:4:21" in shown
    assert "Why: 2 intended, 0 by another revision or not applied yet, 0 unexplained." in shown


def test_what_only_one_stage_has_says_why(staged: PolicyRepository) -> None:
    staged.write("policies/stages/prod/pci.yaml", f"{HEAD}metadata: {{name: pci, absent: true}}\n")
    staged.write("policies/base/a.yaml", f"{HEAD}metadata: {{name: a, targets: [prod-console]}}\nspec: {{}}\n")
    staged.commit()
    release(staged)
    staged.write("policies/base/b.yaml", f"{HEAD}metadata: {{name: b}}\nspec: {{}}\n")
    staged.commit()
    found = why(staged, "stage:dev", "stage:prod")
    assert found["pci"] == [("absent", "policies/stages/prod/pci.yaml:3:31")]
    assert found["a"] == [("targets", "policies/base/a.yaml:3:30")]
    assert [reason for reason, _ in found["b"]] == ["another revision"]


def test_what_waits_for_a_promotion_is_told_from_what_is_meant(staged: PolicyRepository) -> None:
    staged.replace(LABEL_FILE, "for ${var.team}", "for everybody")
    staged.replace(POLICY_FILE, "maximum_score: 7", "maximum_score: 6")
    staged.replace(POLICY_FILE, "spec:", "spec:\n  description: new")
    staged.commit()
    found = why(staged, "stage:dev", "stage:prod")
    assert [reason for reason, _ in found["pci/description"]] == ["another revision"]
    assert [reason for reason, _ in found["strict/description"]] == ["another revision"]
    assert found["strict/maximum_score"] == [("overlay", f"{OVERLAY_FILE}:5:18")]
    assert "Why: 1 intended, 2 by another revision" in staged.run("diff", "stage:prod", "stage:dev").out


def test_live_stages_say_what_git_does_not(staged: PolicyRepository) -> None:
    applied(staged, "dev", "prod")
    with by_hand(staged.root, "prod") as console:
        console.edit("ImageAssurancePolicy", "strict", maximum_score=3, description="by hand")
        console.create("Label", {"name": "unmanaged", "description": "by hand"})
    staged.replace(LABEL_FILE, "for ${var.team}", "only for ${var.team}")
    staged.commit()
    found = why(staged, "stage:dev:live", "stage:prod:live")
    assert found["strict/maximum_score"] == [("by hand", "prod"), ("overlay", f"{OVERLAY_FILE}:5:18")]
    assert found["strict/description"] == [("unexplained", "")]
    assert found["unmanaged"] == [("unexplained", "")]
    assert [reason for reason, _ in found["pci/description"]] == ["not applied yet", "variable"]
    shown = staged.run("diff", "stage:dev:live", "stage:prod:live")
    assert "← by hand in prod, overlay" in shown.out
    assert "+ Label/unmanaged" in shown.out


def test_differences_as_markdown(staged: PolicyRepository) -> None:
    shown = staged.run("diff", "stage:dev", "stage:prod", "--format", "markdown").out
    assert shown.startswith("## `stage:dev` → `stage:prod`")
    assert shown.index("### ImageAssurancePolicy") < shown.index("### Label")
    assert f"overlay {OVERLAY_FILE}:5:18" in shown
    raw = staged.run("diff", "--raw", POLICY_FILE, LABEL_FILE, "--format", "markdown").out
    assert raw.startswith("```text\n")


def test_a_stage_without_a_release_cannot_be_compared_as_git_has_it(tmp_path: Path) -> None:
    repository = two_stages(tmp_path / "unreleased")
    found = repository.run("diff", "stage:dev", "stage:prod")
    assert found.status == 1
    assert "nothing is released to prod yet" in found.err
    live = repository.run("diff", "stage:dev", "stage:prod:live")
    assert live.status == 2, live.err


def test_a_resource_named_after_a_variable_is_meant_to_be_another_one(staged: PolicyRepository) -> None:
    staged.write(
        "policies/base/mail.yaml",
        "apiVersion: policysync/v1\nkind: Notification\nmetadata: {name: mail}\n"
        'spec: {type: email, name: "for ${var.team}", properties: {host: smtp.example}}\n',
    )
    staged.commit()
    release(staged)
    found = why(staged, "stage:dev", "stage:prod")
    assert found["email/for developers"] == found["email/for operators"]
    assert found["email/for operators"] == [("variable", "policies/base/mail.yaml:4:27")]
