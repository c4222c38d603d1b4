"""Console ↔ connector ↔ tunnel ↔ registry, as plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from policysync.state.resource import Address
from policysync.topology.hosts import carries, gateways_of, host_of, registry_host

CONNECTOR, REGISTRY = "AquaCloudConnector", "Registry"
_PORT = 443


@dataclass(frozen=True, slots=True)
class Console:
    """One console: the target it is, the stage it belongs to, and its address."""

    target: str
    stage: str
    url: str

    def answers_at(self, gateway: str) -> bool:
        """Return whether connectors of this console sign in at `gateway`."""
        return gateway in gateways_of(self.url)


@dataclass(frozen=True, slots=True)
class Tunnel:
    """What one tunnel leads to; `position` is its place in the document, `registries` what goes through it."""

    position: int
    type: str
    host: str
    port: int
    registries: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Connector:
    """One connector: where it signs in, which consoles of the stage that is, and what it carries."""

    address: Address
    gateway: str
    port: int
    consoles: tuple[str, ...]
    tunnels: tuple[Tunnel, ...]

    @property
    def registries(self) -> tuple[Address, ...]:
        """Every registry that depends on it."""
        return tuple(dict.fromkeys(address for tunnel in self.tunnels for address in tunnel.registries))


@dataclass(frozen=True, slots=True)
class Registry:
    """One registry: its host (empty where the document does not say), its own scanners, and the connectors to it."""

    address: Address
    host: str
    scanners: str
    connectors: tuple[Address, ...]


@dataclass(frozen=True, slots=True)
class Topology:
    """What one stage says of its consoles, connectors and registries."""

    stage: str
    consoles: tuple[Console, ...]
    connectors: tuple[Connector, ...]
    registries: tuple[Registry, ...]


def topology(stage: str, consoles: Iterable[Console], specs: Mapping[Address, Mapping[str, Any]]) -> Topology:
    """Return what the documents of a stage say.

    Args:
        consoles: of every stage; those of others tell a gateway that was mixed up.
        specs: the resources of the stage; others than connectors and registries do not count.
    """
    here = tuple(console for console in consoles if console.stage == stage)
    hosts = {address: registry_host(spec) for address, spec in sorted(specs.items()) if address.kind == REGISTRY}
    connectors = tuple(
        _connector(address, spec, here, hosts) for address, spec in sorted(specs.items()) if address.kind == CONNECTOR
    )
    registries = tuple(
        Registry(
            address,
            host,
            _scanners(specs[address]),
            tuple(connector.address for connector in connectors if address in connector.registries),
        )
        for address, host in hosts.items()
    )
    return Topology(stage, here, connectors, registries)


def tunnels_of(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the tunnels of a connector that are written as such."""
    stated = spec.get("tunnels")
    return [tunnel for tunnel in stated if isinstance(tunnel, Mapping)] if isinstance(stated, list) else []


def _connector(
    address: Address, spec: Mapping[str, Any], consoles: Iterable[Console], hosts: Mapping[Address, str]
) -> Connector:
    stated = spec.get("gateway")
    gateway = stated if isinstance(stated, Mapping) else {}
    host = host_of(str(gateway.get("host") or ""))
    tunnels = tuple(
        Tunnel(
            position,
            str(tunnel.get("type") or ""),
            host_of(str(tunnel.get("host") or "")),
            _port(tunnel),
            tuple(registry for registry, name in hosts.items() if name and carries(tunnel, name)),
        )
        for position, tunnel in enumerate(tunnels_of(spec))
    )
    found = tuple(console.target for console in consoles if console.answers_at(host))
    return Connector(address, host, _port(gateway), found, tunnels)


def _port(stated: Mapping[str, Any]) -> int:
    port = stated.get("port", _PORT)
    return port if isinstance(port, int) else _PORT


def _scanners(spec: Mapping[str, Any]) -> str:
    """Return the group of scanners near a registry, which reach it without a connector."""
    return str(spec.get("scanner_group_name") or "") if spec.get("scanner_type") == "specific" else ""
