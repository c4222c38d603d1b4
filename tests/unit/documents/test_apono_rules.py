"""The rules of Apono's kinds: what a document may not say, and what it is told."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from policysync.documents.project import load_project
from policysync.documents.validate import validate
from policysync.documents.verdict import open_engine, verdict
from policysync.documents.worktree import WorkTree
from policysync.errors import Problem
from policysync.kinds.load import load_kinds

KINDS = load_kinds()
ENGINES = [open_engine(name) for name in ("rust", "python")]
AWS = {
    "accountId": "111122223333",
    "region": "us-east-1",
    "vpcId": "vpc-0a1b2c3d4e5f60718",
    "subnetIds": ["subnet-0aa11bb22cc33dd44"],
}
IDS = {"organizationId": "o-k012345a67", "organizationUnitId": "r-1a2b"}
CONNECTOR: dict[str, Any] = {
    "connectorId": "eu-1",
    "aws": AWS,
    "tokenFrom": {"env": "TOKEN"},
    "install": {"cloudFormation": {"templateUrl": "https://templates.corp.example/connector.yml"}},
}
ROLE: dict[str, Any] = {
    "name": "org",
    "connectorRef": "eu-1",
    "aws": {"accountId": "999988887777", "region": "us-east-1", **IDS},
}
INTEGRATION: dict[str, Any] = {
    "name": "db",
    "displayName": "Orders",
    "type": "postgresql",
    "connectorRef": "eu-1",
    "connectedResourceTypes": ["postgresql-table"],
    "config": {"hostname": "db.example"},
}
FULL = "Full-Access (Manage IAM)"
EXTRA = "install/cloudFormation/extraParameters"
GROUPS = {"groups": ["platform-admins"]}


def terraform(**members: Any) -> dict[str, Any]:
    return {"install": {"method": "terraform-ecs", "terraform": members}}


def extra(**parameters: str) -> dict[str, Any]:
    return {"install": {"cloudFormation": {**CONNECTOR["install"]["cloudFormation"], "extraParameters": parameters}}}


def told(kind: str, spec: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return pointer and code of everything that is wrong; both engines have to agree."""
    found = [{("/".join(f.path), f.code) for f in verdict(engine, KINDS[kind], spec)} for engine in ENGINES]
    assert found[0] == found[1]
    return found[0]


GOOD = [
    ("AponoConnector", CONNECTOR, {}),
    ("AponoConnector", CONNECTOR, {"scope": "organization", "permissions": FULL, "aws": {**AWS, **IDS}}),
    ("AponoConnector", CONNECTOR, extra(TaskCpu="256", TokenTtl="60")),
    ("AponoConnector", CONNECTOR, {"eks": GROUPS}),
    ("AponoConnector", CONNECTOR, {"eks": GROUPS, "minimumVersion": "v1.8.0"}),
    ("AponoConnector", CONNECTOR, {"eks": GROUPS, **terraform(moduleRef="v1.0.40")}),
    ("AponoConnector", CONNECTOR, terraform(moduleRef="v1.0.37")),
    ("AponoConnector", CONNECTOR, terraform(moduleRef="v1.1.0", numberOfInstances=2, roleName="apono")),
    ("AponoConnector", CONNECTOR, {"aws": {k: AWS[k] for k in ("accountId", "region")}, "install": {"method": "helm"}}),
    ("AponoOrganizationRole", ROLE, {}),
    ("AponoOrganizationRole", ROLE, {"connectorRoleArn": "arn:aws:iam::111122223333:role/x"}),
    ("AponoIntegration", INTEGRATION, {"secretStore": {"aws": {"region": "eu-west-1", "secret_id": "db"}}}),
]


@pytest.mark.parametrize(("kind", "base", "over"), GOOD)
def test_what_is_right_is_taken(kind: str, base: dict[str, Any], over: dict[str, Any]) -> None:
    assert told(kind, {**base, **over}) == set()


