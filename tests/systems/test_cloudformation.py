"""The backend for stacks, against a real engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from policysync.backends.cloudformation.backend import CloudFormation
from policysync.backends.port import Level
from policysync.documents.project import Target
from policysync.emulator.apono import Tenant
from policysync.emulator.apono import connector as seen
from policysync.errors import Refused
from policysync.plan.change import Action, Change
from policysync.state.resource import Resource
from systems.apono_tenant import serving
from systems.cloudformation.connected import (
    KINDS,
    change,
    connected,
    desired,
    differences,
    gone,
    live,
    make,
    options_of,
)
from systems.cloudformation.documents import (
    CONNECTOR_STACK,
    FULL,
    ORGANIZATION,
    READ_ONLY,
    connector,
    organization_role,
    with_credentials,
    with_templates,
)
from systems.cloudformation.engine import ANY_NETWORK, Engine

CONNECTOR = KINDS["AponoConnector"]


@pytest.fixture
def root(tmp_path: Path, account: str) -> Path:
    """A policy repository's folder with the templates; the account has a profile."""
    with_credentials(tmp_path, account, other(account))
    with_templates(tmp_path)
    return tmp_path


@pytest.fixture
def backend(aws: Engine, account: str, root: Path) -> Iterator[CloudFormation]:
    with connected(aws, account, root) as made:
        yield made


@pytest.fixture
def wanted(account: str) -> Resource:
    return desired("AponoConnector", "eu-1", connector(account, ANY_NETWORK))


def other(account: str) -> str:
    return f"2{account[1:]}"


def with_spec(resource: Resource, **members: Any) -> Resource:
    return desired(resource.address.kind, resource.address.name, {**resource.spec, **members})


def found(backend: CloudFormation, resource: Resource) -> Resource:
    live_one = live(backend, resource)
    assert live_one is not None
    return live_one


def test_a_stack_is_made_read_changed_and_deleted(
    aws: Engine, account: str, backend: CloudFormation, wanted: Resource
) -> None:
    assert backend.probe().identity == f"{account}/us-east-1"
    assert live(backend, wanted) is None
    make(backend, wanted)
    assert differences(wanted, found(backend, wanted)) == []
    assert list(backend.list(CONNECTOR)) == ["eu-1"]

    stronger = with_spec(wanted, permissions=FULL, tags={"team": "platform"})
    assert differences(stronger, found(backend, stronger)) == ["permissions", "tags/team"]
    backend.write(change(found(backend, stronger), stronger), CONNECTOR)
    assert differences(stronger, found(backend, stronger)) == []

    backend.write(gone(found(backend, stronger)), CONNECTOR)
    assert live(backend, stronger) is None
    assert aws.stacks(account) == []
    backend.write(gone(Resource(wanted.address, {}, id=CONNECTOR_STACK)), CONNECTOR)


def test_a_token_that_did_not_change_is_not_sent_again(
    aws: Engine, account: str, root: Path, backend: CloudFormation, wanted: Resource
) -> None:
    make(backend, wanted)
    before = {tag["Key"]: tag["Value"] for tag in aws.stack(account, CONNECTOR_STACK)["Tags"]}
    backend.write(change(found(backend, wanted), with_spec(wanted, permissions=FULL)), CONNECTOR)
    after = {tag["Key"]: tag["Value"] for tag in aws.stack(account, CONNECTOR_STACK)["Tags"]}
    assert after["policysync.io/secret"] == before["policysync.io/secret"]
    assert "token-of-the-connector" not in json.dumps(after)
    with connected(aws, account, root, secrets={"${env:APONO_CONNECTOR_TOKEN}": "another"}) as later:
        live_one = found(later, wanted)
        assert differences(with_spec(wanted, permissions=FULL), live_one) == ["tokenFrom/env"]
    with connected(aws, account, root, secrets={}) as without:
        assert differences(with_spec(wanted, permissions=FULL), found(without, wanted)) == []


