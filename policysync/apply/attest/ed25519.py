"""Ed25519 signatures through `cryptography`, an extra. Keys are PEM: PKCS 8 private, SubjectPublicKeyInfo public."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from policysync.apply.attest.envelope import Signature
from policysync.errors import PolicySyncError
from policysync.secret import Secret

_END = "-----END PUBLIC KEY-----"


@dataclass(frozen=True, slots=True)
class Ed25519Signer:
    """Signs with a private key that has no passphrase of its own: where it comes from guards it."""

    key: Secret

    def sign(self, content: bytes) -> Signature:
        """See `Signer`."""
        keys = _library("cryptography.hazmat.primitives.serialization")
        kind = _library("cryptography.hazmat.primitives.asymmetric.ed25519").Ed25519PrivateKey
        private: Any = None
        # What it says may hold a part of the key.
        with suppress(ValueError, TypeError, _library("cryptography.exceptions").UnsupportedAlgorithm):
            private = keys.load_pem_private_key(self.key.reveal().encode(), None)
        if not isinstance(private, kind):
            raise PolicySyncError("attest.key is no ed25519 private key in PEM without a passphrase")
        return Signature(_keyid(private.public_key()), private.sign(content))


@dataclass(frozen=True, slots=True)
class Ed25519Verifier:
    """Trusts the public keys in a file, one PEM block after another; who signed is the key's fingerprint."""

    signers: Path

    def signer(self, content: bytes, signature: Signature) -> str:
        """See `Verifier`."""
        invalid = _library("cryptography.exceptions").InvalidSignature
        for public in self._keys():
            try:
                public.verify(signature.sig, content)
            except invalid:
                continue
            return _keyid(public)
        return ""

    def _keys(self) -> list[Any]:
        keys = _library("cryptography.hazmat.primitives.serialization")
        kind = _library("cryptography.hazmat.primitives.asymmetric.ed25519").Ed25519PublicKey
        try:
            text = self.signers.read_text(encoding="utf-8")
            found = [keys.load_pem_public_key(f"{part}{_END}\n".lstrip().encode()) for part in text.split(_END)[:-1]]
        except OSError as error:
            raise PolicySyncError(
                f"{self.signers} cannot be read, which would say whose signatures to trust: {error.strerror}"
            ) from error
        except ValueError as error:
            raise PolicySyncError(f"{self.signers} holds something else than public keys in PEM") from error
        return [key for key in found if isinstance(key, kind)]


def _keyid(public: Any) -> str:
    keys = _library("cryptography.hazmat.primitives.serialization")
    spki = public.public_bytes(keys.Encoding.DER, keys.PublicFormat.SubjectPublicKeyInfo)
    return f"sha256:{hashlib.sha256(spki).hexdigest()}"


def _library(module: str) -> Any:
    try:
        return import_module(module)
    except ImportError as error:
        raise PolicySyncError("ed25519 needs more to be installed: pip install 'policysync[attest]'") from error
