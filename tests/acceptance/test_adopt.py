"""`policysync adopt`, end to end on embedded consoles."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from acceptance.console_by_hand import by_hand
from acceptance.policy_repository import PolicyRepository, quick_repository
from conformance.samples import SAMPLES

CONFIGURATION = """\
version: 1
stages:
  - name: dev
    targets:
      - {name: dev-console, backend: aqua, url: "embedded:dev"}
  - name: prod
    targets:
      - {name: prod-eu, backend: aqua, url: "embedded:eu"}
      - {name: prod-us, backend: aqua, url: "embedded:us"}
"""
SIGNED_IN = "policies/base/user_saas/administrator-emulator-example.yaml"
ODD = [
    *(
        "team:a",
        "Team:A",
        "team a",
        "ünïcödé",
        "日本語",
        "🙂",
        'it\'s "quoted"',
        "a.b.c",
        ".hidden",
        "con",
        "NUL.txt",
    ),
    *("no", "017", "1:30", "~", "null", "2026-01-01", "${var.x}", "#", "- a", "x" * 120, "x" * 119 + "y", "tab\there"),
]


@pytest.fixture
def repository(tmp_path: Path) -> PolicyRepository:
    repository = quick_repository(tmp_path / "team")
    repository.write("policysync.yaml", CONFIGURATION)
    return repository


def files(repository: PolicyRepository) -> dict[str, str]:
    below = sorted((repository.root / "policies").rglob("*.yaml"))
    return {file.relative_to(repository.root).as_posix(): file.read_text(encoding="utf-8") for file in below}


def everything(repository: PolicyRepository) -> None:
    """Put an object of every kind into the console."""
    with by_hand(repository.root) as console:
        console.everything()


def in_sync(repository: PolicyRepository, stage: str = "dev") -> None:
    validated = repository.run("validate")
    assert validated.status == 0, validated.out + validated.err
    if stage != "dev":
        repository.release(stage)
    planned = repository.run("plan", "--stage", stage, "--detailed-exitcode")
    assert planned.status == 0, planned.out + planned.err


@pytest.mark.parametrize("options", [(), ("--full",)])
def test_everything_that_was_made_by_hand_is_taken_into_git(repository: PolicyRepository, options: tuple[str]) -> None:
    everything(repository)
    adopted = repository.run("adopt", "--stage", "dev", *options)
    assert adopted.status == 0, adopted.err
    documents = [yaml.safe_load(text) for text in files(repository).values()]
    # Role mappings are adopted with the settings they belong to, and only the console makes API keys.
    assert {document["kind"] for document in documents} == set(SAMPLES) - {"RoleMapping", "ApiKey"}
    assert f"adopted {len(documents)} resources" in adopted.err
    assert adopted.out.splitlines() == sorted(files(repository))
    in_sync(repository)
    again = repository.run("adopt", "--stage", "dev")
    assert (again.status, again.out) == (0, "")
    assert "nothing to adopt" in again.err


def test_what_the_product_ships_is_taken_when_asked_for(repository: PolicyRepository) -> None:
    nothing = repository.run("adopt", "--stage", "dev")
    assert (nothing.status, nothing.out) == (0, f"{SIGNED_IN}\n")
    kinds = ("--kind", "ImageAssurancePolicy", "--kind", "ContainerRuntimePolicy")
    adopted = repository.run("adopt", "--stage", "dev", "--builtins", *kinds)
    assert adopted.status == 0, adopted.err
    assert "policies/base/image_assurance_policy/default.yaml" in adopted.out
    assert not any("vshield" in file for file in files(repository))
    in_sync(repository)


def test_a_built_in_object_can_be_named(repository: PolicyRepository) -> None:
    assert repository.run("adopt", "--stage", "dev", "--only", "ImageAssurancePolicy/D*").out == ""
    adopted = repository.run("adopt", "--stage", "dev", "--only", "ImageAssurancePolicy/Default")
    assert adopted.out == "policies/base/image_assurance_policy/default.yaml\n"
    text = files(repository)["policies/base/image_assurance_policy/default.yaml"]
    head = "apiVersion: policysync/v1\nkind: ImageAssurancePolicy\nmetadata:\n  name: Default\nspec:\n"
    assert text.startswith(head)
    assert set(yaml.safe_load(text)["spec"]) <= {"application_scopes", "auto_scan_time"}
    in_sync(repository)


def test_odd_names_get_files_of_their_own(repository: PolicyRepository) -> None:
    with by_hand(repository.root) as console:
        for name in ODD:
            console.create("Label", {"name": name, "description": f"the {name} one"})
    adopted = repository.run("adopt", "--stage", "dev", "--kind", "Label")
    assert adopted.status == 0, adopted.err
    written = files(repository)
    assert {yaml.safe_load(text)["metadata"]["name"] for text in written.values()} == set(ODD)
    stems = [Path(file).stem for file in written]
    assert len({stem.lower() for stem in stems}) == len(ODD)
    assert all(stem.isascii() and len(stem) < 100 and stem.replace("-", "").isalnum() for stem in stems)
    assert not {"con", "nul"} & set(stems)
    in_sync(repository)


def test_a_name_may_hold_slashes(repository: PolicyRepository) -> None:
    with by_hand(repository.root) as console:
        for title in ("page/someone", "page/Someone", "../../etc/passwd"):
            console.create("ResponsePolicy", {**SAMPLES["ResponsePolicy"][0], "title": title})
        console.put("Notification", SAMPLES["Notification"][0])
    assert repository.run("adopt", "--stage", "dev", "--only", "Notification/*").status == 0
    assert repository.run("adopt", "--stage", "dev", "--only", "ResponsePolicy/page/*").status == 0
    adopted = repository.run("adopt", "--stage", "dev", "--only", "ResponsePolicy/../../etc/passwd")
    assert adopted.out == "policies/base/response_policy/etc-passwd.yaml\n"
    assert [Path(file).name for file in files(repository)] == [
        "email-oncall.yaml",
        "etc-passwd.yaml",
        "page-someone-2.yaml",
        "page-someone.yaml",
    ]
    in_sync(repository)


def test_a_name_the_schema_forbids_is_refused(repository: PolicyRepository) -> None:
    with by_hand(repository.root) as console:
        console.create("FirewallPolicy", {"name": "team/a"})
        console.create("Label", {"name": ".."})
        console.create("Label", {"name": "good"})
    adopted = repository.run("adopt", "--stage", "dev", "--kind", "Label", "--kind", "FirewallPolicy")
    assert (adopted.status, adopted.out) == (1, "policies/base/label/good.yaml\n")
    assert "refused: FirewallPolicy/team/a: /metadata/name" in adopted.err
    assert "refused: Label/..: a path cannot name it" in adopted.err


def test_what_is_in_git_already_stays_as_it_is(repository: PolicyRepository) -> None:
    with by_hand(repository.root) as console:
        console.create("Label", {"name": "mine", "description": "by hand"})
        console.create("Label", {"name": "Theirs"})
    mine = "apiVersion: policysync/v1\nkind: Label\nmetadata: {name: mine}\nspec: {description: in git}\n"
    repository.write("policies/base/label/theirs.yaml", mine)
    adopted = repository.run("adopt", "--stage", "dev", "--kind", "Label")
    assert adopted.out == "policies/base/label/theirs-2.yaml\n"
    assert "left alone: Label/mine differs from what git states" in adopted.err
    assert files(repository)["policies/base/label/theirs.yaml"] == mine


def test_edits_by_hand_are_in_the_file(repository: PolicyRepository) -> None:
    with by_hand(repository.root) as console:
        console.create("ImageAssurancePolicy", {"name": "strict", "application_scopes": ["Global"]})
        console.edit(
            "ImageAssurancePolicy",
            "strict",
            maximum_score_enabled=True,
            maximum_score=6.5,
            description="first\nsecond: ${var.no}\n",
            required_labels=[{"key": "b", "value": "1"}, {"key": "a"}],
        )
    assert repository.run("adopt", "--stage", "dev").status == 0
    text = files(repository)["policies/base/image_assurance_policy/strict.yaml"]
    spec = yaml.safe_load(text)["spec"]
    assert (spec["maximum_score_enabled"], spec["maximum_score"]) == (True, 6.5)
    assert spec["description"] == "first\nsecond: $${var.no}\n"
    assert "  description: |" in text
    assert spec["required_labels"] == [{"key": "a"}, {"key": "b", "value": "1"}]
    in_sync(repository)


def test_no_secret_gets_out(repository: PolicyRepository) -> None:
    canaries = ["canary-password", "canary-token", "canary-user", "canary-key"]
    webhook = {"enabled": True, "url": "https://hook", "auth_token": "canary-token"}
    with by_hand(repository.root) as console:
        registry = {"name": "harbor", "type": "V2", "url": "https://harbor", "password": "canary-password"}
        console.create("Registry", {**registry, "client_key": "canary-key", "webhook": webhook})
        tripwire = {"enabled": True, "user_id": "canary-user", "user_password": "canary-password"}
        console.create("FunctionRuntimePolicy", {"name": "f", "application_scopes": ["Global"], "tripwire": tripwire})
    for options in ((), ("--full", "--out", "elsewhere"), ("--format", "json", "--out", "third")):
        adopted = repository.run("-vv", "adopt", "--stage", "dev", *options)
        assert adopted.status == 0, adopted.err
        assert not [canary for canary in canaries if canary in adopted.out + adopted.err]
        assert "Registry/harbor: password, client_key, webhook.auth_token" in adopted.err
        if not options:
            in_sync(repository)
            text = files(repository)["policies/base/registry/harbor.yaml"]
            line = "# webhook.auth_token: secret, not adopted; to manage it: auth_token: ${env:NAME}"
            assert line in text
            for file in (repository.root / "policies").rglob("*.yaml"):
                file.unlink()
    written = [file for file in repository.root.rglob("*.yaml") if ".policysync" not in file.parts]
    text = "".join(file.read_text(encoding="utf-8") for file in written)
    assert "secret, not adopted" in text
    assert not [canary for canary in canaries if canary in text]


def test_the_result_is_there_for_programs(repository: PolicyRepository) -> None:
    with by_hand(repository.root) as console:
        console.create("Registry", {"name": "harbor", "type": "V2", "url": "https://harbor"})
    adopted = repository.run("adopt", "--stage", "dev", "--kind", "Registry", "--format", "json")
    found: dict[str, Any] = json.loads(adopted.out)
    assert found == {
        "format_version": 1,
        "stage": "dev",
        "adopted": [
            {
                "resource": "Registry/harbor",
                "file": "policies/base/registry/harbor.yaml",
                "secrets": ["password", "client_key", "webhook.auth_token"],
            }
        ],
        "supply": [],
        "refused": [],
        "left": [],
        "not_read": [],
    }


def test_a_resource_that_refers_to_nothing_in_git_is_refused(repository: PolicyRepository) -> None:
    everything(repository)
    adopted = repository.run("adopt", "--stage", "dev", "--kind", "Role", "--kind", "Label")
    assert adopted.status == 1
    assert adopted.out == "policies/base/label/team.yaml\n"
    assert "refused: Role/web: /spec/permission: there is no PermissionSet/readers" in adopted.err
    in_sync(repository)


def test_targets_that_differ_get_what_they_have(repository: PolicyRepository) -> None:
    for console_name, text in (("eu", "old"), ("us", "new")):
        with by_hand(repository.root, console_name) as console:
            console.create("Label", {"name": "same"})
            console.create("Label", {"name": "differs", "description": text})
            console.create("Label", {"name": f"only-{console_name}"})
    adopted = repository.run("adopt", "--stage", "prod", "--kind", "Label")
    assert adopted.status == 0, adopted.err
    assert "Label/differs was taken from prod-eu; prod-us has it otherwise" in adopted.err
    documents = {yaml.safe_load(text)["metadata"]["name"]: yaml.safe_load(text) for text in files(repository).values()}
    assert {name: document["metadata"].get("targets") for name, document in documents.items()} == {
        "same": None,
        "differs": ["prod-eu"],
        "only-eu": ["prod-eu"],
        "only-us": ["prod-us"],
    }
    in_sync(repository, "prod")


def test_composite_keys_make_a_readable_name(repository: PolicyRepository) -> None:
    with by_hand(repository.root) as console:
        console.create("Acknowledge", {**SAMPLES["Acknowledge"][0], "registry_name": "Docker Hub"})
    adopted = repository.run("adopt", "--stage", "dev", "--kind", "Acknowledge")
    (text,) = files(repository).values()
    document = yaml.safe_load(text)
    assert document["metadata"]["name"].startswith("vulnerability/CVE-2022-1271/package/gzip")
    assert document["spec"]["issue_name"] == "CVE-2022-1271"
    assert adopted.out.startswith("policies/base/acknowledge/vulnerability-cve-2022-1271-package-gzip")
    in_sync(repository)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--kind", "Labl"), "there is no kind Labl; did you mean `Label`"),
        (("--kind", "Enforcer"), "objects of kind Enforcer cannot be adopted"),
        (("--only", "Label"), "want KIND/NAME"),
        (("--target", "nowhere"), "stage dev has no target nowhere"),
    ],
)
def test_a_wrong_wish_is_explained(repository: PolicyRepository, options: tuple[str], message: str) -> None:
    adopted = repository.run("adopt", "--stage", "dev", *options)
    assert adopted.status == 1
    assert message.replace("`", "") in adopted.err.replace("`", "")


def test_what_is_not_there_is_said(repository: PolicyRepository) -> None:
    adopted = repository.run("adopt", "--stage", "dev", "--only", "Label/none")
    assert adopted.status == 0
    assert "not there: Label/none" in adopted.err


WRITTEN = """\
# who asked: security
apiVersion: policysync/v1
kind: ImageAssurancePolicy
metadata: {name: strict}
spec:
  application_scopes: [Global]
  maximum_score_enabled: true
  maximum_score: 7.0   # agreed in May
  description: ${var.text}
  blacklisted_licenses_enabled: true
  blacklisted_licenses:
    - GPL-3.0   # legal
    - AGPL-3.0
  required_labels:
    - key: team
      value: a
    - {key: cost, value: "1"}   # finance
