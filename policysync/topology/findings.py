"""What does not fit together: a registry nobody reaches, a tunnel nobody uses, a gateway of another stage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from policysync.state.resource import Address
from policysync.topology.graph import Connector, Console, Topology
from policysync.topology.hosts import is_public, looks_private


class Misfit(NamedTuple):
    """One thing that does not fit.

    `path` leads to the value in the spec of `address`. `others` are the resources on the other side of it.
    """

    address: Address
    path: tuple[str, ...]
    message: str
    code: str
    others: tuple[Address, ...] = ()
    warning: bool = True


def misfits(topology: Topology, consoles: Iterable[Console]) -> Iterator[Misfit]:
    """Yield everything that does not fit in a stage; `consoles` are those of every stage."""
    elsewhere = [console for console in consoles if console.stage != topology.stage]
    for connector in topology.connectors:
        yield from _gateway(connector, topology, elsewhere)
        yield from _unused(connector, topology)
    yield from _unreached(topology)


def _gateway(connector: Connector, topology: Topology, elsewhere: Iterable[Console]) -> Iterator[Misfit]:
    if connector.consoles or not connector.gateway:
        return
    path = ("gateway", "host")
    for console in elsewhere:
        if console.answers_at(connector.gateway):
            message = (
                f"`{connector.gateway}` is the gateway of {console.target} in stage {console.stage}, not of stage "
                f"{topology.stage}; want that of {_one_of(topology.consoles)}, as an overlay of the stage"
            )
            yield Misfit(connector.address, path, message, "foreign-gateway", warning=False)
            return


def _unused(connector: Connector, topology: Topology) -> Iterator[Misfit]:
    if not topology.registries:
        return
    for tunnel in connector.tunnels:
        # Tunnels to functions carry no registry.
        if tunnel.registries or not tunnel.host or tunnel.type == "azureFunctions":
            continue
        message = (
            f"no registry of stage {topology.stage} is at `{tunnel.host}`, so nothing uses the tunnel; "
            "add the registry, or take the tunnel out"
        )
        yield Misfit(connector.address, ("tunnels", str(tunnel.position), "host"), message, "unused-tunnel")


def _unreached(topology: Topology) -> Iterator[Misfit]:
    carriers = tuple(connector.address for connector in topology.connectors if connector.tunnels)
    for registry in topology.registries:
        host = registry.host
        if registry.connectors or registry.scanners or not host or is_public(host):
            continue
        # Where nothing is carried, a host may be one that the console reaches by itself.
        if not (carriers or looks_private(host)):
            continue
        message = (
            f"no tunnel of stage {topology.stage} reaches `{host}`; add one to "
            f"{carriers[0] if carriers else 'a connector'}, or name scanners near it in `scanner_group_name`"
        )
        yield Misfit(registry.address, ("url",), message, "no-tunnel", carriers)


def _one_of(consoles: Iterable[Console]) -> str:
    return " or ".join(f"{console.target} ({console.url})" for console in consoles) or "a console of its own"
