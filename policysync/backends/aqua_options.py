"""`options` of an aqua target: certificates, and hosts that are not where they usually are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from policysync.backends.address import host_url
from policysync.backends.tls import Tls
from policysync.errors import Refused

_OPTIONS = ("verify", "ca_file", "client_cert", "client_key", "region", "hosts")
BASES = ("supply-chain", "front", "account")
"""Each `x-api.base` that is not the console's."""

HOSTS = ("token", "prov", *BASES)


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one target. `hosts` maps some of `HOSTS` to addresses."""

    tls: Tls
    region: str = ""
    hosts: Mapping[str, str] = field(default_factory=dict)


def options_of(written: Mapping[str, Any], root: Path) -> Options:
    """Return the options of a target; relative paths start at `root`.

    Raises:
        Refused: one is misspelt or of another type.
    """
    _known(written, _OPTIONS, "option")
    verify = written.get("verify", True)
    if not isinstance(verify, bool):
        raise Refused(f"options.verify is {verify!r}; want true or false")
    hosts = written.get("hosts", {})
    if not isinstance(hosts, Mapping):
        raise Refused(f"options.hosts: want a mapping of {', '.join(HOSTS)} to addresses")
    _known(hosts, HOSTS, "host")
    files = {name: _file(written, name, root) for name in ("ca_file", "client_cert", "client_key")}
    return Options(
        Tls(verify, **files),
        _text(written, "region"),
        {name: host_url(address) for name, address in hosts.items()},
    )


def _file(written: Mapping[str, Any], name: str, root: Path) -> str:
    path = _text(written, name)
    return str(root / path) if path else ""


def _text(written: Mapping[str, Any], name: str) -> str:
    value = written.get(name, "")
    if not isinstance(value, str):
        raise Refused(f"options.{name} is {value!r}; want a text")
    return value


def _known(written: Mapping[str, Any], known: tuple[str, ...], noun: str) -> None:
    unknown = sorted(str(name) for name in written if name not in known)
    if unknown:
        raise Refused(f"unknown {noun} {unknown[0]!r}; known are {', '.join(sorted(known))}")
