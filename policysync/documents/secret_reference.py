"""How a reference to a secret is written: `${SCHEME:…}`. Only its form is looked at here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_REFERENCE = re.compile(r"\$\{([a-z]+(?:-[a-z]+)*):([^}]*)\}\Z")
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_USUAL = "want ${env:NAME} or ${file:PATH}"


def parts(reference: str) -> tuple[str, str]:
    """Return scheme and name of a reference that has no trouble."""
    scheme, _, name = reference[2:-1].partition(":")
    return scheme, name


def is_secret_reference(value: Any) -> bool:
    """Whether a value is a reference that a document may hold."""
    return isinstance(value, str) and not secret_trouble(value)


def secret_trouble(text: str, *, commands: bool = False) -> str:
    """Return what is wrong with a text as a reference to a secret; nothing when it is one. Never shows the text.

    `commands` allows `${cmd:…}`: who may write policysync.yaml decides what runs here, who may write a policy does not.
    """
    found = _REFERENCE.match(text)
    if not found:
        return f"a secret stands here in clear text; {_USUAL}"
    scheme, name = found.groups()
    if scheme == "cmd" and not commands:
        return "`${cmd:…}` runs a program, and only policysync.yaml may ask for that; " + _USUAL
    if scheme not in _TROUBLE:
        return f"`${{{scheme}:…}}` is no reference we know; {_USUAL}"
    return _TROUBLE[scheme](name)


def origin(reference: str) -> str:
    """Return in words where a reference leads; it has no trouble."""
    scheme, name = parts(reference)
    place, _, member = name.partition("#")
    if scheme == "keyring":
        service, _, user = name.rpartition("/")
        return f"keyring, {user} at {service}"
    if scheme in _STORES:
        return f"{_STORES[scheme]}, {place}" + (f", field {member}" if member else "")
    return f"{_HERE[scheme]} {name}"


def _env(name: str) -> str:
    return "" if _ENV_NAME.match(name) else f"`{name}` is not the name of an environment variable"


def _file(name: str) -> str:
    if not name or ".." in name.split("/"):
        return "the path leads out of the policy root; want one inside it, or an absolute one"
    return ""


def _cmd(name: str) -> str:
    return "" if name.strip() else "no program is named; want ${cmd:PROGRAM ARGUMENTS}"


def _keyring(name: str) -> str:
    service, _, user = name.rpartition("/")
    return "" if service and user else "want ${keyring:SERVICE/USER}"


def _vault(name: str) -> str:
    path, _, member = name.partition("#")
    return "" if path.strip("/") and member else "want ${vault:PATH#FIELD}"


def _aws(name: str) -> str:
    secret, mark, member = name.partition("#")
    return "" if secret and (member or not mark) else "want ${aws-secret:NAME} or ${aws-secret:NAME#FIELD}"


_HERE = {"env": "environment variable", "file": "file", "cmd": "output of"}
_STORES = {"vault": "Vault", "aws-secret": "AWS Secrets Manager"}
_TROUBLE: Mapping[str, Callable[[str], str]] = {
    "env": _env,
    "file": _file,
    "cmd": _cmd,
    "keyring": _keyring,
    "vault": _vault,
    "aws-secret": _aws,
}
