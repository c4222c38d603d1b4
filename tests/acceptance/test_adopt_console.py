"""Whole consoles taken into one policy repository, one after the other: each stage's plan is clean right after."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from acceptance.console_by_hand import KINDS, ByHand, by_hand
from acceptance.policy_repository import PolicyRepository, quick_repository
from conformance.samples import SAMPLES

STAGES = ("dev", "nonprod", "prod")
CONFIGURATION = "version: 1\nstages:\n" + "".join(
    f"  - name: {stage}\n    targets: [{{name: {stage}-console, backend: aqua, url: 'embedded:{stage}'}}]\n"
    for stage in STAGES
)
BASE, NONPROD = "policies/base/", "policies/stages/nonprod/"
IMAGE = {"registry": "Harbor", "imagename": "base:1"}


@pytest.fixture
def repository(tmp_path: Path) -> PolicyRepository:
    repository = quick_repository(tmp_path / "team")
    repository.write("policysync.yaml", CONFIGURATION)
    return repository


def files(repository: PolicyRepository) -> dict[str, dict[str, Any]]:
    """Return every document by its path."""
    below = sorted((repository.root / "policies").rglob("*.yaml"))
    return {
        file.relative_to(repository.root).as_posix(): yaml.safe_load(file.read_text(encoding="utf-8")) for file in below
    }


def adopt(repository: PolicyRepository, stage: str, *options: str) -> list[str]:
    adopted = repository.run("adopt", "--stage", stage, *options)
    assert adopted.status == 0, adopted.err
    return adopted.out.splitlines()


def in_sync(repository: PolicyRepository, *stages: str) -> None:
    validated = repository.run("validate")
    assert validated.status == 0, validated.out + validated.err
    repository.release(*stages[1:] if stages[0] == STAGES[0] else stages)
    for stage in stages:
        planned = repository.run("plan", "--stage", stage, "--detailed-exitcode")
        assert planned.status == 0, f"{stage}: {planned.out}{planned.err}"


def changed(kind: str) -> Mapping[str, Any]:
    """Return what another console has otherwise."""
    return {**SAMPLES[kind][0], **SAMPLES[kind][1]}


NO_OVERLAY = {"RoleMapping", "ApiKey", "Group"}
"""Kinds whose sample has nothing that could differ, or that are adopted otherwise."""


def test_the_same_console_again_needs_no_overlay(repository: PolicyRepository) -> None:
    for stage in STAGES[:2]:
        with by_hand(repository.root, stage) as console:
            console.everything()
    adopt(repository, "dev")
    assert adopt(repository, "nonprod") == []
    in_sync(repository, "dev", "nonprod")


def test_every_kind_that_differs_gets_an_overlay(repository: PolicyRepository) -> None:
    for stage in STAGES[:2]:
        with by_hand(repository.root, stage) as console:
            console.everything()
            if stage == "nonprod":
                change_everything(console)
    adopt(repository, "dev")
    base = files(repository)
    written = adopt(repository, "nonprod")
    documents = files(repository)
    assert all(documents[path] == document for path, document in base.items())
    assert {path.startswith(NONPROD) for path in written} == {True}
    overlaid = {documents[path]["kind"] for path in written}
    assert overlaid == set(SAMPLES) - NO_OVERLAY
    for path in written:
        document = documents[path]
        below = base[path.replace(NONPROD, BASE)]
        assert document["metadata"]["name"] == below["metadata"]["name"]
        said = {name: value for name, value in document["spec"].items() if below["spec"].get(name) == value}
        assert said == {}, f"{path} repeats {said}"
    in_sync(repository, "dev", "nonprod")
    assert adopt(repository, "nonprod") == []


def change_everything(console: ByHand) -> None:
    for kind in sorted(set(SAMPLES) - NO_OVERLAY):
        console.change(kind, changed(kind))


def test_what_only_one_console_has(repository: PolicyRepository) -> None:
    for stage, names in {"dev": ("both", "mine"), "nonprod": ("both", "theirs"), "prod": ("both", "theirs")}.items():
        with by_hand(repository.root, stage) as console:
            for name in names:
                console.create("Label", {"name": name, "description": f"{name} in {stage}" if name != "both" else ""})
    adopt(repository, "dev", "--kind", "Label")
    adopt(repository, "nonprod", "--kind", "Label")
    adopt(repository, "prod", "--kind", "Label")
    found = {path: (doc["metadata"], doc.get("spec")) for path, doc in files(repository).items()}
    assert found == {
        f"{BASE}label/both.yaml": ({"name": "both"}, {}),
        f"{BASE}label/mine.yaml": ({"name": "mine"}, {"description": "mine in dev"}),
        f"{BASE}label/theirs.yaml": (
            {"name": "theirs", "targets": ["nonprod-console"]},
            {"description": "theirs in nonprod"},
        ),
        f"{NONPROD}label/mine.yaml": ({"name": "mine", "absent": True}, None),
        "policies/stages/prod/label/mine.yaml": ({"name": "mine", "absent": True}, None),
        "policies/stages/prod/label/theirs.yaml": (
            {"name": "theirs", "targets": ["prod-console"]},
            {"description": "theirs in prod"},
        ),
    }
    in_sync(repository, *STAGES)


def test_lists_and_maps_are_told_as_overlays_are_laid_on(repository: PolicyRepository) -> None:
    policies = {
        "dev": {"allowed_images": [IMAGE, {**IMAGE, "imagename": "old:1"}], "cves_black_list": ["CVE-1", "CVE-2"]},
        "nonprod": {"allowed_images": [{**IMAGE, "reason": ["tested"]}], "cves_black_list": ["CVE-2"]},
    }
    for stage, members in policies.items():
        with by_hand(repository.root, stage) as console:
            console.put("Registry", SAMPLES["Registry"][0])
            console.put("ImageAssurancePolicy", {"name": "strict", "application_scopes": ["Global"], **members})
            groups = {"Scanner": ["ci"], stage: ["x"]} if stage == "dev" else {"Scanner": ["ci", "build"]}
            console.put("Role", {"name": "dev", "permission": "Administrator", "scopes": ["Global"]})
            console.put("SsoSaml", {"enabled": True, "role_mapping": groups})
    adopt(repository, "dev")
    adopt(repository, "nonprod")
    documents = files(repository)
    assert documents[f"{NONPROD}image_assurance_policy/strict.yaml"]["spec"] == {
        "allowed_images": [{**IMAGE, "imagename": "old:1", "$absent": True}, {**IMAGE, "reason": ["tested"]}],
        "cves_black_list": ["CVE-2"],
    }
    mapping = {"Scanner": ["build", "ci"], "dev": None}
    assert documents[f"{NONPROD}sso_saml/settings.yaml"]["spec"] == {"role_mapping": mapping}
    in_sync(repository, "dev", "nonprod")


def test_what_a_variable_makes_differ_needs_no_overlay(repository: PolicyRepository) -> None:
    repository.write(
        "policysync.yaml", CONFIGURATION.replace("  - name: nonprod\n", "  - name: nonprod\n    vars: {w: n}\n")
    )
    repository.replace("policysync.yaml", "  - name: dev\n", "  - name: dev\n    vars: {w: d}\n")
    repository.replace("policysync.yaml", "  - name: prod\n", "  - name: prod\n    vars: {w: p}\n")
    text = "apiVersion: policysync/v1\nkind: Label\nmetadata: {name: who}\nspec: {description: '${var.w} team'}\n"
    repository.write(f"{BASE}label/who.yaml", text)
    for stage, description in (("dev", "d team"), ("nonprod", "n team"), ("prod", "other")):
        with by_hand(repository.root, stage) as console:
            console.create("Label", {"name": "who", "description": description})
    assert adopt(repository, "nonprod", "--kind", "Label") == []
    assert adopt(repository, "prod", "--kind", "Label") == ["policies/stages/prod/label/who.yaml"]
    in_sync(repository, *STAGES)


def test_a_stage_of_several_consoles(repository: PolicyRepository) -> None:
    two = "targets: [{name: eu, backend: aqua, url: 'embedded:eu'}, {name: us, backend: aqua, url: 'embedded:us'}]"
    repository.write(
        "policysync.yaml",
        CONFIGURATION.replace("targets: [{name: prod-console, backend: aqua, url: 'embedded:prod'}]", two),
    )
    labels = {
        "dev": {"all": "", "some": "", "other": "d"},
        "eu": {"all": "", "some": "", "other": "p"},
        "us": {"all": "", "other": "p"},
    }
    for name, found in labels.items():
        with by_hand(repository.root, name) as console:
            for label, description in found.items():
                console.create("Label", {"name": label, "description": description})
    adopt(repository, "dev", "--kind", "Label")
    partly = repository.run("adopt", "--stage", "prod", "--kind", "Label", "--target", "eu")
    assert (partly.status, partly.out) == (0, "")
    assert "left alone: Label/other differs from what git states" in partly.err
    adopt(repository, "prod", "--kind", "Label")
    prod = {path: doc for path, doc in files(repository).items() if path.startswith("policies/stages/prod/")}
    assert {doc["metadata"]["name"]: (doc["metadata"].get("targets"), doc["spec"]) for doc in prod.values()} == {
        "some": (["eu"], {}),
        "other": (None, {"description": "p"}),
    }
    in_sync(repository, "dev", "prod")


def test_what_was_applied_once_is_left_to_plans(repository: PolicyRepository) -> None:
    repository.write(
        f"{BASE}label/who.yaml",
        "apiVersion: policysync/v1\nkind: Label\nmetadata: {name: who}\nspec: {description: git}\n",
    )
    repository.release("nonprod")
    assert repository.run("apply", "--stage", "nonprod", "--yes").status == 0
    with by_hand(repository.root, "nonprod") as console:
        console.edit("Label", "who", description="by hand")
    path = KINDS["Label"].api["get"]["path"].replace("{id}", "who")
    assert adopt(repository, "nonprod", "--kind", "Label") == []
    with by_hand(repository.root, "nonprod") as console:
        console.call("DELETE", path)
    assert adopt(repository, "nonprod", "--kind", "Label") == []


def test_an_overlay_that_is_there_is_left_alone(repository: PolicyRepository) -> None:
    head = "apiVersion: policysync/v1\nkind: Label\nmetadata: {name: who}\nspec: {description: "
    repository.write(f"{BASE}label/who.yaml", f"{head}base}}\n")
    repository.write(f"{NONPROD}who.yaml", f"{head}mine}}\n")
    for stage in STAGES[:2]:
        with by_hand(repository.root, stage) as console:
            console.create("Label", {"name": "who", "description": "live"})
    adopted = repository.run("adopt", "--stage", "nonprod", "--kind", "Label")
    assert (adopted.status, adopted.out) == (0, "")
    assert f"left alone: Label/who differs, and {NONPROD}who.yaml:1:1 states it" in adopted.err
    first = repository.run("adopt", "--stage", "dev", "--kind", "Label")
    assert "left alone: Label/who differs from what git states" in first.err
    assert adopt(repository, "dev", "--kind", "Label", "--overlays") == ["policies/stages/dev/label/who.yaml"]
    in_sync(repository, "dev")


def test_a_view_in_git_and_the_settings_below_it_do_not_collide(repository: PolicyRepository) -> None:
    with by_hand(repository.root, "dev") as console:
        console.put("SsoSaml", {"enabled": True, "role_mapping": {"Scanner": ["ci"]}})
    assert adopt(repository, "dev", "--kind", "RoleMapping") == [f"{BASE}role_mapping/settings.yaml"]
    assert f"{BASE}sso_saml/settings.yaml" in adopt(repository, "dev")
    found = files(repository)
    assert found[f"{BASE}role_mapping/settings.yaml"]["spec"] == {"saml": {"role_mapping": {"Scanner": ["ci"]}}}
    assert found[f"{BASE}sso_saml/settings.yaml"]["spec"] == {"enabled": True}
    in_sync(repository, "dev")


SUPPLIED = {
    "AQUA_REGISTRY_HARBOR_PASSWORD": "Registry/Harbor password",
    "AQUA_NOTIFICATION_SLACK_CHAT_PROPERTIES_URL": "Notification/slack/chat properties.url",
}


def test_secrets_become_references_with_a_list_of_what_to_supply(repository: PolicyRepository) -> None:
    for stage in STAGES[:2]:
        with by_hand(repository.root, stage) as console:
            console.create("Registry", {**SAMPLES["Registry"][0], "password": "canary-one", "url": f"https://{stage}"})
            properties = {"url": "https://hooks.example/canary-two"}
            console.create("Notification", {"name": "chat", "type": "slack", "properties": properties})
    wish = ("--only", "Registry/*", "--only", "Notification/*", "--secrets", "reference")
    adopted = repository.run("adopt", "--stage", "dev", *wish)
    assert adopted.status == 0, adopted.err
    for variable, where in SUPPLIED.items():
        assert f"secret to supply: {variable} for {where}\n" in adopted.err
    assert "canary" not in adopted.out + adopted.err
    texts = {path: (repository.root / path).read_text(encoding="utf-8") for path in adopted.out.splitlines()}
    assert not any("canary" in text for text in texts.values())
    assert files(repository)[f"{BASE}registry/harbor.yaml"]["spec"]["password"] == (
        "${env:AQUA_REGISTRY_HARBOR_PASSWORD}"
    )
    second = repository.run("adopt", "--stage", "nonprod", *wish, "--format", "json").json()
    assert second["supply"] == []
    assert files(repository)[f"{NONPROD}registry/harbor.yaml"]["spec"] == {"url": "https://nonprod"}

    missing = repository.run("plan", "--stage", "dev")
    assert missing.status == 1
    assert "AQUA_REGISTRY_HARBOR" in missing.err
    secrets = ("PASSWORD", "CLIENT_KEY", "WEBHOOK_AUTH_TOKEN")
    repository.environ |= {f"AQUA_REGISTRY_HARBOR_{name}": "canary-one" for name in secrets}
    repository.environ["AQUA_NOTIFICATION_SLACK_CHAT_PROPERTIES_URL"] = "https://hooks.example/canary-two"
    planned = repository.run("plan", "--stage", "dev", "--format", "json").json()["plans"][0]
    edits = [edit["path"] for wave in planned["waves"] for change in wave for edit in change["edits"]]
    # What no console ever gives back is written once; what it does give back agrees.
    assert {tuple(path)[-1] for path in edits} <= {"password", "client_key", "auth_token"}
    repository.commit()
    assert repository.run("apply", "--stage", "dev", "--yes").status == 0
    assert repository.run("plan", "--stage", "dev", "--detailed-exitcode").status == 0


def test_what_a_second_console_lacks_is_taken_out_of_its_stage(repository: PolicyRepository) -> None:
    with by_hand(repository.root, "dev") as console:
        console.put("Group", SAMPLES["Group"][0])
        console.put("Label", SAMPLES["Label"][0])
    adopt(repository, "dev", "--kind", "Group", "--kind", "Label")
    with by_hand(repository.root, "nonprod") as console:
        console.put("Label", SAMPLES["Label"][0])
    written = adopt(repository, "nonprod", "--kind", "Group", "--kind", "Label")
    assert written == [f"{NONPROD}group/payments.yaml"]
    assert files(repository)[written[0]]["metadata"] == {"name": "payments", "absent": True}
    in_sync(repository, "dev", "nonprod")
