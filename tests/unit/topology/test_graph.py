"""Which tunnel carries which registry, and what does not fit together."""

from __future__ import annotations

from typing import Any

import pytest

from policysync.state.resource import Address
from policysync.topology.findings import misfits
from policysync.topology.graph import Console, topology
from policysync.topology.hosts import carries, host_of, looks_private, registry_host

EU, HARBOR = Address("AquaCloudConnector", "eu"), Address("Registry", "Harbor")
CONSOLES = (
    Console("dev-console", "dev", "https://dev1234.cloud.aquasec.com"),
    Console("prod-console", "prod", "https://prod5678.cloud.aquasec.com"),
)


def connector(*tunnels: dict[str, Any], gateway: str = "dev1234-gw.cloud.aquasec.com") -> dict[str, Any]:
    return {"gateway": {"host": gateway, "port": 443}, "tunnels": list(tunnels)}


def onprem(host: str) -> dict[str, Any]:
    return {"type": "onprem", "host": host, "port": 8443}


def said(specs: dict[Address, dict[str, Any]]) -> list[tuple[str, str, str]]:
    found = misfits(topology("dev", CONSOLES, specs), CONSOLES)
    return [(str(misfit.address), "/".join(misfit.path), misfit.code) for misfit in found]


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://Harbor.Corp.Example:8443/v2", "harbor.corp.example"),
        ("harbor.corp.example.", "harbor.corp.example"),
        ("harbor:5000", "harbor"),
        ("", ""),
        ("https://[broken", ""),
    ],
)
def test_hosts_are_compared_without_scheme_port_case_and_final_dot(text: str, host: str) -> None:
    assert host_of(text) == host


@pytest.mark.parametrize(
    ("spec", "host"),
    [
        ({"type": "AWS", "url": "eu-west-1"}, "*.dkr.ecr.eu-west-1.amazonaws.com"),
        ({"type": "GAR", "url": "europe-west1"}, "europe-west1-docker.pkg.dev"),
        ({"type": "HUB"}, "docker.io"),
        ({"type": "HARBOR", "url": "https://harbor.corp.example"}, "harbor.corp.example"),
        ({"type": "HARBOR"}, ""),
    ],
)
def test_where_a_registry_is(spec: dict[str, str], host: str) -> None:
    assert registry_host(spec) == host


def test_a_tunnel_to_ecr_carries_the_registries_of_its_region() -> None:
    tunnel = {"type": "aws", "host": "123456789012.dkr.ecr.eu-west-1.amazonaws.com", "region": "eu-west-1"}
    assert carries(tunnel, "*.dkr.ecr.eu-west-1.amazonaws.com")
    assert carries({"type": "aws", "region": "eu-west-1"}, "*.dkr.ecr.eu-west-1.amazonaws.com")
    assert not carries(tunnel, "*.dkr.ecr.us-east-1.amazonaws.com")
    assert not carries({"type": "onprem"}, "*.dkr.ecr.eu-west-1.amazonaws.com")


@pytest.mark.parametrize(
    ("host", "private"),
    [("harbor", True), ("10.0.0.4", True), ("8.8.8.8", False), ("r.corp", True), ("acme.azurecr.io", False)],
)
def test_which_hosts_look_private(host: str, private: bool) -> None:
    assert looks_private(host) is private


def test_a_connector_stands_between_its_console_and_what_it_carries() -> None:
    specs = {
        EU: connector(onprem("harbor.corp.example")),
        HARBOR: {"url": "https://Harbor.corp.example", "type": "HARBOR"},
    }
    found = topology("dev", CONSOLES, specs)
    assert found.connectors[0].consoles == ("dev-console",)
    assert found.connectors[0].registries == (HARBOR,)
    assert found.registries[0].connectors == (EU,)
    assert said(specs) == []


def test_a_registry_nobody_reaches_and_a_tunnel_nobody_uses() -> None:
    specs = {EU: connector(onprem("nexus.corp.example")), HARBOR: {"url": "https://harbor.corp.example"}}
    assert said(specs) == [
        ("AquaCloudConnector/eu", "tunnels/0/host", "unused-tunnel"),
        ("Registry/Harbor", "url", "no-tunnel"),
    ]


@pytest.mark.parametrize(
    "registry",
    [
        {"url": "https://harbor.corp.example", "scanner_type": "specific", "scanner_group_name": "here"},
        {"url": "https://acme.azurecr.io"},
        {"type": "HARBOR"},
    ],
    ids=["scanners near it", "a public cloud", "no address"],
)
def test_a_registry_reached_another_way_needs_no_tunnel(registry: dict[str, Any]) -> None:
    assert said({HARBOR: registry}) == []


def test_without_connectors_only_a_host_that_looks_private_is_remarked_on() -> None:
    assert said({HARBOR: {"url": "https://registry.example.com"}}) == []
    assert said({HARBOR: {"url": "https://registry.corp"}}) == [("Registry/Harbor", "url", "no-tunnel")]


def test_the_gateway_of_another_stage_is_an_error() -> None:
    specs = {EU: connector(gateway="prod5678-gw.cloud.aquasec.com")}
    (misfit,) = misfits(topology("dev", CONSOLES, specs), CONSOLES)
    assert (misfit.code, misfit.path, misfit.warning) == ("foreign-gateway", ("gateway", "host"), False)
    assert "prod-console in stage prod" in misfit.message
    assert said({EU: connector(gateway="elsewhere-gw.cloud.aquasec.com")}) == []
