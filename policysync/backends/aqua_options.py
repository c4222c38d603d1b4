"""`options` of an aqua target: certificates, and hosts that are not where they usually are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from policysync.backends.address import host_url
from policysync.backends.option import Form, check_names, check_options
from policysync.backends.tls import Tls

_FILES = ("ca_file", "client_cert", "client_key")
_FORMS: Mapping[str, Form] = {**dict.fromkeys((*_FILES, "region"), str), "verify": bool, "hosts": dict}
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
    check_options(written, _FORMS)
    hosts = written.get("hosts", {})
    check_names(hosts, HOSTS, "host")
    files = {name: str(root / written[name]) for name in _FILES if written.get(name)}
    return Options(
        Tls(written.get("verify", True), **files),
        written.get("region", ""),
        {name: host_url(address) for name, address in hosts.items()},
    )
