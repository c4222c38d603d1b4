"""Fingerprints of secrets: they tell one secret from another, and are kept where the secret must not be.

Each has a salt of its own, and is slow to make on purpose: who may read one could otherwise try short values by the
million.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

from policysync.secret import Secret

_FORM = "s1"


def fingerprint(secret: Secret, salt: bytes = b"") -> str:
    """Return a new fingerprint of a secret, or the one with this salt."""
    salt = salt or secrets.token_bytes(16)
    made = hashlib.scrypt(secret.reveal().encode("utf-8", "surrogatepass"), salt=salt, n=1 << 14, r=8, p=1, dklen=32)
    return ":".join((_FORM, *(urlsafe_b64encode(part).decode() for part in (salt, made))))


def matches(text: str, secret: Secret) -> bool | None:
    """Return whether a fingerprint is that of a secret; None where it is no fingerprint of ours."""
    form, _, rest = text.partition(":")
    salt, _, _ = rest.partition(":")
    try:
        known = form == _FORM and bool(decoded := urlsafe_b64decode(salt))
    except ValueError:
        known = False
    return hmac.compare_digest(fingerprint(secret, decoded), text) if known else None
