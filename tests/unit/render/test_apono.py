"""Every example of the reference is rendered, and compared with what has to come out of it, as data."""

from __future__ import annotations

import copy
import json
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from policysync.kinds.load import load_kinds
from policysync.plan.diff import diff
from policysync.render.listed import RENDERERS
from policysync.render.stack import Output, stack_of, values_of
from policysync.state.normalize import desired_spec, live_spec
from policysync.state.resource import Address, Resource

EXAMPLES = Path(__file__).parent / "examples"
KINDS = load_kinds()
ARN = "arn:aws:iam::111122223333:role/apono-connector-role-abc"


def example(name: str) -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8"))
    return document


def rendered(document: dict[str, Any]) -> dict[str, str]:
    kind = KINDS[document["kind"]]
    name = document["metadata"]["name"]
    spec = desired_spec(kind, {kind.key[0]: name, **document["spec"]})
    made = RENDERERS[kind.schema["x-render"]["by"]](Resource(Address(kind.name, name), spec), kind)
    assert not any(artefact.secret for artefact in made)
    return {artefact.name: artefact.text for artefact in made}


def wanted(file: str) -> Any:
    text = (EXAMPLES / file).read_text(encoding="utf-8")
    return json.loads(text) if file.endswith(".json") else yaml.safe_load(text)


def test_the_stack_of_a_connector() -> None:
    made = json.loads(rendered(example("apono-connector"))["create-stack.json"])
    assert made == wanted("apono-connector.create-stack.json")


def test_the_terraform_module_of_a_connector() -> None:
    document = example("apono-connector")
    document["spec"]["install"] = {"method": "terraform-ecs", "terraform": {"assignPublicIp": False}}
    assert json.loads(rendered(document)["main.tf.json"]) == wanted("apono-connector.main.tf.json")


def test_the_values_of_a_connector() -> None:
    document = example("apono-connector")
    document["spec"]["install"] = {"method": "helm"}
    assert yaml.safe_load(rendered(document)["values.yaml"]) == wanted("apono-connector.helm-values.yaml")


def test_the_values_leave_the_token_to_a_secret_of_the_cluster() -> None:
    document = example("apono-connector")
    document["spec"] |= {"install": {"method": "helm"}, "tokenFrom": {"kubernetesSecret": {"name": "t", "key": "k"}}}
    wanted_values = wanted("apono-connector.helm-values.yaml")
    del wanted_values["apono"]["token"]
    assert yaml.safe_load(rendered(document)["values.yaml"]) == wanted_values


def test_the_stack_of_a_role_and_its_link() -> None:
    document = example("apono-organization-role")
    del document["spec"]["connectorRoleArnFrom"]
    document["spec"]["connectorRoleArn"] = ARN
    made = rendered(document)
    assert json.loads(made["create-stack.json"]) == wanted("apono-organization-role.create-stack.json")
    link = (EXAMPLES / "apono-organization-role.quickcreate.txt").read_text(encoding="utf-8")
    assert made["quickcreate.txt"].strip() == link.strip()


def test_a_role_whose_connector_is_not_there_yet_says_where_the_value_will_come_from() -> None:
    document = example("apono-organization-role")
    parameters = json.loads(rendered(document)["create-stack.json"])["Parameters"]
    said = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in parameters}
    assert said["ConnectorRoleArn"] == "<output AponoConnectorRoleArn of AponoConnector/prod-use1>"
    stack = stack_of(KINDS["AponoOrganizationRole"], desired_spec(KINDS["AponoOrganizationRole"], document["spec"]))
    assert stack.outputs == {"ConnectorRoleArn": Output("AponoConnectorRoleArn", "AponoConnector", "prod-use1")}


def test_the_request_of_an_integration() -> None:
    assert json.loads(rendered(example("apono-integration"))["request.json"]) == wanted(
        "apono-integration.request.json"
    )


def test_the_link_never_holds_the_token() -> None:
    link = rendered(example("apono-connector"))["quickcreate.txt"]
    query = parse_qs(urlsplit(link.strip()).fragment.partition("?")[2])
    assert query["param_SubnetIDs"] == ["subnet-0aa11bb22cc33dd44,subnet-0ee55ff6600778899"]
    assert not any("token" in name.lower() for name in query)
    assert "secret" not in link