"""
OVERLAY = """\
apiVersion: policysync/v1
kind: ImageAssurancePolicy
metadata: {name: strict}
spec: {maximum_score: 5}  # dev only
"""


LABELS = {"team": "a", "cost": "1", "tier": "x"}


@pytest.fixture
def drifted(repository: PolicyRepository) -> PolicyRepository:
    repository.replace("policysync.yaml", 'url: "embedded:dev"}\n', 'url: "embedded:dev"}\n    vars: {text: fixed}\n')
    repository.replace("policysync.yaml", 'url: "embedded:us"}\n', 'url: "embedded:us"}\n    vars: {text: fixed}\n')
    repository.write("policies/base/strict.yaml", WRITTEN)
    repository.commit()
    applied = repository.run("apply", "--stage", "dev", "--yes")
    assert applied.status == 0, applied.err
    return repository


def test_what_drifted_is_written_into_the_documents(drifted: PolicyRepository) -> None:
    with by_hand(drifted.root) as console:
        console.edit(
            "ImageAssurancePolicy",
            "strict",
            maximum_score=4,
            description="by hand",
            blacklisted_licenses=["AGPL-3.0", "MIT"],
            required_labels=[
                {"key": "team", "value": "a"},
                {"key": "cost", "value": "1"},
                {"key": "tier", "value": "x"},
            ],
        )
    done = drifted.run("adopt", "--stage", "dev", "--write-back")
    assert (done.status, done.out) == (0, "policies/base/strict.yaml\n"), done.err
    assert "left: ImageAssurancePolicy/strict description: stated with a reference" in done.err
    text = files(drifted)["policies/base/strict.yaml"]
    assert "# who asked: security\n" in text
    assert "  maximum_score: 4   # agreed in May\n  description: ${var.text}\n" in text
    assert "    - AGPL-3.0\n    - MIT\n" in text
    spec = yaml.safe_load(text)["spec"]
    assert {label["key"]: label["value"] for label in spec["required_labels"]} == {
        "team": "a",
        "cost": "1",
        "tier": "x",
    }
    planned = drifted.run("plan", "--stage", "dev", "--format", "json").json()
    edits = [edit["path"] for wave in planned["plans"][0]["waves"] for change in wave for edit in change["edits"]]
    assert edits == [["description"]]


def test_the_overlay_gets_what_it_states(drifted: PolicyRepository) -> None:
    drifted.write("policies/stages/dev/strict.yaml", OVERLAY)
    assert drifted.run("apply", "--stage", "dev", "--yes").status == 0
    with by_hand(drifted.root) as console:
        console.edit("ImageAssurancePolicy", "strict", maximum_score=3, maximum_score_enabled=False)
    done = drifted.run("adopt", "--stage", "dev", "--write-back", "--format", "json")
    assert done.status == 0, done.err
    assert sorted((one["file"], one["path"]) for one in done.json()["written"]) == [
        ("policies/base/strict.yaml", "maximum_score_enabled"),
        ("policies/stages/dev/strict.yaml", "maximum_score"),
    ]
    below = files(drifted)
    assert below["policies/stages/dev/strict.yaml"] == OVERLAY.replace("5", "3")
    assert below["policies/base/strict.yaml"] == WRITTEN.replace("enabled: true", "enabled: false", 1)
    in_sync(drifted)


def test_what_git_moved_is_not_written_back(drifted: PolicyRepository) -> None:
    drifted.replace("policies/base/strict.yaml", "maximum_score: 7.0", "maximum_score: 6")
    done = drifted.run("adopt", "--stage", "dev", "--write-back")
    assert (done.status, done.out) == (0, "")
    assert "left: ImageAssurancePolicy/strict maximum_score: git moved, not the console" in done.err
    assert "nothing to write back" in done.err


def test_with_several_targets_one_has_to_be_named(drifted: PolicyRepository) -> None:
    drifted.release("prod")
    done = drifted.run("adopt", "--stage", "prod", "--write-back")
    assert done.status == 1
    assert "say with --target" in done.err
