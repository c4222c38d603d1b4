"""The tunnel file of the Aqua Cloud Connector, in the three dialects of its installers, there and back.

Source: reference, connectors 1.4 and 1.5.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

Tunnel = Mapping[str, Any]

_CLASSES = {  # in the order the chart writes them
    "azureFunctions": "azure_functions",
    "azure": "azure",
    "aws": "aws",
    "gcp": "gcp",
    "jfrog": "jfrog",
    "onprem": "onprem",
}
_HTTPS = 443
_ECR = re.compile(r"(?:\d{12}|\*)\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com\Z")
_HOSTS = (
    (re.compile(r"\.azurecr\.io\Z"), "azure"),
    (_ECR, "aws"),
    (re.compile(r"(\A|\.)gcr\.io\Z|\.pkg\.dev\Z"), "gcp"),
    (re.compile(r"\.jfrog\.io\Z"), "jfrog"),
    (re.compile(r"\.azurewebsites\.net\Z"), "azureFunctions"),
)


def class_of(host: str) -> str:
    """Return the class a host speaks for; `onprem` where it speaks for none."""
    return next((name for pattern, name in _HOSTS if pattern.search(host.lower())), "onprem")


def chart_tunnels(tunnels: Iterable[Tunnel]) -> dict[str, dict[str, str]]:
    """Return the `tunnels` of the chart's values: one slot for each class, ports as text."""
    by_class = {tunnel["type"]: tunnel for tunnel in tunnels}
    return {_CLASSES[name]: _slot(by_class[name]) for name in _CLASSES if name in by_class}


def _slot(tunnel: Tunnel) -> dict[str, str]:
    prefix = ("host", "port") if tunnel["type"] == "azureFunctions" else ("registryHost", "registryPort")
    slot = {prefix[0]: str(tunnel["host"]), prefix[1]: str(tunnel.get("port", _HTTPS))}
    if tunnel["type"] == "aws":
        slot |= {"type": tunnel.get("service", "ecr"), "region": tunnel.get("region", "")}
    return slot


def from_chart_tunnels(slots: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the tunnels that the `tunnels` of the chart's values stand for; an empty slot is none."""
    found = []
    for name, spelt in _CLASSES.items():
        slot = slots.get(spelt)
        if not isinstance(slot, Mapping):
            continue
        host, port = (slot.get(key) or slot.get(f"registry{key.capitalize()}") for key in ("host", "port"))
        if host:
            found.append(_tunnel(name, str(host), port, slot))
    return found


def _tunnel(class_: str, host: str, port: Any, slot: Mapping[str, Any]) -> dict[str, Any]:
    tunnel: dict[str, Any] = {"type": class_, "host": host, "port": int(port) if str(port).isdecimal() else 0}
    if class_ == "aws":
        tunnel |= {name: slot[key] for name, key in (("region", "region"), ("service", "type")) if slot.get(key)}
    return tunnel


def tunnels_digest(slots: Mapping[str, Any]) -> str:
    """Return the sha256 of the chart's `tunnels` as JSON with sorted keys and no blanks, 64 hex digits.

    As an annotation of the pods it makes them start again with the new file, which the chart forgets.
    """
    return hashlib.sha256(json.dumps(slots, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def documented_file(tunnels: Iterable[Tunnel]) -> dict[str, list[dict[str, Any]]]:
    """Return the file as plain manifests document it: `host` or `host:port`, and ECR by its region alone."""
    return {"tunnels": [_documented(tunnel) for tunnel in tunnels]}


def _documented(tunnel: Tunnel) -> dict[str, Any]:
    if tunnel["type"] == "aws":
        return {"service": {"type": tunnel.get("service", "ecr"), "region": tunnel.get("region", "")}}
    port = tunnel.get("port", _HTTPS)
    return {"host": tunnel["host"] if port == _HTTPS else f"{tunnel['host']}:{port}"}


def from_file(file: Any, declared: Iterable[Tunnel]) -> list[dict[str, Any]]:
    """Return the tunnels a file stands for, in whatever dialect it is.

    The file says neither classes nor, in some dialects, the host of ECR: they come from the tunnels that were
    `declared`, else the class is inferred from the host.
    """
    found: list[dict[str, Any]] = []
    for element in (file or {}).get("tunnels") or ():
        service = element.get("service")
        if "host" in element:
            host, _, port = str(element["host"]).partition(":")
            found.append({"host": host.lower(), "port": int(port or _HTTPS)})
        elif isinstance(service, Mapping):
            found.append({"service": service.get("type", "ecr"), "region": service.get("region", "")})
        elif found and "port" in element:
            found[-1]["port"] = int(element["port"] or 0)
        elif found and "service" in element:
            found[-1] |= {"service": element.get("type", "ecr"), "region": element.get("region", "")}
    known = list(declared)
    return [_named(tunnel, known) for tunnel in found]


def _named(found: dict[str, Any], declared: list[Tunnel]) -> dict[str, Any]:
    if "host" not in found:
        region = found["region"]
        same = next((t for t in declared if t.get("type") == "aws" and t.get("region") == region), {})
        host = str(same.get("host", f"*.dkr.ecr.{region}.amazonaws.com"))
        found = {"host": host, "port": same.get("port", _HTTPS), **found}
    same = next((t for t in declared if (t["host"], t.get("port", _HTTPS)) == (found["host"], found["port"])), {})
    class_ = "aws" if found.get("region") else str(same.get("type") or class_of(found["host"]))
    tunnel = {"type": class_, **found}
    if class_ == "aws" and "region" not in tunnel and (ecr := _ECR.match(tunnel["host"])):
        tunnel["region"] = ecr["region"]
    if class_ == "aws" and "service" not in same and tunnel.get("service") == "ecr":
        tunnel.pop("service")
    return tunnel
