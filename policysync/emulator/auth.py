"""Who may come in: a token of ours, or HTTP Basic.

Signing in as SaaS does (e-mail, API key) belongs beside `sign_in`: what it has to end with is `Tokens.issue`.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from secrets import token_hex
from typing import Any

import orjson

from policysync.clock import Clock
from policysync.emulator.exchange import Request, Response, answer, refuse
from policysync.emulator.settings import Settings
from policysync.emulator.store import Store

_CACHED = 1000


class Tokens:
    """Tokens of one console, in the form of a JWT; the key is in the store, so that every process accepts them."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._clock = clock
        self._good: dict[str, tuple[float, str]] = {}
        with store.writing():
            if store.fact("signing-key") is None:
                store.remember("signing-key", token_hex(32))
            self._key = str(store.fact("signing-key")).encode()

    def issue(self, user: str, life: float, claims: Mapping[str, Any] | None = None) -> str:
        """Return a token for `user` that is good for `life` seconds."""
        now = self._clock.now().timestamp()
        payload = {"sub": user, "iat": int(now), "exp": now + life, "jti": token_hex(4), **(claims or {})}
        text = f"{_encode(orjson.dumps({'alg': 'HS256', 'typ': 'JWT'}))}.{_encode(orjson.dumps(payload))}"
        return f"{text}.{self._sign(text)}"

    def user(self, token: str) -> str | None:
        """Return whose token it is; None when it is not ours or has expired."""
        known = self._good.get(token)
        if known is None:
            known = self._read(token)
            if known is None:
                return None
            if len(self._good) >= _CACHED:
                self._good.clear()
            self._good[token] = known
        expires, user = known
        return user if self._clock.now().timestamp() < expires else None

    def _read(self, token: str) -> tuple[float, str] | None:
        text, _, signature = token.rpartition(".")
        if not text or not hmac.compare_digest(signature.encode(), self._sign(text).encode()):
            return None
        claims = orjson.loads(_decode(text.partition(".")[2]))
        return float(claims["exp"]), str(claims["sub"])

    def _sign(self, text: str) -> str:
        return _encode(hmac.new(self._key, text.encode(), hashlib.sha256).digest())


def sign_in(request: Request, settings: Settings, tokens: Tokens) -> Response:
    """Answer `POST /api/v1/login` (reference, policies 2.1).

    Raises:
        Answered: 400 for a body that is not an object, 401 for wrong credentials.
    """
    try:
        body = orjson.loads(request.body)
    except orjson.JSONDecodeError:
        body = None
    if not isinstance(body, dict):
        raise refuse(400, "login needs a JSON object with id and password")
    if not _right(str(body.get("id", "")), str(body.get("password", "")), settings):
        raise refuse(401, "invalid username or password")
    user = {"id": settings.user, "name": settings.user, "role": "Administrator", "is_super": True}
    return answer(200, {"token": tokens.issue(settings.user, settings.token_life), "user": user})


def identify(request: Request, settings: Settings, tokens: Tokens) -> str:
    """Return the user a request comes from.

    Raises:
        Answered: nobody, or somebody whose token has expired: 401.
    """
    scheme, _, credential = request.headers.get(settings.authorization_header.lower(), "").partition(" ")
    user = None
    if scheme.lower() == "bearer":
        user = tokens.user(credential.strip())
    elif scheme.lower() == "basic":
        name, _, password = _basic(credential)
        user = name if _right(name, password, settings) else None
    if user is None:
        raise refuse(401, "Unauthorized")
    return user


def _basic(credential: str) -> tuple[str, str, str]:
    try:
        return base64.b64decode(credential, validate=True).decode().partition(":")
    except ValueError:
        return "", "", ""


def _right(user: str, password: str, settings: Settings) -> bool:
    # Both are compared in full, so that time says nothing about which one is wrong.
    same_user = hmac.compare_digest(user.encode(), settings.user.encode())
    return hmac.compare_digest(password.encode(), settings.password.encode()) and same_user


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
