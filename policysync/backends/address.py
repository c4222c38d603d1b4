"""Addresses of consoles: how they are written, and which region of the vendor's cloud they belong to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from policysync.errors import Refused

_DEFAULT_PORTS = {"http": 80, "https": 443}
_CLOUD = ".cloud.aquasec.com"


@dataclass(frozen=True, slots=True)
class Region:
    """The hosts of one region. `edge` is empty where nobody has told it.

    Source: reference, policies 1; platform 1.
    """

    name: str
    portal: str
    token: str
    prov: str
    edge: str = ""


def _region(name: str, prefix: str, edge: str) -> Region:
    dotted, dashed = (f"{prefix}.", f"-{prefix}") if prefix else ("", "")
    return Region(
        name,
        f"https://{dotted}cloud.aquasec.com",
        f"https://{dotted}api.cloudsploit.com",
        f"https://prov{dashed}.cloud.aquasec.com",
        f"https://{edge}.edge.cloud.aquasec.com/supply_chain" if edge else "",
    )


REGIONS = (
    _region("us", "", "us-east-1"),
    _region("eu-1", "eu-1", "eu-central-1"),
    _region("asia-1", "asia-1", "ap-southeast-1"),
    _region("asia-2", "asia-2", ""),
    _region("ap-2", "ap-2", "ap-southeast-2"),
    Region(
        "dev",
        "https://cloud-dev.aquasec.com",
        "https://stage.api.cloudsploit.com",
        "https://prov-dev.cloud.aquasec.com",
    ),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a target is. `url` is a console's, or a portal's, which only leads to one.

    `region` is None for a console that is not in the vendor's cloud.
    """

    url: str
    region: Region | None = None
    is_portal: bool = False


def place_of(written: str, region: str = "") -> Place:
    """Return where an address as people paste it leads; `region` names the region where the address does not.

    Raises:
        Refused: the address cannot be a target's, or there is no such region.
    """
    url = console_url(written)
    for each in REGIONS:
        if url == each.portal:
            return Place(url, each, is_portal=True)
        if url in (each.token, each.prov):
            raise Refused(f"{url} is where one signs in, not a console; write the portal {each.portal} as the url")
    if region:
        return Place(url, region_named(region))
    return Place(url, _region_of_tenant(urlsplit(url).hostname or ""))


def region_named(name: str) -> Region:
    """Return the region of this name.

    Raises:
        Refused: there is none.
    """
    for region in REGIONS:
        if region.name == name:
            return region
    raise Refused(f"options.region: there is no region {name!r}; want one of {', '.join(r.name for r in REGIONS)}")


def _region_of_tenant(host: str) -> Region | None:
    """Return the region of `tenant.cloud.aquasec.com` or `tenant.REGION.cloud.aquasec.com`."""
    if not host.endswith(_CLOUD):
        return None
    _, _, name = host.removesuffix(_CLOUD).partition(".")
    return next((region for region in REGIONS if region.name == (name or "us")), None)


def console_url(text: str) -> str:
    """Return `scheme://host[:port]` of an address as people paste it.

    Raises:
        Refused: it is no address, holds credentials, or is a gateway's. Source: reference, policies 1.
    """
    written = text.strip()
    try:
        parts = urlsplit(written if "://" in written else f"https://{written}")
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError as error:
        raise Refused(f"{text!r} is not the address of a console: {error}") from error
    if parts.scheme not in _DEFAULT_PORTS or not host or any(c.isspace() for c in host):
        raise Refused(f"{text!r} is not the address of a console; want https://host or https://host:port")
    if parts.username or parts.password:
        raise Refused(f"the address of {host} holds credentials; they belong into the target's auth")
    label, _, domain = host.partition(".")
    if label.endswith("-gw") and domain.endswith("aquasec.com"):
        better = f"https://{label.removesuffix('-gw')}.{domain}"
        raise Refused(f"{host} is the gateway of the enforcers and answers no REST; use {better}")
    if ":" in host:
        host = f"[{host}]"
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != _DEFAULT_PORTS[parts.scheme] else "")


def host_url(text: Any) -> str:
    """Return the address of a further host; unlike a console's it may have a path.

    Raises:
        Refused: it is no address.
    """
    written = str(text).strip().rstrip("/")
    path = urlsplit(written if "://" in written else f"https://{written}").path
    return console_url(written) + path
