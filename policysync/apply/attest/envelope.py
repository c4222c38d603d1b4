"""DSSE: bytes with a type, and who signed both.

Source: Dead Simple Signing Envelope, protocol and JSON envelope, version 1.
"""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any, Protocol

from policysync.errors import PolicySyncError


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature. `keyid` is a hint for finding the key and nothing to trust."""

    keyid: str
    sig: bytes


class Signer(Protocol):
    """Signs with one key."""

    def sign(self, content: bytes) -> Signature:
        """Return the signature of some bytes.

        Raises:
            PolicySyncError: the key cannot be used.
        """


class Verifier(Protocol):
    """Knows whom to trust."""

    def signer(self, content: bytes, signature: Signature) -> str:
        """Return who made a signature of these bytes; empty when nobody did who is trusted."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload as it was signed, byte for byte."""

    payload: bytes
    kind: str
    signatures: tuple[Signature, ...]

    def signers(self, verifier: Verifier) -> list[str]:
        """Return who is trusted and signed this."""
        content = encoded(self.kind, self.payload)
        found = (verifier.signer(content, signature) for signature in self.signatures)
        return sorted({who for who in found if who})


def encoded(kind: str, payload: bytes) -> bytes:
    """Return what is signed: the pre-authentication encoding of a type and a payload."""
    name = kind.encode()
    return b"DSSEv1 %d %b %d %b" % (len(name), name, len(payload), payload)


def sealed(statement: Any, kind: str, signer: Signer) -> str:
    """Return a statement in an envelope, on one line."""
    payload = json.dumps(statement, separators=(",", ":"), ensure_ascii=False).encode()
    signature = signer.sign(encoded(kind, payload))
    said = {
        "payloadType": kind,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"keyid": signature.keyid, "sig": base64.b64encode(signature.sig).decode()}],
    }
    return json.dumps(said, separators=(",", ":"))


def opened(line: str) -> Envelope:
    """Return the envelope on a line.

    Raises:
        PolicySyncError: there is none.
    """
    try:
        said = json.loads(line)
        signatures = tuple(Signature(str(each.get("keyid", "")), _bytes(each["sig"])) for each in said["signatures"])
        return Envelope(_bytes(said["payload"]), _text(said["payloadType"]), signatures)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PolicySyncError("this is no DSSE envelope") from error


def _bytes(text: str) -> bytes:
    try:
        # Both alphabets of base64 are allowed.
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
