"""The values of the chart `cloud-connector`, in the chart's spelling.

Source: reference, connectors 1.4; checked against chart 2022.4.5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from policysync.render.aqua_tunnels import chart_tunnels, tunnels_digest

TUNNELS_MARK = "policysync.io/tunnels-sha256"
SECRET_MARK = "policysync.io/secret-rev"  # noqa: S105 - the name of an annotation
PULL_MARK = "policysync.io/pull-secret-rev"
OWN_MARKS = "policysync.io/"
SIGNS_IN = ("usernameFrom", "passwordFrom", "tokenFrom")
"""The members of a login that say where a secret is kept: of `auth`, and the first two of `imagePullSecret`."""

LOGINS = {"auth": SECRET_MARK, "imagePullSecret": PULL_MARK}
"""The logins of a connector, each with the annotation of its pods that holds the fingerprint of its secrets."""

HEALTH_PORT = 8080
PROXIES = ("http_proxy", "https_proxy", "no_proxy")

Reveal = Callable[[Mapping[str, Any]], str]
"""Takes where a secret is kept and returns what stands for it: the value, or a placeholder."""


def helm_values(spec: Mapping[str, Any], reveal: Reveal) -> dict[str, Any]:
    """Return the values for a spec whose defaults are filled in."""
    slots = chart_tunnels(spec["tunnels"])
    values: dict[str, Any] = {
        "imageCredentials": _image_credentials(spec, reveal),
        "serviceaccount": {"create": spec["serviceAccount"]["create"], "name": spec["serviceAccount"]["name"]},
        "image": {name: spec["image"][name] for name in ("repository", "tag", "pullPolicy")},
        "replicaCount": spec["replicas"],
        "gateway": {"host": spec["gateway"]["host"], "port": str(spec["gateway"]["port"])},
        **_auth(spec["auth"], reveal),
        **_health(spec["healthPort"]),
        "tls_verify": {"value": "1" if spec["tlsVerify"] else "0"},
        "resources": {name: dict(amounts) for name in ("requests", "limits") if (amounts := spec["resources"][name])},
        "podAnnotations": {**spec["podAnnotations"], TUNNELS_MARK: tunnels_digest(slots)},
        # Without it an offline render takes an API version that current clusters no longer have.
        "pdbApiVersion": "policy/v1",
        "extraEnvironmentVars": environment(spec),
        "extraSecretEnvironmentVars": [
            {"envName": each["name"], "secretName": each["secretName"], "secretKey": each["secretKey"]}
            for each in spec["extraSecretEnv"]
        ],
        "nodeSelector": spec["nodeSelector"],
        "tolerations": spec["tolerations"],
        "affinity": spec["affinity"],
        "platform": "" if spec["platform"] == "kubernetes" else spec["platform"],
        "tunnels": slots,
    }
    return {name: value for name, value in values.items() if value not in ({}, [], "")}


def chart_arguments(name: str, version: str, repository: str, local: str = "") -> list[str]:
    """Return how a command of Helm names a chart: by a copy, by its address in a registry, or by its repository."""
    if local:
        place = [local]
    elif repository.startswith("oci://"):
        # A registry has no index: the address is that of the chart itself.
        place = [f"{repository.rstrip('/')}/{name}"]
    else:
        place = [name, "--repo", repository]
    return [*place, "--version", version]


def stated(source: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the place that a source of a secret names; the normal form has empty ones beside it, or nothing else."""
    return {place: where for place, where in (source or {}).items() if where}


def environment(spec: Mapping[str, Any]) -> dict[str, str]:
    """Return the further environment variables, the proxy's among them under the chart's names."""
    proxy = spec["proxy"]
    said = {"http_proxy": proxy.get("http"), "https_proxy": proxy.get("https"), "no_proxy": ",".join(proxy["noProxy"])}
    return {**{name: value for name, value in said.items() if value}, **spec["extraEnv"]}


def _image_credentials(spec: Mapping[str, Any], reveal: Reveal) -> dict[str, Any]:
    secret = spec["imagePullSecret"]
    said = {
        "create": secret["create"],
        "name": secret["name"],
        "repositoryUriPrefix": spec["image"]["registry"],
        "registry": secret["server"],
    }
    if secret["create"]:
        said |= {"username": reveal(secret["usernameFrom"]), "password": reveal(secret["passwordFrom"])}
    return said


def _auth(auth: Mapping[str, Any], reveal: Reveal) -> dict[str, Any]:
    by_token = auth["method"] == "token"
    said: dict[str, Any] = {"authType": {"tokenAuth": by_token, "userCreds": not by_token}}
    if not by_token:
        said["userCreds"] = {"username": reveal(auth["usernameFrom"]), "password": reveal(auth["passwordFrom"])}
    elif secret := stated(auth["tokenFrom"]).get("kubernetesSecret"):
        said["tokenFromSecret"] = {"enable": True, "secretName": secret["name"], "tokenKey": secret["key"]}
    else:
        said["token"] = reveal(auth["tokenFrom"])
    return said


def _health(port: int) -> dict[str, Any]:
    said: dict[str, Any] = {"healthPort": {"port": str(port)}}
    if port != HEALTH_PORT:
        # The chart keeps the port of the probe apart, and a map in values is laid over the chart's.
        said["livenessProbe"] = liveness_probe(port)
    return said


def liveness_probe(port: int) -> dict[str, Any]:
    """Return the probe of the chart for a port."""
    return {
        "httpGet": {"path": "/health", "port": port},
        "initialDelaySeconds": 5,
        "periodSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 10,
    }
