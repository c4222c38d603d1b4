"""A connector as the resource of the 2022.4.0 operator, read back.

Source: reference, connectors 1.2 and 1.5.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policysync.backends.helm.found import Found, Spec, echoed, named_release
from policysync.backends.helm.login import Holdings
from policysync.backends.helm.places import Places
from policysync.backends.kubernetes.client import Client
from policysync.backends.kubernetes.failures import Missing
from policysync.render.aqua_helm import stated
from policysync.render.aqua_objects import MEMBERS, OPERATOR_API
from policysync.render.aqua_tunnels import from_file
from policysync.state.resource import Hindrance


def operated(client: Client, places: Places, declared: Spec) -> Found | None:
    """Return what the operator's resource says; None where there is none."""
    name, namespace = named_release(declared)
    try:
        client.get(f"/apis/{OPERATOR_API}")
    except Missing:
        said = f"no API of the cluster serves {OPERATOR_API}; install the 2022.4.0 operator, or use method helm"
        return Found({}, Hindrance("blocked", "engine-not-installed", said))
    about = {"apiVersion": OPERATOR_API, "kind": "AquaCloudConnector", "metadata": {"name": name}}
    try:
        body = client.get(places.path_of(about, namespace))
    except Missing:
        return None
    spec, login = body.get("spec") or {}, (body.get("spec") or {}).get("login") or {}
    marks = body["metadata"].get("annotations") or {}
    return Found(
        {**echoed(declared), **_said(spec, login, declared)}, logins={"auth": _held(login, declared)}, marks=marks
    )


def _held(login: Mapping[str, Any], declared: Spec) -> Holdings:
    """Return what the resource holds of each secret; one that neither it nor git has is none."""
    wanted = declared.get("auth") or {}
    return {
        member: str(login.get(key) or "") for member, key in MEMBERS if login.get(key) or stated(wanted.get(member))
    }


def _said(spec: Mapping[str, Any], login: Mapping[str, Any], declared: Spec) -> dict[str, Any]:
    deploy, common = spec.get("deploy") or {}, spec.get("common") or {}
    host, _, port = str(login.get("host", "")).rpartition(":")
    account = (spec.get("infra") or {}).get("serviceAccount")
    return {
        "image": dict(deploy.get("image") or {}),
        "imagePullSecret": {**declared.get("imagePullSecret", {}), "name": common.get("imagePullSecret")},
        "serviceAccount": {**declared.get("serviceAccount", {}), "name": account},
        "gateway": {"host": host, "port": int(port) if port.isdecimal() else 0},
        "tlsVerify": not login.get("tlsNoVerify"),
        "auth": {"method": "token" if login.get("token") else "userPassword"},
        "replicas": deploy.get("replicas", 1),
        **{name: deploy.get(name) or {} for name in ("resources", "nodeSelector", "affinity")},
        "tolerations": deploy.get("tolerations") or [],
        "tunnels": [_tunnel(each, declared) for each in spec.get("tunnels") or ()],
    }


def _tunnel(each: Mapping[str, Any], declared: Spec) -> dict[str, Any]:
    file = {"tunnels": [{"host": each.get("host")}, {"port": each.get("port")}, *_service(each)]}
    return from_file(file, declared.get("tunnels") or ())[0]


def _service(each: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if each.get("region"):
        yield {"service": None, "type": each.get("type", "ecr"), "region": each["region"]}
