"""A connector → the vendor's Terraform module, in JSON syntax.

Source: reference, connectors 4.2 and apono-terraform-modules.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from policysync.render.stack import OWNER

_SINCE = {"numberOfInstances": (1, 0, 38), "logGroupRetentionInDays": (1, 0, 39), "roleName": (1, 0, 41)}
"""The first module that has a variable; older ones refuse it."""

_USUAL = {"moduleRef": "v1.0.41", "assignPublicIp": True, "numberOfInstances": 1, "logGroupRetentionInDays": 30}

MODULES = {"Full-Access (Manage IAM)": "with", "Read-Only (Discovery)": "without"}
"""The level of permission selects the module."""


def terraform_module(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return one module block; the token is a sensitive variable that the caller supplies."""
    said = {**_USUAL, **spec["install"].get("terraform", {})}
    level, tag = MODULES[spec["permissions"]], said["moduleRef"]
    label = "apono_connector_" + re.sub(r"[^A-Za-z0-9_]", "_", spec["connectorId"])
    path = f"aws/connector-{level}-permissions/stacks/apono-connector"
    known = [name for name in ("assignPublicIp", *_SINCE) if name in said and _version(tag) >= _SINCE.get(name, ())]
    variables = {name: _literal(said[name]) if name == "roleName" else said[name] for name in known}
    tags = {_literal(name): _literal(value) for name, value in spec.get("tags", {}).items()}
    module = {
        "source": f"github.com/apono-io/terraform-modules//{path}?ref={tag}",
        "connectorId": spec["connectorId"],
        "aponoToken": "${var.apono_token}",
        "vpcId": spec["aws"]["vpcId"],
        "subnetIds": spec["aws"]["subnetIds"],
        **variables,
        "tags": {**tags, **OWNER},
    }
    return {
        "variable": {"apono_token": {"type": "string", "sensitive": True}},
        "module": {label: module},
        "output": {"connector_role_arn": {"value": f"${{module.{label}.connector_role_arn}}"}},
    }


def _literal(text: str) -> str:
    """Return a text that Terraform takes as it is: `${` and `%{` begin a template in every string of its JSON."""
    return text.replace("${", "$${").replace("%{", "%%{")


def _version(tag: str) -> tuple[int, ...]:
    return tuple(int(part) for part in tag.lstrip("v").split("."))
