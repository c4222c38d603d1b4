"""Names of hosts: how they are spelt, which ones a tunnel carries, and which look private."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

_REGION = re.compile(r"[a-z]+(-[a-z]+)+-?\d+\Z")
_ECR = re.compile(r"\d{12}\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?\Z")
_PUBLIC = (
    ".docker.io",
    ".docker.com",
    ".azurecr.io",
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".gcr.io",
    ".pkg.dev",
    ".quay.io",
    ".ghcr.io",
    ".icr.io",
    ".jfrog.io",
    ".azurewebsites.net",
)
_PRIVATE = (".local", ".internal", ".lan", ".intra", ".corp", ".private", ".svc", ".home.arpa", ".localdomain")


def host_of(text: str) -> str:
    """Return the host of an address as it is compared: lower case, no scheme, port, path or final dot."""
    try:
        found = urlsplit(text if "//" in text else f"//{text}").hostname or ""
    except ValueError:
        return ""
    return found.rstrip(".").lower()


def registry_host(spec: Mapping[str, Any]) -> str:
    """Return the host of a registry; for a registry of a cloud, a pattern such as `*.dkr.ecr.eu-west-1.amazonaws.com`.

    Empty where the document does not say.
    """
    url, kind = str(spec.get("url") or "").strip(), str(spec.get("type") or "").upper()
    if kind == "HUB" and not url:
        return "docker.io"
    if _REGION.match(url.lower()):
        if kind == "AWS":
            return f"*.dkr.ecr.{url.lower()}.amazonaws.com"
        if kind in {"GAR", "GCR"}:
            return f"{url.lower()}-docker.pkg.dev"
    return host_of(url)


def carries(tunnel: Mapping[str, Any], host: str) -> bool:
    """Return whether a tunnel leads to a host. One to ECR carries every registry of its region."""
    own = host_of(str(tunnel.get("host") or ""))
    if own and own == host:
        return True
    region = str(tunnel.get("region") or "")
    found = _ECR.match(own)
    region = region or (found["region"] if found else "")
    pattern = f"*.dkr.ecr.{region}.amazonaws.com"
    return bool(region) and (host == pattern or (host.startswith("*") and own.endswith(host[1:])))


def is_public(host: str) -> bool:
    """Return whether a host belongs to a cloud that anybody reaches."""
    return f".{host.lstrip('*.')}".endswith(_PUBLIC)


def looks_private(host: str) -> bool:
    """Return whether a host is one that the internet does not know: a guess, by its form."""
    if is_public(host):
        return False
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith(_PRIVATE)


def gateways_of(console: str) -> Iterator[str]:
    """Yield the hosts at which connectors of a console sign in: its own, and on SaaS the `-gw` one beside it."""
    host = host_of(console)
    if not host:
        return
    yield host
    first, dot, rest = host.partition(".")
    yield f"{first}-gw{dot}{rest}"
