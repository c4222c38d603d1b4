"""Values a release was rendered with → what a document would say.

Source: reference, connectors 1.3 and 1.4; checked against chart 2022.4.5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policysync.backends.helm.login import Holdings
from policysync.backends.helm.release import laid_over
from policysync.pointer import join
from policysync.render.aqua_helm import HEALTH_PORT, OWN_MARKS, TUNNELS_MARK, liveness_probe
from policysync.render.aqua_tunnels import chart_tunnels, from_chart_tunnels, tunnels_digest

Spec = dict[str, Any]
_HTTPS = 443
_OF_TOOLS = (OWN_MARKS, "checksum/", "kubectl.kubernetes.io/", "deployment.kubernetes.io/")
_ON = frozenset({"1", "true", "True"})
_WHOLE = frozenset(
    {
        *("replicaCount", "token", "resources", "podAnnotations", "extraEnvironmentVars", "extraSecretEnvironmentVars"),
        *(
            "nodeSelector",
            "tolerations",
            "affinity",
            "platform",
            "pdbApiVersion",
            "livenessProbe",
            "tunnels",
            "authType",
        ),
    }
)
_MEMBERS: Mapping[str, frozenset[str]] = {
    "imageCredentials": frozenset({"create", "name", "repositoryUriPrefix", "registry", "username", "password"}),
    "serviceaccount": frozenset({"create", "name"}),
    "image": frozenset({"repository", "tag", "pullPolicy"}),
    "gateway": frozenset({"host", "port"}),
    "tokenFromSecret": frozenset({"enable", "secretName", "tokenKey"}),
    "userCreds": frozenset({"username", "password"}),
    "healthPort": frozenset({"port"}),
    "tls_verify": frozenset({"value"}),
}


def from_values(values: Mapping[str, Any], declared: Mapping[str, Any]) -> Spec:
    """Return the part of a spec that values stand for; where secrets are kept is not in them, see `logins`.

    Args:
        values: the chart's own, with those that were given laid over. Whatever has not the form it should have says
            nothing.
        declared: what git says, or what was last applied; it decides how names are spelt.
    """
    credentials, account = _of(values, "imageCredentials"), _of(values, "serviceaccount")
    image, gateway = _of(values, "image"), _of(values, "gateway")
    return {
        "image": {
            "registry": credentials.get("repositoryUriPrefix"),
            **{name: _text(image.get(name)) for name in ("repository", "tag", "pullPolicy")},
        },
        "imagePullSecret": {
            "create": bool(credentials.get("create")),
            "name": credentials.get("name"),
            "server": credentials.get("registry"),
        },
        "serviceAccount": {"create": bool(account.get("create")), "name": account.get("name")},
        "gateway": {"host": gateway.get("host"), "port": _port(gateway.get("port"))},
        "tlsVerify": _text(_of(values, "tls_verify").get("value")) in _ON,
        "auth": {"method": "userPassword" if _of(values, "authType").get("userCreds") else "token"},
        "healthPort": _port(_of(values, "healthPort").get("port"), HEALTH_PORT),
        "replicas": values.get("replicaCount"),
        "resources": _of(values, "resources"),
        **from_environment(_of(values, "extraEnvironmentVars"), declared),
        "extraSecretEnv": [
            {"name": each.get("envName"), "secretName": each.get("secretName"), "secretKey": each.get("secretKey")}
            for each in _each(values, "extraSecretEnvironmentVars")
        ],
        "nodeSelector": _of(values, "nodeSelector"),
        "tolerations": _each(values, "tolerations"),
        "affinity": _of(values, "affinity"),
        "podAnnotations": own_annotations(_of(values, "podAnnotations"), declared),
        "platform": values.get("platform") or "kubernetes",
        "tunnels": from_chart_tunnels(_of(values, "tunnels")),
    }


def logins(values: Mapping[str, Any]) -> Mapping[str, Holdings]:
    """Return what values hold of the secrets of each login."""
    credentials, secret = _of(values, "imageCredentials"), _of(values, "tokenFromSecret")
    pull = _name_and_password(credentials) if credentials.get("create") else {}
    if _of(values, "authType").get("userCreds"):
        return {"imagePullSecret": pull, "auth": _name_and_password(_of(values, "userCreds"))}
    place = {"name": secret.get("secretName"), "key": secret.get("tokenKey")}
    return {
        "imagePullSecret": pull,
        "auth": {"tokenFrom": place if secret.get("enable") else _text(values.get("token"))},
    }


def _name_and_password(given: Mapping[str, Any]) -> Holdings:
    return {"usernameFrom": _text(given.get("username")), "passwordFrom": _text(given.get("password"))}


def foreign_values(defaults: Mapping[str, Any], config: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was given to the chart and no field of a document says, and what a document would have said."""
    for name, given in config.items():
        if name in _WHOLE or given == defaults.get(name):
            continue
        if name not in _MEMBERS or not isinstance(given, Mapping):
            yield f"values {join([name])}"
            continue
        stock = _of(defaults, name)
        yield from (
            f"values {join([name, member])}"
            for member, value in given.items()
            if member not in _MEMBERS[name] and value != stock.get(member)
        )
    if values.get("pdbApiVersion") != "policy/v1":
        yield "values /pdbApiVersion"
    slots = chart_tunnels(from_chart_tunnels(_of(values, "tunnels")))
    if _of(values, "podAnnotations").get(TUNNELS_MARK) != tunnels_digest(slots):
        yield f"values {join(['podAnnotations', TUNNELS_MARK])}"
    port = _port(_of(values, "healthPort").get("port"), HEALTH_PORT)
    stock, probe = _of(defaults, "livenessProbe"), _of(values, "livenessProbe")
    # A chart without a probe of its own has nothing that could lag behind.
    if probe and probe != (stock if port == HEALTH_PORT else laid_over(stock, liveness_probe(port))):
        yield "values /livenessProbe"


def from_environment(variables: Mapping[str, Any], declared: Mapping[str, Any]) -> Spec:
    """Return `proxy` and `extraEnv` for environment variables, whose names may be in upper case.

    A name is spelt as the document spells it where it has one that gives the same variable.
    """
    spelt = {variable(name): name for name in _of(declared, "extraEnv")}
    proxy: Spec = {}
    extra: Spec = {}
    for name, value in variables.items():
        match variable(name):
            case "HTTP_PROXY":
                proxy["http"] = _text(value)
            case "HTTPS_PROXY":
                proxy["https"] = _text(value)
            case "NO_PROXY":
                proxy["noProxy"] = [each.strip() for each in _text(value).split(",") if each.strip()]
            case other:
                extra[spelt.get(other, name)] = _text(value)
    return {"proxy": proxy, "extraEnv": extra}


def variable(name: str) -> str:
    """Return the environment variable the chart makes of a name."""
    return name.upper().replace(".", "_")


def own_annotations(annotations: Mapping[str, Any], declared: Mapping[str, Any]) -> Spec:
    """Return the annotations of pods that are a document's, not ours, and not a tool's unless it states them."""
    stated = _of(declared, "podAnnotations")
    return {
        name: _text(value) for name, value in annotations.items() if name in stated or not name.startswith(_OF_TOOLS)
    }


def _of(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = values.get(name)
    return found if isinstance(found, Mapping) else {}


def _each(values: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = values.get(name)
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _port(value: Any, usual: int = _HTTPS) -> int:
    text = _text(value)
    return int(text) if text.isdecimal() else usual


def _text(value: Any) -> str:
    return "" if value is None else str(value)
