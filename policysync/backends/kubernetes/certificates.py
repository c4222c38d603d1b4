"""Certificates that a kubeconfig carries in itself."""

from __future__ import annotations

import logging
import ssl
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from policysync.backends.tls import Tls
from policysync.errors import Refused

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Certificates(Tls):
    """TLS with authorities and a certificate of ours that are not in files. All are PEM.

    `ca` takes the place of the system's authorities: a cluster's own authority signs nothing else, and nobody else
    signs for the cluster. `server_name` is the name that the certificate has to be for, empty for that of the address.
    """

    ca: bytes = b""
    cert: bytes = field(default=b"", repr=False)
    key: bytes = field(default=b"", repr=False)
    server_name: str = ""

    @cached_property
    def context(self) -> ssl.SSLContext:
        """The context all connections share.

        Raises:
            Refused: what should be a certificate is none.
        """
        context = _Named(ssl.PROTOCOL_TLS_CLIENT)
        context.name = self.server_name
        if not self.verify:
            _log.warning("TLS certificates are NOT verified: anybody on the way can read and change all")
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        try:
            if self.ca:
                context.load_verify_locations(cadata=self.ca.decode("ascii"))
            else:
                context.load_default_certs()
            if self.cert:
                with _file(self.cert + b"\n" + self.key) as path:
                    context.load_cert_chain(path, password="")
        except (OSError, ValueError) as error:
            raise Refused(f"the certificates for the cluster cannot be used: {error}") from error
        return context


class _Named(ssl.SSLContext):
    """Asks for the name a kubeconfig states instead of that of the address."""

    name = ""

    def wrap_socket(self, *args: Any, **settings: Any) -> ssl.SSLSocket:
        if self.name:
            settings["server_hostname"] = self.name
        return super().wrap_socket(*args, **settings)


@contextmanager
def _file(content: bytes) -> Iterator[str]:
    """OpenSSL reads keys from files only; this one is gone as soon as it was read."""
    with tempfile.NamedTemporaryFile(suffix=".pem", delete=False) as made:
        made.write(content)
    try:
        yield made.name
    finally:
        Path(made.name).unlink()
