"""The story of stacks through the command line: from empty to in sync, edited by hand, healed, rotated, deleted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from acceptance.policy_repository import PolicyRepository, new_repository

from systems.cloudformation.documents import (
    CONNECTOR_STACK,
    FULL,
    ORGANIZATION,
    READ_ONLY,
    ROLE_STACK,
    connector,
    document,
    organization_role,
    target,
    with_credentials,
    with_templates,
)
from systems.cloudformation.engine import Engine

MEMBER, MANAGEMENT = "111122223333", "999988887777"
FIRST, SECOND = "the-first-token-of-all", "the-second-token-of-all"


@pytest.fixture
def repository(aws: Engine, tmp_path: Path) -> PolicyRepository:
    """A policy repository with a connector in one account and the organization's role in another."""
    made = new_repository(
        tmp_path / "repo",
        AWS_SHARED_CREDENTIALS_FILE=str(with_credentials(tmp_path, MEMBER, MANAGEMENT)),
        APONO_CONNECTOR_TOKEN=FIRST,
    )
    targets = [target(aws, MEMBER, "member"), target(aws, MANAGEMENT, "management")]
    made.write("policysync.yaml", yaml.safe_dump({"version": 1, "stages": [{"name": "dev", "targets": targets}]}))
    spec = connector(MEMBER, aws.network(MEMBER), scope="organization", permissions=FULL)
    spec["aws"] |= ORGANIZATION
    made.write("policies/base/connector.yaml", document("AponoConnector", "eu-1", spec))
    made.write("policies/base/role.yaml", document("AponoOrganizationRole", "org", organization_role(MANAGEMENT)))
    with_templates(made.root)
    made.commit()
    return made


def leave_behind(aws: Engine) -> None:
    """Put what is left of a stack that never came to be in the place of the role's."""
    cloud, tags = aws.client("cloudformation", MANAGEMENT), aws.stack(MANAGEMENT, ROLE_STACK)["Tags"]
    cloud.delete_stack(StackName=ROLE_STACK)
    body = json.dumps({"Resources": {"Topic": {"Type": "AWS::SNS::Topic"}}})
    members = {"ChangeSetName": "left", "ChangeSetType": "CREATE", "TemplateBody": body, "Tags": tags}
    cloud.create_change_set(StackName=ROLE_STACK, **members)
    assert aws.stack(MANAGEMENT, ROLE_STACK)["StackStatus"] == "REVIEW_IN_PROGRESS"


def test_two_stacks_in_two_accounts_from_empty_to_deleted(aws: Engine, repository: PolicyRepository) -> None:
    empty = repository.run("plan", "--stage", "dev", "--detailed-exitcode")
    assert (empty.status, aws.stacks(MEMBER), aws.stacks(MANAGEMENT)) == (2, [], [])
    assert "its role can create roles and attach policies in account 111122223333" in empty.out
    assert "resources of 5 types, among them AWS::IAM::Role" in empty.out

    applied = repository.run("-v", "apply", "--stage", "dev", "--yes")
    assert applied.status == 0, applied.err
    assert "Role CREATE_COMPLETE" in applied.err
    made = aws.stack(MEMBER, CONNECTOR_STACK)
    assert {"Key": "managed-by", "Value": "policysync"} in made["Tags"]
    assert {"Key": "policysync.io/name", "Value": "AponoConnector/eu-1"} in made["Tags"]
    (arn,) = (output["OutputValue"] for output in made["Outputs"] if output["OutputKey"] == "AponoConnectorRoleArn")
    given = {p["ParameterKey"]: p["ParameterValue"] for p in aws.stack(MANAGEMENT, ROLE_STACK)["Parameters"]}
    assert given["ConnectorRoleArn"] == arn

    in_sync = repository.run("plan", "--stage", "dev", "--detailed-exitcode")
    assert in_sync.status == 0, in_sync.out

    aws.edit(MEMBER, CONNECTOR_STACK, Permissions=READ_ONLY)
    drifted = repository.run("drift", "--stage", "dev")
    assert drifted.status == 2
    assert f'permissions: "{FULL}" → "{READ_ONLY}"  (drift, stricter)' in drifted.out

    healing = repository.run("plan", "--stage", "dev")
    assert "Role (AWS::IAM::Role) changes in place: Description (rights)" in healing.out
    assert repository.run("apply", "--stage", "dev", "--yes").status == 0

    repository.environ["APONO_CONNECTOR_TOKEN"] = SECOND
    assert repository.run("drift", "--stage", "dev").status == 0
    waiting = repository.run("plan", "--stage", "dev")
    assert '"APONO_CONNECTOR_TOKEN (another value)" → "APONO_CONNECTOR_TOKEN"' in waiting.out
    assert "drift" not in waiting.out
    rotated = repository.run("apply", "--stage", "dev", "--yes")
    assert "Apply to member: 1 applied." in rotated.out

    leave_behind(aws)
    repository.git("rm", "-q", "policies/base/connector.yaml", "policies/base/role.yaml")
    repository.commit()
    gone = repository.run("apply", "--stage", "dev", "--prune", "--yes", "--allow", "empty-desired")
    assert gone.status == 0, gone.err
    # The role refers to the connector, in the account that is listed first.
    assert gone.out.index("Apply to management: 1 applied.") < gone.out.index("Apply to member: 1 applied.")
    assert (aws.stacks(MEMBER), aws.stacks(MANAGEMENT)) == ([], [])
    everything = "".join(ran.out + ran.err for ran in (empty, applied, drifted, healing, rotated, gone))
    assert FIRST not in everything
    assert SECOND not in everything
