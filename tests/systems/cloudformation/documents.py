"""Documents and targets for the stand-in templates."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from systems.cloudformation.engine import HERE, REGION, Engine, Network

TOKEN = "token-of-the-connector"
ORGANIZATION = {"organizationId": "o-k012345a67", "organizationUnitId": "r-1a2b"}
FULL, READ_ONLY = "Full-Access (Manage IAM)", "Read-Only (Discovery)"
CONNECTOR_STACK = "apono-connector-eu-1"
ROLE_STACK = "apono-aws-organization-integration"


def connector(account: str, network: Network, **members: Any) -> dict[str, Any]:
    """Return what a document says of a connector; `members` go over it."""
    return {
        "connectorId": "eu-1",
        "aws": {"accountId": account, "region": REGION, "vpcId": network.vpc, "subnetIds": list(network.subnets)},
        "tokenFrom": {"env": "APONO_CONNECTOR_TOKEN"},
        "install": {"cloudFormation": {"templateFile": "templates/connector-ecs.yaml"}},
        **members,
    }


def organization_role(account: str, **members: Any) -> dict[str, Any]:
    """Return what a document says of a role in the management account."""
    return {
        "connectorRef": "eu-1",
        "aws": {"accountId": account, "region": REGION, **ORGANIZATION},
        "templateFile": "templates/organization-role.yaml",
        **members,
    }


def document(kind: str, name: str, spec: Mapping[str, Any]) -> str:
    """Return a document as it stands in git."""
    envelope = {"apiVersion": "policysync/v1", "kind": kind, "metadata": {"name": name}, "spec": dict(spec)}
    return yaml.safe_dump(envelope, sort_keys=False)


def target(engine: Engine, account: str, name: str) -> dict[str, Any]:
    """Return a target of policysync.yaml; its profile is called like the account."""
    options = {"account": account, "region": REGION, "profile": account, "endpoint_url": engine.url}
    return {"name": name, "backend": "cloudformation", "options": options}


def with_credentials(folder: Path, *accounts: str) -> Path:
    """Write an AWS credentials file with a profile for each account."""
    file = folder / "credentials"
    profiles = (f"[{account}]\naws_access_key_id = {account}\naws_secret_access_key = test\n" for account in accounts)
    file.write_text("".join(profiles), encoding="utf-8")
    return file


def with_templates(folder: Path) -> None:
    """Put the stand-in templates into a policy repository."""
    (folder / "templates").mkdir(exist_ok=True)
    for file in HERE.glob("*.yaml"):
        shutil.copy(file, folder / "templates")
