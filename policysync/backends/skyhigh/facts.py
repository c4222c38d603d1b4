"""What the probe found on a machine.

Source: reference, connectors 3.5; the layout of what `pa_connector.sh` prints is not documented.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from policysync.errors import Refused
from policysync.render.skyhigh_probe import RECORD

SERVICES = ("CWPP logging", "CWPP connector", "CWPP update", "CWPP pop manager")
_GOOD = re.compile(r"\b(running|up|active)\b", re.IGNORECASE)
_BAD = re.compile(r"\b(not|inactive|down|stopped|failed|dead|exited)\b", re.IGNORECASE)
_VERSION = re.compile(r"\d+(\.\d+)+")
_GIB = 1 << 30
UTC = frozenset({"UTC", "Etc/UTC", "Etc/Universal", "Universal", "Zulu", "Etc/Zulu", "Etc/UCT", "UCT"})


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine as it is. Sizes are in GiB, `epoch` in seconds; None where a fact could not be read.

    `running` are the services that run, in the vendor's words; `record` is what policysync left there.
    """

    distribution: str = ""
    version: str = ""
    cpu: int | None = None
    memory: float | None = None
    disk: float | None = None
    var: float | None = None
    var_options: str = ""
    hostname: str = ""
    timezone: str = ""
    squashfs_disabled: bool = False
    installed: bool = False
    connector: str = ""
    running: tuple[str, ...] = ()
    tunnels: int = 0
    epoch: int | None = None
    gateway_resolves: bool = False
    resolves: Mapping[str, bool] = field(default_factory=dict)
    reaches: Mapping[str, bool] = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)


def machine_of(printed: str) -> Machine:
    """Read what the probe printed.

    Raises:
        Refused: it is something else.
    """
    lines = [line for line in printed.splitlines() if line.startswith("{")]
    try:
        found = json.loads(lines[-1])
        return _machine(found)
    except (IndexError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise Refused("the machine answered the probe with something else than it prints") from error


def services_of(text: str) -> tuple[str, ...]:
    """Return which services run, by what the menu prints: the word after the name counts, in any case."""
    parts = [part for part in re.split(r"[;\n]", text) if part.strip()]
    running = []
    for service in SERVICES:
        said = next((part.lower() for part in parts if service.lower() in part.lower()), "")
        rest = said.replace(service.lower(), "", 1)
        if _GOOD.search(rest) and not _BAD.search(rest):
            running.append(service)
    return tuple(running)


def _machine(found: Mapping[str, Any]) -> Machine:
    version = _VERSION.search(found.get("version") or "")
    memory = found.get("memory_kib")
    return Machine(
        distribution=found["os"].get("id") or "",
        version=found["os"].get("version") or "",
        cpu=found.get("cpu"),
        memory=memory / (1 << 20) if memory is not None else None,
        disk=_gib(found.get("disk_bytes")),
        var=_gib(found.get("var_bytes")),
        var_options=found.get("var_options") or "",
        hostname=found.get("hostname") or "",
        timezone=found.get("timezone") or "",
        squashfs_disabled=bool(found.get("squashfs_disabled")),
        installed=bool(found.get("installer_present")),
        connector=version[0] if version else "",
        running=services_of(found.get("services") or ""),
        tunnels=int(found.get("tunnels_up") or 0),
        epoch=found.get("epoch"),
        gateway_resolves=bool(found.get("gateway_resolves")),
        resolves=dict(found.get("resolves") or {}),
        reaches=dict(found.get("reaches") or {}),
        record=_record(found.get("record")),
    )


def _record(kept: str | None) -> Mapping[str, Any]:
    """Return what policysync left on a machine.

    Raises:
        Refused: somebody else wrote there.
    """
    try:
        record = json.loads(kept) if kept else {}
    except ValueError:
        record = None
    if not isinstance(record, dict):
        raise Refused(f"{RECORD} on the machine is not what policysync left there; put it back, or rebuild the machine")
    return record


def _gib(size: int | None) -> float | None:
    return None if size is None else size / _GIB
