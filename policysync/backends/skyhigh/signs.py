"""A machine beside what a connector needs → signs. Pure.

Source: reference, skyhigh-preflight and connectors 3.6, 3.7.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from math import asin, cos, radians, sin, sqrt
from typing import Any

from policysync.backends.port import Level, Sign
from policysync.backends.skyhigh.facts import SERVICES, UTC, Machine
from policysync.backends.skyhigh.live import MEMORY_TOLERANCE, TUNNELS
from policysync.render.skyhigh_pops import POPS, Pop, gateway_host
from policysync.render.skyhigh_probe import proxy_url

OLDEST = (1, 0, 0, 3)
"""The first version that upgrades itself."""

_SYSTEMS = {"ubuntu": ("18.04", "20.04", "22.04"), "rhel": ("8.5", "8.6", "8.7", "9.0", "9.1")}
_MINIMUM = {"cpu": 4, "memory": 8, "disk": 50, "var": 25}
_NEAR = 3
SKEW = 300
"""Seconds two clocks may differ before anybody is told; a probe takes its time."""


def preflight(machine: Machine, spec: Mapping[str, Any], now: datetime) -> Iterator[Sign]:
    """Yield what has to be so before a connector is installed; `now` is the time here."""
    yield from _system(machine)
    yield from _sizes(machine, spec["host"])
    yield _sign(
        "var-exec",
        "noexec" not in machine.var_options.split(","),
        "var-noexec",
        "/var allows execution",
        "/var is mounted noexec, and the installer runs programs there; mount it without",
    )
    yield _sign(
        "squashfs",
        not machine.squashfs_disabled,
        "squashfs-disabled",
        "squashfs can be loaded",
        "squashfs is disabled under /etc/modprobe.d, and the installer's packages are mounted with it; take that out",
    )
    yield _sign(
        "timezone",
        machine.timezone in UTC,
        "not-utc",
        "the time zone is UTC",
        f"the time zone is {machine.timezone or 'unknown'}; want UTC (`timedatectl set-timezone UTC`)",
    )
    yield from _clock(machine, now)
    yield _hostname(machine, spec["host"]["hostname"])
    yield _gateway(spec)
    if not proxy_url(spec) and spec.get("proxy", {}).get("noProxy"):
        said = "noProxy is left out where there is no proxy; want proxy.url, or leave noProxy out"
        yield Sign("preflight/no-proxy", Level.WARNING, "no-proxy-without-proxy", said)
    yield from _network(machine, spec)


def health(machine: Machine) -> Iterator[Sign]:
    """Yield how a connector is that is there."""
    down = [service for service in SERVICES if service not in machine.running]
    yield _health(
        "services",
        not down,
        "service-down",
        "all four services run",
        f"not running: {', '.join(down)}; see `pa_connector.sh` on the machine",
    )
    if machine.tunnels == 1:
        said = "one of two tunnels is up; a short loss is normal, and the connector opens it again"
        yield Sign("health/tunnels", Level.WARNING, "tunnel-down", said)
    else:
        wrong = "no tunnel is up; see the gateway, the proxy and the provisioning key"
        yield _health("tunnels", machine.tunnels >= TUNNELS, "tunnels-down", f"{machine.tunnels} tunnels are up", wrong)
    yield _version(machine.connector)


def key_shape(key: str) -> Sign:
    """Say whether a provisioning key has the shape that published samples have: never more than a warning."""
    try:
        shaped = isinstance(json.loads(base64.b64decode(key, validate=True)), dict)
    except (binascii.Error, ValueError):
        shaped = False
    if shaped:
        return Sign("preflight/provisioning-key", Level.OK, "", "the provisioning key has the usual shape")
    said = "the provisioning key is not base64 of a JSON object, as samples are; see that all of it was copied"
    return Sign("preflight/provisioning-key", Level.WARNING, "key-shape", said)


def _gateway(spec: Mapping[str, Any]) -> Sign:
    """Say whether the gateway is one of the vendor's, and the nearest where the document says where the machine is."""
    name, host, place = "preflight/gateway", gateway_host(spec["gateway"]), spec["host"].get("location")
    own = next((pop for pop in POPS if pop.host == host), None)
    if own is None:
        said = f"{host} is not on the vendor's list of gateways, which may have grown"
        return Sign(name, Level.WARNING, "gateway-unknown", said)
    near = nearest(place["latitude"], place["longitude"]) if place else ()
    if near and own != near[0]:
        listed = ", ".join(f"{pop.code} ({pop.name})" for pop in near)
        return Sign(name, Level.WARNING, "gateway-far", f"{own.code} is not the nearest gateway; nearest are {listed}")
    return Sign(name, Level.OK, "", f"{host} is a gateway of the vendor")


def nearest(latitude: float, longitude: float) -> tuple[Pop, ...]:
    """Return the gateways nearest to a place, the nearest first."""
    return tuple(sorted(POPS, key=lambda pop: _distance(latitude, longitude, pop))[:_NEAR])


