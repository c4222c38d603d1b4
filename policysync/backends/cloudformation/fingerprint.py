"""A secret in a parameter that is never shown: how it is recognised without being stored.

The fingerprint stands in a tag of the stack with a salt of its own. It is slow to make on purpose: who may describe
the stack could otherwise try short values by the million.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from policysync.backends.means import Secrets
from policysync.backends.secret_source import resolve
from policysync.errors import Refused
from policysync.secret import Secret

_FORM = "s1"
_log = logging.getLogger(__name__)


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


def seen_as(source: Mapping[str, Any], tag: str, secrets: Secrets) -> dict[str, Any]:
    """Return where the secret of a live stack is kept, as far as that can be told.

    What cannot be compared counts as unchanged: the source as the document says it.
    """
    said = {place: name for place, name in source.items() if name}
    try:
        same = matches(tag, resolve(said, secrets)) if said and tag else None
    except Refused as error:
        _log.info("a secret is not compared: %s", error)
        same = None
    if same is not False:
        return said
    ((place, name),) = said.items()
    if isinstance(name, str):
        return {place: f"{name} (another value)"}
    *members, last = name
    return {place: {**{member: name[member] for member in members}, last: f"{name[last]} (another value)"}}
