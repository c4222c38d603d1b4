"""What one AquaCloudConnector expands to, by `install.method`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from policysync.kinds.kind import Kind
from policysync.render.aqua_helm import chart_arguments, helm_values
from policysync.render.aqua_objects import manifests, operator_resource
from policysync.render.aqua_tunnels import documented_file
from policysync.render.artefact import PLACEHOLDER, Artefact, yaml_text
from policysync.state.resource import Resource

TEMPLATE = "https://s3.amazonaws.com/aqua-security-public/2022.4/CloudConnectorFargateToken.yaml"


def render(resource: Resource, _kind: Kind) -> tuple[Artefact, ...]:
    """Return the artefacts in the reviewable form."""
    return _METHODS[resource.spec["install"]["method"]](resource.spec)


def helm_command(spec: Mapping[str, Any], values: str) -> list[str]:
    """Return the command line that installs or upgrades the release with a file of values."""
    wanted, release = spec["chart"], spec["release"]
    place = chart_arguments(wanted["name"], wanted["version"], wanted["repository"], wanted.get("localPath", ""))
    return [
        *("helm", "upgrade", "--install", release["name"], *place),
        *("--namespace", release["namespace"], *(["--create-namespace"] if release["createNamespace"] else [])),
        *("--kube-context", spec["cluster"]["context"], "--values", values, "--wait", "--timeout", "5m0s"),
    ]


def _hidden(_source: Mapping[str, Any]) -> str:
    return PLACEHOLDER


def _helm(spec: Mapping[str, Any]) -> tuple[Artefact, ...]:
    context, namespace = spec["cluster"]["context"], spec["release"]["namespace"]
    rollout = [
        *("kubectl", "--context", context, "--namespace", namespace, "rollout", "status"),
        *(f"deployment/{namespace}-cloud-connector", "--timeout=300s"),
    ]
    commands = f"{shlex.join(helm_command(spec, 'values.yaml'))}\n{shlex.join(rollout)}\n"
    return (Artefact("values.yaml", yaml_text(helm_values(spec, _hidden))), Artefact("commands.txt", commands))


def _manifests(spec: Mapping[str, Any]) -> tuple[Artefact, ...]:
    return (Artefact("manifests.yaml", yaml_text(*map(_shown, manifests(spec, _hidden)))),)


def _shown(thing: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an object with the placeholder where a Secret would hold it encoded."""
    if thing["kind"] != "Secret":
        return thing
    return {**thing, "data": dict.fromkeys(thing["data"], PLACEHOLDER)}


def _operator(spec: Mapping[str, Any]) -> tuple[Artefact, ...]:
    return (Artefact("resource.yaml", yaml_text(operator_resource(spec, _hidden))),)


def _fargate(spec: Mapping[str, Any]) -> tuple[Artefact, ...]:
    ecs, image, gateway = spec["install"]["ecs"], spec["image"], spec["gateway"]
    parameters = {
        "AquaCCImage": f"{image['registry']}/{image['repository']}:{image['tag']}",
        "AquaCloudConnectorToken": PLACEHOLDER,
        "AquaGatewayUrl": f"{gateway['host']}:{gateway['port']}",
        "ClusterName": ecs["clusterName"],
        "EcsInstanceSubnets": ",".join(ecs["subnetIds"]),
        "VpcCidr": ecs["vpcCidr"],
        "VpcId": ecs["vpcId"],
    }
    listed = [{"ParameterKey": name, "ParameterValue": value} for name, value in sorted(parameters.items())]
    stack = {"StackName": spec["release"]["name"], "TemplateURL": TEMPLATE, "Parameters": listed}
    # The template has the list of tunnels as a comment in its text: a person puts the file in its place.
    return (
        Artefact("create-stack.json", json.dumps(stack, indent=2) + "\n"),
        Artefact("tunnels.yaml", yaml_text(documented_file(spec["tunnels"]))),
    )


_METHODS: Mapping[str, Callable[[Mapping[str, Any]], tuple[Artefact, ...]]] = {
    "helm": _helm,
    "manifests": _manifests,
    "operator": _operator,
    "ecs-fargate": _fargate,
}