def test_a_stack_under_another_name_is_found_by_its_mark_and_replaced(
    aws: Engine, account: str, backend: CloudFormation, wanted: Resource
) -> None:
    make(backend, wanted)
    moved = with_spec(
        wanted,
        install={"cloudFormation": {"stackName": "another", "templateFile": "templates/connector-ecs.yaml"}},
    )
    before = found(backend, moved)
    assert differences(moved, before) == ["install/cloudFormation/stackName"]
    backend.write(change(before, moved, replace=True), CONNECTOR)
    assert aws.stacks(account) == ["another"]


def test_a_template_edited_in_git_is_a_difference(root: Path, backend: CloudFormation, wanted: Resource) -> None:
    make(backend, wanted)
    file = root / "templates" / "connector-ecs.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("DesiredCount: 1", "DesiredCount: 2"), encoding="utf-8")
    assert differences(wanted, found(backend, wanted)) == ["install/cloudFormation/templateFile"]
    backend.write(change(found(backend, wanted), wanted), CONNECTOR)
    assert differences(wanted, found(backend, wanted)) == []


def test_what_the_template_asks_and_git_does_not_give_is_refused_before_anything_is_sent(
    aws: Engine, account: str, backend: CloudFormation, wanted: Resource
) -> None:
    bare = {"templateFile": "templates/connector-ecs.yaml"}
    for install, trouble in (
        ({**bare, "tokenParameter": "Wrong"}, "it has no parameter Wrong"),
        ({**bare, "extraParameters": {"Colour": "red"}}, "it has no parameter Colour"),
        ({**bare, "capabilities": ["CAPABILITY_IAM"]}, "it wants CAPABILITY_NAMED_IAM; state that in capabilities"),
        ({"templateFile": "templates/none.yaml"}, "cannot be read as a template"),
    ):
        with pytest.raises(Refused, match=trouble):
            make(backend, with_spec(wanted, install={"cloudFormation": install}))
    assert aws.stacks(account) == []


def test_nothing_is_written_with_the_credentials_of_another_account(
    aws: Engine, account: str, root: Path, wanted: Resource
) -> None:
    with (
        connected(aws, account, root, profile=other(account)) as backend,
        pytest.raises(Refused, match=f"belong to account {other(account)}, and the target says {account}"),
    ):
        backend.probe()
    with connected(aws, other(account), root) as backend:
        hindered = found(backend, wanted)
        assert hindered.hindrance is not None
        assert hindered.hindrance.reason == "wrong-account"
        with pytest.raises(Refused, match=f"belongs to account {account}, and the credentials to {other(account)}"):
            make(backend, wanted)
    assert aws.stacks(other(account)) == []


def test_a_role_is_assumed_to_get_into_another_account(aws: Engine, account: str, root: Path) -> None:
    there = other(account)
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "*"}]}
    aws.client("iam", there).create_role(RoleName="policysync", AssumeRolePolicyDocument=json.dumps(trust))
    role = f"arn:aws:iam::{there}:role/policysync"
    with connected(aws, there, root, profile=account, role_arn=role) as backend:
        assert backend.probe().identity == f"{there}/us-east-1"


def test_the_stack_of_another_resource_is_never_taken(account: str, backend: CloudFormation, wanted: Resource) -> None:
    make(backend, wanted)
    install = {"cloudFormation": {"stackName": CONNECTOR_STACK, "templateFile": "templates/connector-ecs.yaml"}}
    stranger = desired("AponoConnector", "us-1", {**wanted.spec, "connectorId": "us-1", "install": install})
    hindered = found(backend, stranger)
    assert hindered.hindrance is not None
    assert hindered.hindrance.reason == "another-resources-stack"
    with pytest.raises(Refused, match="does not carry the mark of AponoConnector/us-1"):
        backend.write(gone(hindered), CONNECTOR)


def test_a_stack_made_by_hand_is_not_deleted(
    aws: Engine, account: str, root: Path, backend: CloudFormation, wanted: Resource
) -> None:
    body = (root / "templates" / "organization-role.yaml").read_text(encoding="utf-8")
    given = {"AponoConnectorId": "a", "ConnectorRoleArn": f"arn:aws:iam::{account}:role/r", "Permissions": READ_ONLY}
    given |= {"OrganizationId": "o-k012345a67", "OrganizationUnitId": "r-1a2b"}
    aws.client("cloudformation", account).create_stack(
        StackName="by-hand",
        TemplateBody=body,
        Capabilities=["CAPABILITY_NAMED_IAM"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in given.items()],
    )
    aws.settle(account, "by-hand")
    stated = desired("AponoOrganizationRole", "org", organization_role(account, stackName="by-hand"))
    before = found(backend, stated)
    with pytest.raises(Refused, match="does not carry the mark"):
        backend.write(gone(before), KINDS["AponoOrganizationRole"])
    assert list(backend.list(KINDS["AponoOrganizationRole"])) == []


