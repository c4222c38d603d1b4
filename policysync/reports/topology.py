"""Console ↔ connector ↔ tunnel ↔ registry, for people, programs and pages that draw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from policysync.reports.view import printable
from policysync.state.resource import Address
from policysync.topology.graph import Connector, Topology, Tunnel

FORMAT_VERSION = 1


def topology_text(found: Topology) -> str:
    """Return one stage as an indented list, from its consoles outward."""
    lines = [f"Stage {printable(found.stage)}"]
    for console in found.consoles:
        lines.append(f"  console {printable(console.target)} ({printable(console.url)})")
        lines += _connectors([c for c in found.connectors if console.target in c.consoles], "    ")
    if strangers := [connector for connector in found.connectors if not connector.consoles]:
        lines.append("  a console that the gateway does not tell")
        lines += _connectors(strangers, "    ")
    beside = [registry for registry in found.registries if not registry.connectors]
    if beside:
        lines.append("  without a tunnel")
    for registry in beside:
        by = f"scanners {registry.scanners}" if registry.scanners else "reached by the console itself"
        lines.append(f"    {printable(str(registry.address))} at {printable(registry.host) or '-'} ({printable(by)})")
    return "\n".join(lines)


def topology_json(stages: Sequence[Topology]) -> dict[str, Any]:
    """Return stages as JSON data."""
    return {"format_version": FORMAT_VERSION, "stages": [_stage(found) for found in stages]}


def topology_mermaid(stages: Sequence[Topology]) -> str:
    """Return stages as one flowchart in the language of Mermaid."""
    lines = ["flowchart LR"]
    for number, found in enumerate(stages):
        lines += [f"  subgraph s{number}[{_label(f'stage {found.stage}')}]"]
        lines += [f"    {line}" for line in _drawn(found, f"s{number}")]
        lines += ["  end"]
    return "\n".join(lines)


def _connectors(connectors: Sequence[Connector], indent: str) -> Iterator[str]:
    for connector in connectors:
        gateway = f"{connector.gateway or '-'}:{connector.port}"
        yield f"{indent}{printable(str(connector.address))} → gateway {printable(gateway)}"
        for tunnel in connector.tunnels:
            ends = ", ".join(printable(str(address)) for address in tunnel.registries) or "no registry"
            yield f"{indent}  tunnel {printable(_tunnel(tunnel))} → {ends}"


def _tunnel(tunnel: Tunnel) -> str:
    return f"{tunnel.type} {tunnel.host}:{tunnel.port}"


def _stage(found: Topology) -> dict[str, Any]:
    return {
        "stage": found.stage,
        "consoles": [{"target": console.target, "url": console.url} for console in found.consoles],
        "connectors": [
            {
                "resource": str(connector.address),
                "gateway": {"host": connector.gateway, "port": connector.port},
                "consoles": list(connector.consoles),
                "tunnels": [
                    {
                        "type": tunnel.type,
                        "host": tunnel.host,
                        "port": tunnel.port,
                        "registries": [str(address) for address in tunnel.registries],
                    }
                    for tunnel in connector.tunnels
                ],
            }
            for connector in found.connectors
        ],
        "registries": [
            {
                "resource": str(registry.address),
                "host": registry.host,
                "scanners": registry.scanners,
                "connectors": [str(address) for address in registry.connectors],
            }
            for registry in found.registries
        ],
    }


def _drawn(found: Topology, prefix: str) -> Iterator[str]:
    ids: dict[Address | str, str] = {}

    def node(what: Address | str) -> str:
        return ids.setdefault(what, f"{prefix}n{len(ids)}")

    for console in found.consoles:
        yield f"{node(console.target)}[{_label(console.target)}]"
    for connector in found.connectors:
        yield f"{node(connector.address)}({_label(str(connector.address))})"
        for target in connector.consoles:
            yield f"{node(target)} <--> {node(connector.address)}"
    for registry in found.registries:
        yield f"{node(registry.address)}[({_label(str(registry.address))})]"
    for connector in found.connectors:
        for tunnel in connector.tunnels:
            ends = [node(address) for address in tunnel.registries]
            if not ends:
                end = node(f"{connector.address} {tunnel.position}")
                yield f"{end}[{_label('no registry')}]"
                ends = [end]
            for end in ends:
                yield f"{node(connector.address)} -->|{_label(_tunnel(tunnel))}| {end}"


def _label(text: str) -> str:
    """Return a text as Mermaid takes it, whatever stands in it."""
    return '"' + "".join(c if c.isalnum() or c in " -_./:*" else f"#{ord(c)};" for c in printable(text)) + '"'
