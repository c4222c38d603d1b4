"""A machine and what was left on it → the spec it amounts to, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policysync.backends.skyhigh.facts import UTC, Machine
from policysync.render.skyhigh_pops import gateway_host

FORMAT_VERSION = 1
TUNNELS = 2
"""How many a connector keeps; a machine may have others of its own."""
KEPT = ("connectorGroup", "platform", "proxy", "provisioningKeyFrom", "package", "applications")
"""Members of a spec that no machine tells by itself: they are as they were recorded."""

# Firmware takes a little of what a machine was given. Source: reference, skyhigh-preflight.
MEMORY_TOLERANCE = 0.5


def record_of(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is left on a machine after an installation. The key is named by where it is kept."""
    kept = {name: spec[name] for name in KEPT if name in spec}
    return {"format_version": FORMAT_VERSION, **kept, "gateway": gateway_host(spec["gateway"])}


def spec_of(machine: Machine, stated: Mapping[str, Any]) -> dict[str, Any]:
    """Return the spec of a machine with a connector.

    `stated` is what git says: a machine with more than it asks for is just right, a gateway that is the same host is
    spelt the same, and how a machine is reached is not on the machine.
    """
    record, said = machine.record, stated["host"]
    gateway = stated["gateway"] if gateway_host(stated["gateway"]) == record["gateway"] else {"host": record["gateway"]}
    return {
        **{name: record[name] for name in KEPT if name in record},
        "name": stated["name"],
        "gateway": gateway,
        "host": {
            **{name: said[name] for name in ("address", "ipFamilies", "ssh", "location") if name in said},
            "hostname": machine.hostname,
            "os": {"distribution": machine.distribution, "version": machine.version},
            "cpu": _at_least(said["cpu"], machine.cpu),
            "memoryGiB": _at_least(said["memoryGiB"], machine.memory, MEMORY_TOLERANCE),
            "diskGiB": _at_least(said["diskGiB"], machine.disk),
            "varGiB": _at_least(said["varGiB"], machine.var),
            "timezone": "UTC" if machine.timezone in UTC else machine.timezone,
        },
        "running": {"services": list(machine.running), "tunnels": min(machine.tunnels, TUNNELS)},
    }


def _at_least(wanted: int, there: float | None, tolerance: float = 0.0) -> int:
    """Return what is wanted where there is enough of it, or nobody can tell; else what there is."""
    return wanted if there is None or there + tolerance >= wanted else int(there)
