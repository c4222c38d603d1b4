"""What a bearer token says of itself. Nobody here verifies it: the console that gave it out will."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from policysync.secret import Secret


def claims(token: Secret) -> Mapping[str, Any]:
    """Return the claims of a JWT; nothing when the token is something else."""
    try:
        payload = token.reveal().split(".")[1]
        said = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, RecursionError):
        return {}
    return said if isinstance(said, Mapping) else {}


def token_life(token: Secret, now: float) -> float | None:
    """Return how many seconds a new token lives, None when that cannot be read from it.

    `iat` is preferred to our own clock, which may be wrong. Source: reference, policies 2.5.
    """
    said = claims(token)
    try:
        life = float(said["exp"]) - float(said.get("iat") or now)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return life if life > 0 else None