WRONG: list[tuple[str, dict[str, Any], dict[str, Any], str, str]] = [
    ("AponoConnector", CONNECTOR, {"scope": "organization"}, "aws/organizationId", "organization-scope"),
    ("AponoConnector", CONNECTOR, {"aws": {**AWS, **IDS}}, "aws/organizationId", "organization-scope"),
    (
        "AponoConnector",
        CONNECTOR,
        {"scope": "organization", "aws": {**AWS, **IDS}},
        "permissions",
        "organization-permissions",
    ),
    ("AponoConnector", CONNECTOR, extra(SubnetIDs="subnet-1"), f"{EXTRA}/SubnetIDs", "parameter-of-a-field"),
    ("AponoConnector", CONNECTOR, extra(ConnectorToken="clear"), f"{EXTRA}/ConnectorToken", "literal-secret"),
    (
        "AponoConnector",
        CONNECTOR,
        {"scope": "organization", "aws": {**AWS, **IDS, "organizationUnitId": "ou-1a2b-abcdefgh"}},
        "aws/organizationUnitId",
        "organization-root",
    ),
    (
        "AponoConnector",
        CONNECTOR,
        {"scope": "organization", "aws": {**AWS, **IDS, "organizationId": "r-1a2b"}},
        "aws/organizationId",
        "organization-id",
    ),
    ("AponoConnector", CONNECTOR, {"connectorId": "eu_1"}, "connectorId", "pattern"),
    ("AponoConnector", CONNECTOR, {"aws": {**AWS, "subnetIds": []}}, "aws/subnetIds", "length"),
    ("AponoConnector", CONNECTOR, {"aws": {k: AWS[k] for k in ("accountId", "region")}}, "aws/vpcId", "network"),
    ("AponoConnector", CONNECTOR, {"permissions": "Full-Access"}, "permissions", "enum"),
    ("AponoConnector", CONNECTOR, {"install": {}}, "install/cloudFormation", "template"),
    ("AponoConnector", CONNECTOR, {"eks": {"groups": ["eks:admins"]}}, "eks/groups/0", "eks-group"),
    ("AponoConnector", CONNECTOR, {"eks": {"groups": ["system:masters"]}}, "eks/groups/0", "eks-group"),
    ("AponoConnector", CONNECTOR, {"eks": {"groups": ["AmazonEKSViewPolicy"]}}, "eks/groups/0", "eks-group"),
    ("AponoConnector", CONNECTOR, {"eks": GROUPS, "minimumVersion": "1.7.7"}, "minimumVersion", "minimum-version"),
    (
        "AponoConnector",
        CONNECTOR,
        {"eks": GROUPS, **terraform(moduleRef="v1.0.39")},
        "install/terraform/moduleRef",
        "minimum-version",
    ),
    (
        "AponoConnector",
        CONNECTOR,
        {"eks": GROUPS, "install": {"method": "helm", "helm": {"imageTag": "v1.7.6"}}},
        "install/helm/imageTag",
        "minimum-version",
    ),
    (
        "AponoConnector",
        CONNECTOR,
        terraform(moduleRef="v1.0.37", numberOfInstances=2),
        "install/terraform/numberOfInstances",
        "module-version",
    ),
    (
        "AponoConnector",
        CONNECTOR,
        terraform(moduleRef="v1.0.38", logGroupRetentionInDays=90),
        "install/terraform/logGroupRetentionInDays",
        "module-version",
    ),
    (
        "AponoConnector",
        CONNECTOR,
        terraform(moduleRef="v1.0.40", roleName="apono"),
        "install/terraform/roleName",
        "module-version",
    ),
    ("AponoConnector", CONNECTOR, {"tags": {"managed-by": "me"}}, "tags", "tags"),
    (
        "AponoOrganizationRole",
        ROLE,
        {"connectorRoleArn": "arn:aws:iam::111122223333:role/x", "connectorRoleArnFrom": {"stackOutput": "A"}},
        "",
        "role-arn",
    ),
    ("AponoOrganizationRole", ROLE, {"aws": {**ROLE["aws"], "organizationId": "o-1"}}, "aws/organizationId", ""),
    ("AponoIntegration", INTEGRATION, {"config": {"port": 5432}}, "config/port", "type"),
    ("AponoIntegration", INTEGRATION, {"config": {"db_password": "clear"}}, "config/db_password", "literal-secret"),
    ("AponoIntegration", INTEGRATION, {"connectedResourceTypes": []}, "connectedResourceTypes", "length"),
    ("AponoIntegration", INTEGRATION, {"secretStore": {"apono": {"parameters": {}}}}, "secretStore", "secret-store"),
    ("AponoIntegration", INTEGRATION, {"customAccessDetails": "x" * 401}, "customAccessDetails", "length"),
]


@pytest.mark.parametrize(("kind", "base", "over", "at", "code"), WRONG)
def test_what_is_wrong_is_told_where_it_stands(
    kind: str, base: dict[str, Any], over: dict[str, Any], at: str, code: str
) -> None:
    found = told(kind, {**base, **over})
    assert any(path.startswith(at) and (not code or said == code) for path, said in found), found


def problems(root: Path, *documents: tuple[str, str, Mapping[str, Any]]) -> list[Problem]:
    """Return what is wrong with some documents together."""
    (root / "policysync.yaml").write_text("version: 1\nstages: [{name: dev}]\n", encoding="utf-8")
    (root / "policies" / "base").mkdir(parents=True, exist_ok=True)
    texts = [
        yaml.safe_dump({"apiVersion": "policysync/v1", "kind": kind, "metadata": {"name": name}, "spec": dict(spec)})
        for kind, name, spec in documents
    ]
    (root / "policies" / "base" / "all.yaml").write_text("---\n".join(texts), encoding="utf-8")
    project = load_project(root, {})
    return [*validate(WorkTree(root), project, project.stages, KINDS).problems]


