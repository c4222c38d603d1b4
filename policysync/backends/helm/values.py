"""Values a release was rendered with → what a document would say.

Source: reference, connectors 1.3 and 1.4; checked against chart 2022.4.5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from policysync.pointer import join
from policysync.render.aqua_helm import HEALTH_PORT, OWN_MARKS, TUNNELS_MARK, stated
from policysync.render.aqua_tunnels import chart_tunnels, from_chart_tunnels, tunnels_digest

Spec = dict[str, Any]
SameSecret = Callable[[Mapping[str, Any], str], bool]
"""Whether what stands at a declared place is this value; also True where nobody can tell from here."""

_HTTPS = 443
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


def from_values(values: Mapping[str, Any], declared: Mapping[str, Any], same: SameSecret) -> Spec:
    """Return the part of a spec that values stand for.

    Args:
        values: the chart's own, with those that were given laid over.
        declared: what git says, or what was last applied; it decides how a secret is named.
    """
    credentials, account = _of(values, "imageCredentials"), _of(values, "serviceaccount")
    image, gateway = _of(values, "image"), _of(values, "gateway")
    return {
        "image": {
            "registry": credentials.get("repositoryUriPrefix"),
            **{name: _text(image.get(name)) for name in ("repository", "tag", "pullPolicy")},
        },
        "imagePullSecret": _pull_secret(credentials, declared, same),
        "serviceAccount": {"create": bool(account.get("create")), "name": account.get("name")},
        "gateway": {"host": gateway.get("host"), "port": _port(gateway.get("port"))},
        "tlsVerify": _text(_of(values, "tls_verify").get("value")) in _ON,
        "auth": _auth(values, _of(declared, "auth"), same),
        "healthPort": _port(_of(values, "healthPort").get("port"), HEALTH_PORT),
        "replicas": values.get("replicaCount"),
        "resources": values.get("resources") or {},
        **from_environment(values.get("extraEnvironmentVars") or {}, declared),
        "extraSecretEnv": [
            {"name": each.get("envName"), "secretName": each.get("secretName"), "secretKey": each.get("secretKey")}
            for each in values.get("extraSecretEnvironmentVars") or ()
        ],
        **{name: values.get(name) for name in ("nodeSelector", "tolerations", "affinity")},
        "podAnnotations": own_annotations(values.get("podAnnotations") or {}),
        "platform": values.get("platform") or "kubernetes",
        "tunnels": from_chart_tunnels(values.get("tunnels") or {}),
    }


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
    slots = chart_tunnels(from_chart_tunnels(values.get("tunnels") or {}))
    if (values.get("podAnnotations") or {}).get(TUNNELS_MARK) != tunnels_digest(slots):
        yield f"values {join(['podAnnotations', TUNNELS_MARK])}"
    probe = _of(_of(values, "livenessProbe"), "httpGet").get("port")
    if _port(probe) != _port(_of(values, "healthPort").get("port"), HEALTH_PORT):
        yield "values /livenessProbe/httpGet/port"


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


def own_annotations(annotations: Mapping[str, Any]) -> Spec:
    """Return the annotations of pods that are a document's, not ours and not a tool's."""
    return {
        name: _text(value)
        for name, value in annotations.items()
        if not name.startswith((OWN_MARKS, "checksum/", "kubectl.kubernetes.io/", "deployment.kubernetes.io/"))
    }


def _pull_secret(credentials: Mapping[str, Any], declared: Mapping[str, Any], same: SameSecret) -> Spec:
    said: Spec = {
        "create": bool(credentials.get("create")),
        "name": credentials.get("name"),
        "server": credentials.get("registry"),
    }
    if said["create"]:
        wanted = _of(declared, "imagePullSecret")
        for name, member in (("usernameFrom", "username"), ("passwordFrom", "password")):
            said[name] = _source(_of(wanted, name), credentials.get(member), same)
    return said


def _auth(values: Mapping[str, Any], declared: Mapping[str, Any], same: SameSecret) -> Spec:
    if _of(values, "authType").get("userCreds"):
        given = _of(values, "userCreds")
        pairs = (("usernameFrom", "username"), ("passwordFrom", "password"))
        named = {name: _source(_of(declared, name), given.get(member), same) for name, member in pairs}
        return {"method": "userPassword", **named}
    secret = _of(values, "tokenFromSecret")
    if secret.get("enable"):
        kept = {"name": secret.get("secretName"), "key": secret.get("tokenKey")}
        return {"method": "token", "tokenFrom": {"kubernetesSecret": kept}}
    return {"method": "token", "tokenFrom": _source(_of(declared, "tokenFrom"), values.get("token"), same)}


def _source(declared: Mapping[str, Any], value: Any, same: SameSecret) -> Mapping[str, Any]:
    """Return where a secret is kept: as git says where that is the secret in use, else nowhere we know."""
    wanted = stated(declared)
    return wanted if wanted and value and same(wanted, str(value)) else {}


def _of(values: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = values.get(name)
    return found if isinstance(found, Mapping) else {}


def _port(value: Any, usual: int = _HTTPS) -> int:
    text = _text(value)
    return int(text) if text.isdecimal() else usual


def _text(value: Any) -> str:
    return "" if value is None else str(value)
