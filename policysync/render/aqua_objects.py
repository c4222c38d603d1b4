"""The Aqua Cloud Connector as plain Kubernetes objects, and as the resource of the 2022.4.0 operator.

Source: reference, connectors 1.2 and 1.4; the vendor's plain manifests and operator give the names.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

from policysync.render.aqua_helm import TUNNELS_MARK, Reveal, environment, liveness_probe, stated
from policysync.render.aqua_tunnels import documented_file, tunnels_digest
from policysync.render.artefact import yaml_text

NAME = "aqua-cloud-connector"
CONFIG_MAP = "aqua-cloud-connector-conf"
CONFIG_KEY = "aqua-cloud-connector-config"
SECRET = "user-secret"  # noqa: S105 - the name of an object
CONFIG_PATH = "/etc/config/connector.yaml"
MANAGED_BY = {"app.kubernetes.io/managed-by": "policysync"}
OPERATOR_API = "operator.aquasec.com/v1alpha1"
MEMBERS = (("usernameFrom", "username"), ("passwordFrom", "password"), ("tokenFrom", "token"))
"""The members of `auth`, each with its key in a Secret and in the operator's `login`."""


def manifests(spec: Mapping[str, Any], reveal: Reveal) -> tuple[dict[str, Any], ...]:
    """Return the objects of `install.method: manifests`, in the order they are applied."""
    return tuple(_objects(spec, reveal))