def test_the_account_of_the_role_has_no_connector_of_its_own(tmp_path: Path) -> None:
    here = copy.deepcopy(CONNECTOR)
    here["aws"]["accountId"] = ROLE["aws"]["accountId"]
    documents = (("AponoConnector", "eu-1", here), ("AponoOrganizationRole", "org", ROLE))
    (problem,) = problems(tmp_path, *documents)
    assert (problem.code, problem.pointer) == ("role-collision", "/spec/aws/accountId")
    assert "both make roles of the same names" in problem.message
    assert problems(tmp_path, ("AponoConnector", "eu-1", CONNECTOR), documents[1]) == []


def test_two_resources_are_not_one_stack(tmp_path: Path) -> None:
    second = {**ROLE, "name": "second"}
    (problem,) = problems(
        tmp_path,
        ("AponoConnector", "eu-1", CONNECTOR),
        ("AponoOrganizationRole", "org", ROLE),
        ("AponoOrganizationRole", "second", second),
    )
    assert (problem.code, problem.pointer) == ("same-stack", "/spec")
    assert problem.message.startswith("AponoOrganizationRole/org (policies/base/all.yaml:")


def test_a_name_apono_shows_is_taken_once(tmp_path: Path) -> None:
    second = {**INTEGRATION, "name": "second"}
    found = problems(
        tmp_path,
        ("AponoConnector", "eu-1", CONNECTOR),
        ("AponoIntegration", "db", INTEGRATION),
        ("AponoIntegration", "second", second),
    )
    assert [problem.code for problem in found] == ["same-name"]


def test_a_connector_that_is_not_there_is_missed(tmp_path: Path) -> None:
    found = problems(tmp_path, ("AponoOrganizationRole", "org", ROLE), ("AponoIntegration", "db", INTEGRATION))
    assert [problem.code for problem in found] == ["dangling-reference", "dangling-reference"]


def test_what_has_no_place_beside_a_file_is_seen_when_only_that_file_is_asked_about(tmp_path: Path) -> None:
    here = copy.deepcopy(CONNECTOR)
    here["aws"]["accountId"] = ROLE["aws"]["accountId"]
    elsewhere = {**INTEGRATION, "displayName": "Payments", "connectorRef": "nobody"}
    files = {
        "connector.yaml": ("AponoConnector", "eu-1", here),
        "other.yaml": ("AponoConnector", "eu-2", {**CONNECTOR, "connectorId": "eu-2", "tokenFrom": {"nope": "x"}}),
        "role.yaml": ("AponoOrganizationRole", "org", {**ROLE, "connectorRef": "eu-2"}),
        "db.yaml": ("AponoIntegration", "db", {**INTEGRATION, "connectorRef": "eu-1"}),
        "copy.yaml": ("AponoIntegration", "copy", {**INTEGRATION, "name": "copy", "connectorRef": "eu-1"}),
        "apart.yaml": ("AponoIntegration", "apart", {**elsewhere, "name": "apart"}),
    }
    folder = tmp_path / "policies" / "base"
    folder.mkdir(parents=True)
    (tmp_path / "policysync.yaml").write_text("version: 1\nstages: [{name: dev}]\n", encoding="utf-8")
    for file, (kind, name, spec) in files.items():
        document = {"apiVersion": "policysync/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        (folder / file).write_text(yaml.safe_dump(document), encoding="utf-8")
    project = load_project(tmp_path, {})

    def codes(file: str) -> set[tuple[str, str]]:
        asked = [f"policies/base/{file}"]
        found = validate(WorkTree(tmp_path), project, project.stages, load_kinds(), files=asked).problems
        return {(problem.where.file.removeprefix("policies/base/"), problem.code) for problem in found}

    collision = ("role.yaml", "role-collision")
    assert collision in codes("role.yaml")
    assert collision in codes("connector.yaml")
    assert {file for file, _ in codes("connector.yaml")} <= {"role.yaml", "db.yaml", "copy.yaml", "connector.yaml"}
    (same,) = {found for file in ("db.yaml", "copy.yaml") for found in codes(file) if found[1] == "same-name"}
    assert same in codes("db.yaml") & codes("copy.yaml")
    assert codes("apart.yaml") == {("apart.yaml", "dangling-reference")}


def test_every_parameter_a_field_stands_for_is_refused_among_the_further_ones() -> None:
    for name in KINDS["AponoConnector"].api["stack"]["parameters"]:
        assert (f"{EXTRA}/{name}", "parameter-of-a-field") in told(
            "AponoConnector", {**CONNECTOR, **extra(**{name: "x"})}
        )
