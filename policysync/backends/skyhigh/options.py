"""`options` of a skyhigh target: how its machines are reached."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from policysync.backends.option import Form, check_options
from policysync.errors import Refused

_FORMS: Mapping[str, Form] = {
    **dict.fromkeys(("via", "identity_file", "known_hosts", "jump", "program"), str),
    **dict.fromkeys(("connect_seconds", "install_minutes", "settle_seconds"), range(3601)),
}


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one target.

    `via` is "ssh", or "local" for the machine this runs on. What is not said here, the SSH client takes from its own
    configuration; only that it never asks, and never trusts an unknown host key, is ours. `identity_file` and
    `known_hosts` are files, `jump` a host to go through, `program` the client. `connect_seconds` bound the wait for
    a connection, `install_minutes` an installation; what looks ill is looked at again after `settle_seconds`.
    """

    via: str = "ssh"
    identity_file: str = ""
    known_hosts: str = ""
    jump: str = ""
    program: str = "ssh"
    connect_seconds: int = 10
    install_minutes: int = 30
    settle_seconds: int = 5


def options_of(written: Mapping[str, Any], root: Path) -> Options:
    """Return the options of a target; relative paths start at `root`.

    Raises:
        Refused: one is misspelt or of another type.
    """
    check_options(written, _FORMS)
    if written.get("via", "ssh") not in {"ssh", "local"}:
        raise Refused(f"options.via is {written['via']!r}; want ssh or local")
    placed = {
        name: str(root / Path(written[name]).expanduser())
        for name in ("identity_file", "known_hosts")
        if written.get(name)
    }
    return Options(**{**written, **placed})
