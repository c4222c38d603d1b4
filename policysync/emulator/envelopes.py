"""What stands around an object, and what may stand in it, as its call says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policysync.emulator.planes import deny, unknown_key
from policysync.kinds.kind import Kind


def nameless(kind: Kind) -> dict[str, Any]:
    """Return the object without a name that some consoles give for one they do not have."""
    fields = kind.root.properties
    return {name: 0 if name in fields and "integer" in fields[name].types else "" for name in kind.key}


def nothing(kind: Kind) -> dict[str, Any]:
    """Return what a success says that has nothing to say: some clients read JSON out of every answer but 204."""
    return {"status": 200, "code": 0, "data": {}} if kind.api.get("base") == "account" else {}


def check_only(api: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    """Refuse members that are not in the closed list of a strict call (reference, platform 2.4)."""
    form = api.get("body")
    only = form.get("only") if isinstance(form, Mapping) else None
    unknown = [name for name in body if name not in only] if only else []
    if unknown:
        raise deny(422, "Invalid request", *(unknown_key(name) for name in unknown))


def inside(body: bytes, api: Mapping[str, Any], kind: Kind) -> bytes:
    """Return an object in the envelope its plane has for single objects."""
    if not api.get("item"):
        return body
    head = b'{"status":200,"code":0,' if kind.api.get("base") == "account" else b"{"
    return head + b'"' + str(api["item"]).strip("/").encode() + b'":' + body + b"}"
