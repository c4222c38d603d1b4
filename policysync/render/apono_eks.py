"""Access entries, by which EKS lets the connector in: as a template, and as the input of two calls.

Source: reference, connectors 4.3.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

_POLICY = "arn:{partition}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
ROLE = "<output AponoConnectorRoleArn>"


def entries_template(clusters: Sequence[str], region: str) -> dict[str, Any]:
    """Return a CloudFormation template with an access entry for each cluster of one region."""
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Lets the Apono connector into EKS clusters",
        "Parameters": {
            "ConnectorRoleArn": {"Type": "String", "AllowedPattern": "arn:aws[a-z-]*:iam::[0-9]{12}:role/.+"},
        },
        "Resources": {
            name: {
                "Type": "AWS::EKS::AccessEntry",
                "Properties": {
                    "ClusterName": cluster,
                    "PrincipalArn": {"Ref": "ConnectorRoleArn"},
                    "Type": "STANDARD",
                    "AccessPolicies": [{"PolicyArn": _policy(region), "AccessScope": {"Type": "cluster"}}],
                },
            }
            for name, cluster in zip(_logical(clusters), clusters, strict=True)
        },
    }


def entry_commands(clusters: Sequence[str], region: str) -> list[dict[str, Any]]:
    """Return, in order, the calls of the AWS command line and what each takes as `--cli-input-json`."""
    return [
        call
        for cluster in clusters
        for call in (
            {
                "command": ["aws", "eks", "create-access-entry", "--region", region],
                "input": {"clusterName": cluster, "principalArn": ROLE, "type": "STANDARD"},
            },
            {
                "command": ["aws", "eks", "associate-access-policy", "--region", region],
                "input": {
                    "clusterName": cluster,
                    "principalArn": ROLE,
                    "policyArn": _policy(region),
                    "accessScope": {"type": "cluster"},
                },
            },
        )
    ]


def _policy(region: str) -> str:
    """Return the ARN of the policy, which each partition of AWS has under its own name."""
    own = (name for name in ("aws-cn", "aws-us-gov") if region.startswith(f"{name.removeprefix('aws-')}-"))
    return _POLICY.format(partition=next(own, "aws"))


def _logical(clusters: Sequence[str]) -> list[str]:
    """Return a name for each cluster's resource; two clusters may differ only in what such names cannot hold."""
    plain = ["".join(part.capitalize() for part in re.split(r"[^A-Za-z0-9]+", cluster)) for cluster in clusters]
    return [f"Entry{at}{name}" if plain.count(name) > 1 else f"Entry{name}" for at, name in enumerate(plain, start=1)]
