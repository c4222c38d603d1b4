"""Stacks whose answers are told beforehand, by botocore's stubber."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from policysync.backends.cloudformation.account import Account
from policysync.backends.cloudformation.backend import CloudFormation
from policysync.backends.cloudformation.options import Options
from policysync.backends.cloudformation.stacks import Stacks
from policysync.backends.means import Means
from policysync.clock import FakeClock
from policysync.documents.project import Limits
from policysync.kinds.load import load_kinds
from policysync.secret import Secret
from policysync.state.normalize import desired_spec
from policysync.state.resource import Address, Resource

KINDS = load_kinds()
KIND = KINDS["AponoOrganizationRole"]
NAME, ACCOUNT, REGION = "apono-aws-organization-integration", "999988887777", "eu-west-1"
ID = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{NAME}/1"
ARN = "arn:aws:iam::111122223333:role/connector"
SPEC = {
    "name": "org",
    "connectorRef": "eu-1",
    "connectorRoleArn": ARN,
    "aws": {
        "accountId": ACCOUNT,
        "region": REGION,
        "organizationId": "o-k012345a67",
        "organizationUnitId": "r-1a2b",
    },
}
ROLE = Resource(Address(KIND.name, "org"), desired_spec(KIND, SPEC))
OURS = [{"Key": "managed-by", "Value": "policysync"}, {"Key": "policysync.io/name", "Value": str(ROLE.address)}]
PARAMETERS = {
    "AponoConnectorId": "eu-1",
    "ConnectorRoleArn": ARN,
    "OrganizationId": "o-k012345a67",
    "OrganizationUnitId": "r-1a2b",
    "Permissions": "Full-Access (Manage IAM)",
}
SUMMARY = {
    "Parameters": [{"ParameterKey": name, "ParameterType": "String"} for name in PARAMETERS],
    "Capabilities": ["CAPABILITY_NAMED_IAM"],
    "ResourceTypes": ["AWS::IAM::Role"],
}


def described(status: str, *, tags: Any = OURS, reason: str = "", **members: Any) -> dict[str, Any]:
    parameters = [{"ParameterKey": name, "ParameterValue": value} for name, value in PARAMETERS.items()]
    stack = {"StackName": NAME, "StackId": ID, "StackStatus": status, "CreationTime": "2026-01-01", "Tags": tags}
    return {"Stacks": [{**stack, "Parameters": parameters, "StackStatusReason": reason, **members}]}


@cache
def _session() -> Any:
    return import_module("boto3").session.Session()


class Stubbed:
    """A backend whose answers are told beforehand, in order."""

    def __init__(self, root: Path, services: Sequence[str] = ("cloudformation", "sts")) -> None:
        clock = FakeClock()
        means = Means(KINDS, Secret, lambda call: call(), Limits(requests_per_second=0), None, clock, root)
        self.account = Account(Options(account=ACCOUNT, region=REGION), means)
        self.clock = clock
        self.stubs: dict[str, Any] = {}
        for service in services:
            keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": REGION}
            client = _session().client(service, **keys)
            self.stubs[service] = import_module("botocore.stub").Stubber(client)
            self.stubs[service].activate()
            self.account._clients[service, REGION] = client
        self.backend = CloudFormation(Stacks(self.account), Options(account=ACCOUNT, region=REGION), means)
        self.backend.expect({ROLE.address: ROLE.spec})
        self.stubs["sts"].add_response("get_caller_identity", {"Account": ACCOUNT})

    def says(self, operation: str, answer: Mapping[str, Any], *, service: str = "cloudformation") -> None:
        self.stubs[service].add_response(operation, dict(answer))

    def fails(self, operation: str, code: str, message: str, status: int = 400) -> None:
        self.stubs["cloudformation"].add_client_error(operation, code, message, status)

    def live(self) -> Resource | None:
        return next(iter(self.backend.read(KIND, frozenset({"org"}))), None)