def _objects(spec: Mapping[str, Any], reveal: Reveal) -> Iterator[dict[str, Any]]:
    namespace = spec["release"]["namespace"]
    if spec["release"]["createNamespace"]:
        yield _object("v1", "Namespace", namespace, "")
    if spec["imagePullSecret"]["create"]:
        yield _pull_secret(spec, reveal)
    if spec["serviceAccount"]["create"]:
        account = _object("v1", "ServiceAccount", spec["serviceAccount"]["name"], namespace)
        yield {**account, "imagePullSecrets": [{"name": spec["imagePullSecret"]["name"]}]}
    if data := {key: reveal(spec["auth"][name]) for name, key in MEMBERS if _is_ours(spec, name)}:
        yield {**_object("v1", "Secret", SECRET, namespace), "type": "Opaque", "data": _encoded(data)}
    file = yaml_text(documented_file(spec["tunnels"]))
    yield {**_object("v1", "ConfigMap", CONFIG_MAP, namespace), "data": {CONFIG_KEY: file}}
    yield _deployment(spec, namespace)
    if spec["replicas"] > 1:
        budget = _object("policy/v1", "PodDisruptionBudget", f"{NAME}-pdb", namespace)
        yield {**budget, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": NAME}}}}


def _is_ours(spec: Mapping[str, Any], name: str) -> bool:
    """Return whether a secret of the login goes into a Secret that we write."""
    source = stated(spec["auth"].get(name))
    return bool(source) and "kubernetesSecret" not in source


def _object(version: str, kind: str, name: str, namespace: str) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": name, **({"namespace": namespace} if namespace else {})}
    return {"apiVersion": version, "kind": kind, "metadata": {**metadata, "labels": {"app": NAME, **MANAGED_BY}}}


def _encoded(data: Mapping[str, str]) -> dict[str, str]:
    return {name: base64.b64encode(value.encode()).decode() for name, value in data.items()}


def _pull_secret(spec: Mapping[str, Any], reveal: Reveal) -> dict[str, Any]:
    secret = spec["imagePullSecret"]
    user, password = reveal(secret["usernameFrom"]), reveal(secret["passwordFrom"])
    login = {"username": user, "password": password, "auth": base64.b64encode(f"{user}:{password}".encode()).decode()}
    config = json.dumps({"auths": {secret["server"]: login}}, sort_keys=True)
    found = _object("v1", "Secret", secret["name"], spec["release"]["namespace"])
    return {**found, "type": "kubernetes.io/dockerconfigjson", "data": _encoded({".dockerconfigjson": config})}


def _deployment(spec: Mapping[str, Any], namespace: str) -> dict[str, Any]:
    image = spec["image"]
    container: dict[str, Any] = {
        "name": NAME,
        "image": f"{image['registry']}/{image['repository']}:{image['tag']}",
        "imagePullPolicy": image["pullPolicy"],
        "env": list(_environment(spec)),
        "livenessProbe": liveness_probe(spec["healthPort"]),
        "volumeMounts": [{"name": "config", "mountPath": "/etc/config"}],
        "securityContext": {"privileged": False},
    }
    if resources := {name: dict(amounts) for name, amounts in spec["resources"].items() if amounts}:
        container["resources"] = resources
    pod: dict[str, Any] = {
        "serviceAccountName": spec["serviceAccount"]["name"],
        "securityContext": {"runAsUser": 11431, "runAsGroup": 11433, "fsGroup": 11433},
        "containers": [container],
        "volumes": [
            {
                "name": "config",
                "configMap": {"name": CONFIG_MAP, "items": [{"key": CONFIG_KEY, "path": "connector.yaml"}]},
            }
        ],
        **{name: spec[name] for name in ("nodeSelector", "tolerations", "affinity") if spec[name]},
    }
    # Without the mark a change of the tunnels leaves the pods running with the old file.
    marks = {**spec["podAnnotations"], TUNNELS_MARK: tunnels_digest(documented_file(spec["tunnels"]))}
    template = {"metadata": {"labels": {"app": NAME}, "annotations": marks}, "spec": pod}
    body = {"replicas": spec["replicas"], "selector": {"matchLabels": {"app": NAME}}, "template": template}
    return {**_object("apps/v1", "Deployment", NAME, namespace), "spec": body}


def _environment(spec: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield {"name": "AQUA_SERVER", "value": f"{spec['gateway']['host']}:{spec['gateway']['port']}"}
    yield {"name": "AQUA_CLOUD_CONNECTOR_CONFIG_FILE_PATH", "value": CONFIG_PATH}
    for name, key in MEMBERS:
        if source := stated(spec["auth"].get(name)):
            secret = source.get("kubernetesSecret") or {"name": SECRET, "key": key}
            yield _from_secret(f"AQUA_CLOUD_CONNECTOR_{key.upper()}", secret["name"], secret["key"])
    yield {"name": "AQUA_CLOUD_CONNECTOR_HEALTH_PORT", "value": str(spec["healthPort"])}
    yield {"name": "AQUA_TLS_VERIFY", "value": "1" if spec["tlsVerify"] else "0"}
    for name, value in environment(spec).items():
        yield {"name": name.upper().replace(".", "_"), "value": value}
    for each in spec["extraSecretEnv"]:
        yield _from_secret(each["name"], each["secretName"], each["secretKey"])


def _from_secret(variable: str, name: str, key: str) -> dict[str, Any]:
    return {"name": variable, "valueFrom": {"secretKeyRef": {"name": name, "key": key}}}


def operator_resource(spec: Mapping[str, Any], reveal: Reveal) -> dict[str, Any]:
    """Return the custom resource of `install.method: operator`. It wants user and password even beside a token."""
    auth, image, namespace = spec["auth"], spec["image"], spec["release"]["namespace"]
    login = {key: reveal(auth[name]) if stated(auth.get(name)) else "" for name, key in MEMBERS}
    gateway = f"{spec['gateway']['host']}:{spec['gateway']['port']}"
    deploy: dict[str, Any] = {
        "replicas": spec["replicas"],
        "image": {"registry": image["registry"], "repository": image["repository"], "tag": image["tag"]},
        **{name: spec[name] for name in ("nodeSelector", "tolerations", "affinity") if spec[name]},
    }
    deploy["image"]["pullPolicy"] = image["pullPolicy"]
    if resources := {name: dict(amounts) for name, amounts in spec["resources"].items() if amounts}:
        deploy["resources"] = resources
    tunnels = [{"host": t["host"], "port": str(t.get("port", 443)), **_service(t)} for t in spec["tunnels"]]
    body = {
        "infra": {"namespace": namespace, "serviceAccount": spec["serviceAccount"]["name"], "version": image["tag"]},
        "common": {"imagePullSecret": spec["imagePullSecret"]["name"], "allowAnyVersion": True},
        "deploy": deploy,
        "login": {**login, "host": gateway, "tlsNoVerify": not spec["tlsVerify"]},
        "tunnels": tunnels,
    }
    return {**_object(OPERATOR_API, "AquaCloudConnector", spec["release"]["name"], namespace), "spec": body}


def _service(tunnel: Mapping[str, Any]) -> dict[str, str]:
    return {"type": tunnel.get("service", "ecr"), "region": tunnel["region"]} if tunnel["type"] == "aws" else {}