def _distance(latitude: float, longitude: float, pop: Pop) -> float:
    a, b = radians(latitude), radians(pop.latitude)
    half = sin((b - a) / 2) ** 2 + cos(a) * cos(b) * sin(radians(pop.longitude - longitude) / 2) ** 2
    return asin(sqrt(half))


def _system(machine: Machine) -> Iterator[Sign]:
    known = _SYSTEMS.get(machine.distribution, ())
    here = f"{machine.distribution or 'unknown'} {machine.version}".strip()
    wanted = "; ".join(f"{name} {', '.join(versions)}" for name, versions in _SYSTEMS.items())
    wrong = f"{here} is not supported; want one of {wanted}"
    yield _sign("os", machine.version in known, "os-unsupported", f"{here} is supported", wrong)


def _sizes(machine: Machine, host: Mapping[str, Any]) -> Iterator[Sign]:
    for name, there, stated, unit, tolerance in (
        ("cpu", machine.cpu, host["cpu"], "processors", 0.0),
        ("memory", machine.memory, host["memoryGiB"], "GiB of memory", MEMORY_TOLERANCE),
        ("disk", machine.disk, host["diskGiB"], "GiB of disk", 0.0),
        ("var", machine.var, host["varGiB"], "GiB in /var", 0.0),
    ):
        if there is None:
            yield Sign(f"preflight/{name}", Level.UNKNOWN, "unreadable", f"the machine does not say how many {unit}")
            continue
        wanted = max(stated, _MINIMUM[name])
        wrong = f"{there:.3g} {unit}; want at least {wanted}"
        yield _sign(name, there + tolerance >= wanted, f"{name}-too-small", f"{there:.3g} {unit}", wrong)


def _hostname(machine: Machine, stated: str) -> Sign:
    if machine.hostname.lower() == stated.lower():
        return Sign("preflight/hostname", Level.OK, "", f"the host name is {stated}")
    said = (
        f"the host name is {machine.hostname or 'unknown'}; want {stated}, which is what the console shows for good"
        f" (`hostnamectl set-hostname {stated}`)"
    )
    return Sign("preflight/hostname", Level.ERROR, "other-hostname", said)


def _clock(machine: Machine, now: datetime) -> Iterator[Sign]:
    if machine.epoch is None:
        return
    ahead = machine.epoch - int(now.timestamp())
    if abs(ahead) > SKEW:
        said = (
            f"the clock is {abs(ahead)} s {'ahead of' if ahead > 0 else 'behind'} this one; certificates want it right"
        )
        yield Sign("preflight/clock", Level.WARNING, "clock-differs", said)


def _network(machine: Machine, spec: Mapping[str, Any]) -> Iterator[Sign]:
    gateway = gateway_host(spec["gateway"])
    yield _sign(
        "dns-internet",
        machine.gateway_resolves or bool(proxy_url(spec)),
        "gateway-unresolved",
        f"{gateway} resolves" if machine.gateway_resolves else f"{gateway} is left to the proxy to resolve",
        f"{gateway} does not resolve on the machine; see its name servers",
    )
    for name, known in sorted(machine.resolves.items()):
        wrong = f"{name} does not resolve on the machine, so the connector cannot reach it"
        yield _sign(f"dns-private/{name}", known, "host-unresolved", f"{name} resolves", wrong)
    for name, reached in sorted(machine.reaches.items()):
        good = f"{name}:443 answers"
        if name == gateway:
            wrong = f"nothing answers at {name}:443; open it, or set the proxy"
            yield _sign("outbound/gateway", reached, "gateway-blocked", good, wrong)
        elif not reached:
            said = f"nothing answers at {name}:443; an older list of the vendor has it, and the list is incomplete"
            yield Sign(f"preflight/outbound/{name}", Level.WARNING, "outbound-blocked", said)


def _version(version: str) -> Sign:
    name = "health/version"
    if not version:
        return Sign(name, Level.UNKNOWN, "version-unknown", "the machine does not say which version it has")
    if tuple(int(part) for part in version.split(".")) >= OLDEST:
        return Sign(name, Level.OK, "", f"version {version}")
    oldest = ".".join(map(str, OLDEST))
    return Sign(name, Level.WARNING, "version-old", f"version {version} does not upgrade itself; {oldest} does")


def _sign(name: str, good: bool, reason: str, said: str, wrong: str) -> Sign:
    return (
        Sign(f"preflight/{name}", Level.OK, "", said) if good else Sign(f"preflight/{name}", Level.ERROR, reason, wrong)
    )


def _health(name: str, good: bool, reason: str, said: str, wrong: str) -> Sign:
    return Sign(f"health/{name}", Level.OK, "", said) if good else Sign(f"health/{name}", Level.ERROR, reason, wrong)
