"""Who may come in: a token of ours, HTTP Basic, or a request signed with an API key."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import ceil
from secrets import token_hex
from typing import Any

import orjson

from policysync.clock import Clock
from policysync.emulator.exchange import Request, refuse
from policysync.emulator.planes import Plane, deny
from policysync.emulator.quirks.access import digest_of
from policysync.emulator.settings import Settings
from policysync.emulator.signing import signer
from policysync.emulator.store import Store

_CACHED = 1000
_ANYTHING = ("ANY:*",)
_CHALLENGE = ("www-authenticate", 'Basic realm="console"')
"""Without it a client that sends its password only when asked never sends it."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who a request comes from. `endpoints` are methods, or method and path: `ANY`, `GET`, `ANY:*`, `GET:/v2/users`."""

    user: str
    expires: float = float("inf")
    endpoints: tuple[str, ...] = _ANYTHING
    roles: tuple[str, ...] = field(default=())


class Tokens:
    """Tokens of one console, in the form of a JWT; the key is in the store, so that every process accepts them."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._clock = clock
        self._good: dict[str, Visitor] = {}
        with store.writing():
            if store.fact("signing-key") is None:
                store.remember("signing-key", token_hex(32))
            self._key = str(store.fact("signing-key")).encode()

    def issue(self, user: str, life: float, claims: Mapping[str, Any] | None = None) -> str:
        """Return a token for `user` that is good for `life` seconds."""
        now = int(self._clock.now().timestamp())
        # Whole seconds: a typed client can read nothing else.
        payload = {"sub": user, "iat": now, "exp": now + ceil(life), "jti": token_hex(4), **(claims or {})}
        text = f"{_encode(orjson.dumps({'alg': 'HS256', 'typ': 'JWT'}))}.{_encode(orjson.dumps(payload))}"
        return f"{text}.{self._sign(text)}"

    def visitor(self, token: str) -> Visitor | None:
        """Return whose token it is; None when it is not ours or has expired."""
        known = self._good.get(token)
        if known is None:
            known = self._read(token)
            if known is None:
                return None
            if len(self._good) >= _CACHED:
                self._good.clear()
            self._good[token] = known
        return known if self._clock.now().timestamp() < known.expires else None

    def _read(self, token: str) -> Visitor | None:
        text, _, signature = token.rpartition(".")
        if not text or not hmac.compare_digest(signature.encode(), self._sign(text).encode()):
            return None
        claims = orjson.loads(_decode(text.partition(".")[2]))
        endpoints = tuple(claims.get("allowed_endpoints") or _ANYTHING)
        return Visitor(str(claims["sub"]), float(claims["exp"]), endpoints, tuple(claims.get("csp_roles") or ()))

    def _sign(self, text: str) -> str:
        return _encode(hmac.new(self._key, text.encode(), hashlib.sha256).digest())


def identify(
    request: Request, plane: Plane, settings: Settings, *, tokens: Tokens, store: Store, clock: Clock
) -> Visitor:
    """Return who a request comes from.

    Raises:
        Answered: nobody, or somebody whose token has expired: 401, on the account API 403 when there is none.
    """
    if plane == "account" and "x-api-key" in request.headers:
        key = signer(request, settings, store, clock)
        if key is None:
            raise deny(403, "Access denied", "The signature of the request is not valid.")
        return Visitor(key)
    given = request.headers.get(settings.authorization_header.lower(), "")
    if not given and plane in ("account", "prov"):
        raise deny(403, "Access denied", "The request is missing the session token. Please login.")
    scheme, _, credential = given.partition(" ")
    visitor = None
    if scheme.lower() == "bearer":
        visitor = tokens.visitor(credential.strip())
    elif scheme.lower() == "basic":
        name, _, password = _basic(credential)
        visitor = Visitor(name) if knows(name, password, settings, store) else None
    if visitor is None:
        raise refuse(401, "Unauthorized", _CHALLENGE)
    return visitor


def knows(user: str, password: str, settings: Settings, store: Store) -> bool:
    """Return whether a password is that of the one account, or of a user who was made since."""
    kept = store.fact(f"password {user}")
    if kept:
        return hmac.compare_digest(kept, digest_of(user, password))
    # Both are compared in full, so that time says nothing about which one is wrong.
    same_user = hmac.compare_digest(user.encode(), settings.user.encode())
    return hmac.compare_digest(password.encode(), settings.password.encode()) and same_user


def _basic(credential: str) -> tuple[str, str, str]:
    try:
        return base64.b64decode(credential, validate=True).decode().partition(":")
    except ValueError:
        return "", "", ""


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