@pytest.mark.parametrize(
    ("region", "console", "partition"),
    [
        ("us-gov-west-1", "console.amazonaws-us-gov.com", "aws-us-gov"),
        ("cn-north-1", "console.amazonaws.cn", "aws-cn"),
        ("eu-west-1", "console.aws.amazon.com", "aws"),
    ],
)
def test_a_partition_of_its_own_has_its_own_console_and_names(region: str, console: str, partition: str) -> None:
    document = example("apono-connector")
    document["spec"]["aws"]["region"] = region
    document["spec"]["eks"]["clusters"][0]["region"] = region
    made = rendered(document)
    assert urlsplit(made["quickcreate.txt"]).hostname == console
    for file in ("template", "commands"):
        assert f"arn:{partition}:eks::aws:cluster-access-policy" in made[f"access-entries.{region}.{file}.json"]


def test_an_older_module_gets_only_the_variables_it_knows() -> None:
    document = example("apono-connector")
    document["spec"]["permissions"] = "Read-Only (Discovery)"
    document["spec"]["install"] = {"method": "terraform-ecs", "terraform": {"moduleRef": "v1.0.37"}}
    (module,) = json.loads(rendered(document)["main.tf.json"])["module"].values()
    assert module["source"].endswith("//aws/connector-without-permissions/stacks/apono-connector?ref=v1.0.37")
    assert not {"numberOfInstances", "logGroupRetentionInDays", "roleName"} & module.keys()


def test_terraform_takes_no_text_of_a_document_for_a_template() -> None:
    document = example("apono-connector")
    document["spec"]["install"] = {"method": "terraform-ecs", "terraform": {"roleName": "${var.apono_token}"}}
    document["spec"]["tags"] = {"${a}": '%{ if true }${file("/etc/passwd")}'}
    (module,) = json.loads(rendered(document)["main.tf.json"])["module"].values()
    assert module["roleName"] == "$${var.apono_token}"
    assert module["tags"]["$${a}"] == '%%{ if true }$${file("/etc/passwd")}'
    assert module["aponoToken"] == "${var.apono_token}"


def test_access_entries_are_a_template_and_commands() -> None:
    document = copy.deepcopy(example("apono-connector"))
    document["spec"]["eks"]["clusters"] += [
        {"name": "pay-ments", "region": "us-east-1"},
        {"name": "orders", "region": "eu-west-1"},
    ]
    made = rendered(document)
    template = made["access-entries.us-east-1.template.json"]
    linting = import_module("cfnlint.api"), import_module("cfnlint.config")
    assert linting[0].lint(template, config=linting[1].ManualArgs(regions=["us-east-1"])) == []
    entries = json.loads(template)["Resources"]
    assert [entry["Properties"]["ClusterName"] for entry in entries.values()] == ["pay-ments", "payments"]
    commands = json.loads(made["access-entries.eu-west-1.commands.json"])
    assert [command["command"][2] for command in commands] == ["create-access-entry", "associate-access-policy"]
    assert {command["input"]["clusterName"] for command in commands} == {"orders"}


@pytest.mark.parametrize("name", ["apono-connector", "apono-organization-role"])
def test_what_a_stack_is_made_of_says_what_it_was_made_from(name: str) -> None:
    document = example(name)
    kind = KINDS[document["kind"]]
    stack = stack_of(kind, desired_spec(kind, document["spec"]))
    said = values_of(kind, stack.parameters)
    for member in ("scope", "permissions"):
        assert said.get(member) == document["spec"].get(member)
    organization = {n: v for n, v in document["spec"]["aws"].items() if n not in ("accountId", "region")}
    assert said["aws"] == organization


@pytest.mark.parametrize(
    ("stated", "path"),
    [
        ({"tags": {"team": "platform"}}, ("tags", "team")),
        (
            {"install": {"cloudFormation": {"extraParameters": {"Cpu": "256"}}}},
            ("install", "cloudFormation", "extraParameters", "Cpu"),
        ),
    ],
)
def test_what_a_document_has_no_more_is_taken_back(stated: dict[str, Any], path: tuple[str, ...]) -> None:
    kind = KINDS["AponoConnector"]
    aws = {"accountId": "111122223333", "region": "us-east-1"}
    before = live_spec(kind, {"connectorId": "eu-1", "aws": aws, **stated})
    edits = diff(kind.root, desired_spec(kind, {"connectorId": "eu-1", "aws": aws}), before)
    assert path in {edit.path for edit in edits}