def test_a_stack_that_never_came_to_be_is_deleted_and_made_anew(
    aws: Engine, account: str, backend: CloudFormation, wanted: Resource
) -> None:
    roles = aws.client("iam", account)
    trust = {"Version": "2012-10-17", "Statement": []}
    roles.create_role(RoleName="apono-connector-role-eu-1", AssumeRolePolicyDocument=json.dumps(trust))
    cloud = aws.client("cloudformation", account)
    cloud.create_change_set(
        StackName=CONNECTOR_STACK,
        ChangeSetName="left-behind",
        ChangeSetType="CREATE",
        TemplateBody=json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}}),
        Tags=[
            {"Key": "managed-by", "Value": "policysync"},
            {"Key": "policysync.io/name", "Value": "AponoConnector/eu-1"},
        ],
    )
    assert aws.stack(account, CONNECTOR_STACK)["StackStatus"] == "REVIEW_IN_PROGRESS"
    roles.delete_role(RoleName="apono-connector-role-eu-1")
    assert live(backend, wanted) is None
    (sentence,) = (
        text for text in backend.preview(change_of_creation(wanted), CONNECTOR) if "never came to be" in text
    )
    assert "is deleted first, and then made anew" in sentence
    make(backend, wanted)
    assert differences(wanted, found(backend, wanted)) == []


def change_of_creation(resource: Resource) -> Change:
    return Change(Action.CREATE, resource.address, None, resource)


def test_the_role_takes_its_value_from_a_stack_in_another_account(
    aws: Engine, account: str, root: Path, backend: CloudFormation
) -> None:
    there, kind = other(account), KINDS["AponoOrganizationRole"]
    role = desired("AponoOrganizationRole", "org", organization_role(there))
    peer = Target("member", "cloudformation", options=options_of(aws, account))
    with connected(aws, there, root, peers=(peer,)) as management:
        with pytest.raises(Refused, match="AponoConnector/eu-1 has no stack in the targets of this stage"):
            make(management, role)
        stated = desired("AponoConnector", "eu-1", connector(account, ANY_NETWORK))
        make(backend, stated)
        make(management, role)
        assert differences(role, found(management, role)) == []
        aws.edit(there, role.spec["stackName"], ConnectorRoleArn=f"arn:aws:iam::{account}:role/another")
        assert differences(role, found(management, role)) == ["connectorRoleArnFrom/stackOutput"]
        management.write(change(found(management, role), role), kind)
        assert differences(role, found(management, role)) == []


def test_a_check_says_what_is_there_and_how_it_is(aws: Engine, account: str, backend: CloudFormation) -> None:
    wanted = desired("AponoConnector", "eu-1", connector(account, aws.network(account)))
    before = {sign.name: sign for sign in backend.check(wanted)}
    assert before["preflight/account"].level is Level.OK
    assert before["preflight/network"].reason == "public-address"
    assert before["preflight/template"].level is Level.OK
    assert before["preflight/token"].level is Level.OK
    assert before["health/stack"].reason == "absent"

    make(backend, wanted)
    healthy = {sign.name: sign for sign in backend.check(wanted)}
    assert [healthy[name].level for name in ("health/stack", "health/drift", "health/service")] == [Level.OK] * 3

    aws.client("iam", account).update_role(RoleName="apono-connector-role-eu-1", Description="by hand")
    drifted = {sign.name: sign for sign in backend.check(wanted)}["health/drift"]
    assert (drifted.level, drifted.reason) == (Level.WARNING, "stack-drifted")
    assert "Role (AWS::IAM::Role) modified at /Description" in drifted.message
    aws.client("ecs", account).update_service(cluster="apono-eu-1", service="apono-eu-1", desiredCount=0)


