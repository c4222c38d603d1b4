"""What a token may do: its endpoints, and the roles it acts with."""

from __future__ import annotations

from fnmatch import fnmatchcase

import orjson

from policysync.emulator.auth import Visitor
from policysync.emulator.exchange import Answered, Request, answer, refuse
from policysync.emulator.planes import Plane, deny
from policysync.emulator.store import Store

_READING = ("GET", "HEAD", "OPTIONS")
_EXPLICIT = "User is not authorized to access this resource with an explicit deny in an identity-based policy"


def check_rights(visitor: Visitor, request: Request, plane: Plane, store: Store) -> None:
    """Refuse what a token does not allow.

    Raises:
        Answered: 403, in the form of the plane.
    """
    if plane == "supply-chain" and "ANY" in visitor.endpoints:
        raise Answered(answer(403, {"message": _EXPLICIT, "code": 403}))
    if not any(_allows(endpoint, request) for endpoint in visitor.endpoints):
        if plane == "account":
            raise deny(403, "Access denied", f"{request.method} is not among the allowed endpoints of this token.")
        raise refuse(403, f"{request.method} is not allowed by this token")
    if request.method not in _READING and visitor.roles and not any(_writes(role, store) for role in visitor.roles):
        raise refuse(403, "Forbidden")


def _allows(endpoint: str, request: Request) -> bool:
    method, _, path = endpoint.partition(":")
    return method.upper() in ("ANY", request.method) and fnmatchcase(request.path, path or "*")


def _writes(role: str, store: Store) -> bool:
    """Return whether a role may change anything. One that nobody knows may: the token was asked for with it."""
    held = store.named("Role", role)
    granted = store.named("PermissionSet", str(orjson.loads(held.body).get("permission"))) if held else None
    if granted is None:
        return True
    permission = orjson.loads(granted.body)
    return bool(permission.get("is_super")) or any(
        str(action).endswith(".write") for action in permission.get("actions") or ()
    )
