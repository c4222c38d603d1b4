"""Requests signed with an API key.

Source: reference, policies 2.3 and testing: two dialects, seconds or milliseconds, and a body as it is or without
its spaces.
"""

from __future__ import annotations

import hashlib
import hmac

from policysync.clock import Clock
from policysync.emulator.exchange import Request
from policysync.emulator.settings import Settings
from policysync.emulator.store import Store

_MILLISECONDS_FROM = 10_000_000_000


def signer(request: Request, settings: Settings, store: Store, clock: Clock) -> str | None:
    """Return the key a request is signed with; None when the key, the clock or the signature is not right."""
    key, stamp = request.headers.get("x-api-key", ""), request.headers.get("x-timestamp", "")
    secret = settings.api_secret if key == settings.api_key else store.fact(f"secret {key}")
    if not secret or not stamp.isdecimal() or len(stamp) > 16 or not _in_time(int(stamp), settings, clock):
        return None
    given = request.headers.get("x-signature", "").encode()
    texts = {(stamp + request.method + request.path).encode() + body for body in _readings(request.body)}
    return key if any(hmac.compare_digest(given, signature(secret, text).encode()) for text in texts) else None


def signature(secret: str, text: bytes) -> str:
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def _readings(body: bytes) -> tuple[bytes, ...]:
    return body, body.replace(b" ", b"")


def _in_time(stamp: int, settings: Settings, clock: Clock) -> bool:
    seconds = stamp / 1000 if stamp >= _MILLISECONDS_FROM else stamp
    return abs(clock.now().timestamp() - seconds) <= settings.clock_tolerance