def test_a_check_finds_what_is_wrong_with_the_network(
    aws: Engine, account: str, backend: CloudFormation, wanted: Resource
) -> None:
    closed, strange = aws.network(account, way_out=False), aws.network(account)
    cases = {
        "no-route-out": {"vpcId": closed.vpc, "subnetIds": list(closed.subnets)},
        "subnet-of-another-vpc": {"vpcId": closed.vpc, "subnetIds": [*closed.subnets, strange.subnets[0]]},
        "network-missing": {"vpcId": "vpc-0123456789abcdef0", "subnetIds": ["subnet-0123456789abcdef0"]},
    }
    for reason, network in cases.items():
        resource = with_spec(wanted, aws={**wanted.spec["aws"], **network})
        signs = {sign.name: sign for sign in backend.check(resource)}
        assert signs["preflight/network"].reason == reason


def test_a_check_of_an_organization_and_a_cluster(aws: Engine, account: str, backend: CloudFormation) -> None:
    organizations = aws.client("organizations", account)
    organization = organizations.describe_organization()["Organization"]["Id"]
    root_id = organizations.list_roots()["Roots"][0]["Id"]
    for ids, reason in (
        (ORGANIZATION, "other-organization"),
        ({"organizationId": organization, "organizationUnitId": "r-zzzz"}, "other-root"),
        ({"organizationId": organization, "organizationUnitId": root_id}, ""),
    ):
        role = organization_role(account)
        role["aws"] |= ids
        signs = {sign.name: sign for sign in backend.check(desired("AponoOrganizationRole", "org", role))}
        assert signs["preflight/organization"].reason == reason
        assert signs["preflight/ConnectorRoleArn"].reason == "output-missing"


@pytest.mark.parametrize(
    "case",
    [
        ({}, "health/sessions", ""),
        ({"status": "DISCONNECTED"}, "health/connector", "disconnected"),
        ({"version": "1.7.7"}, "health/version", "version-below-minimum"),
        ({"is_latest_version": False}, "health/version", "not-latest"),
        ({"sessions": []}, "health/sessions", "fewer-sessions"),
        (None, "health/connector", "never-connected"),
    ],
    ids=lambda case: case[2] or "well",
)
def test_a_check_asks_the_vendor_how_the_connector_is(
    aws: Engine, wanted: Resource, root: Path, case: tuple[dict[str, Any] | None, str, str]
) -> None:
    members, name, reason = case
    account = wanted.spec["aws"]["accountId"]
    known = [] if members is None else [seen("eu-1", account, "us-east-1", **members)]
    with serving(Tenant(known)) as url:
        peer = Target("tenant", "apono", url, {"token": "${env:TENANT}"})
        with connected(aws, account, root, peers=(peer,)) as backend:
            signs = {sign.name: sign for sign in backend.check(with_spec(wanted, minimumVersion="1.7.8"))}
    assert signs[name].reason == reason
    # There is no stack of it, so whoever is connected is another one.
    assert ("preflight/connector-id" in signs) is (known != [] and reason != "disconnected")


def test_a_tenant_whose_token_is_not_there_is_one_sign(aws: Engine, wanted: Resource, root: Path) -> None:
    account = wanted.spec["aws"]["accountId"]
    peer = Target("tenant", "apono", "http://127.0.0.1:9", {"token": "${env:NOT_SET}"})
    with connected(aws, account, root, peers=(peer,)) as backend:
        signs = {sign.name: sign for sign in backend.check(wanted)}
    assert (signs["health/api"].level, signs["health/stack"].reason) == (Level.UNKNOWN, "absent")


def test_a_session_from_another_account_is_an_error(aws: Engine, account: str, root: Path, wanted: Resource) -> None:
    with serving(Tenant([seen("eu-1", other(account), "us-east-1")])) as url:
        peer = Target("tenant", "apono", url, {"token": "${env:TENANT}"})
        with connected(aws, account, root, peers=(peer,)) as backend:
            signs = {sign.name: sign for sign in backend.check(wanted)}
    assert signs["health/sessions"].reason == "session-of-another-account"
