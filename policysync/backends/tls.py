"""How certificates are checked, and which one we show."""

from __future__ import annotations

import logging
import ssl
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from policysync.errors import Refused

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tls:
    """The context is made once, when the first https connection needs it.

    `ca_file` is added to the authorities of the system. `client_cert` holds our own certificate, with its key unless
    `client_key` names another file. All are paths of files in PEM; empty means none.
    """

    verify: bool = True
    ca_file: str = ""
    client_cert: str = ""
    client_key: str = ""

    @cached_property
    def context(self) -> ssl.SSLContext:
        """The context all connections share.

        Raises:
            Refused: a file cannot be read.
        """
        context = ssl.create_default_context()
        if not self.verify:
            _log.warning(
                "TLS certificates are NOT verified (verify: false): anybody on the way can read and change all"
            )
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        elif self.ca_file:
            try:
                context.load_verify_locations(Path(self.ca_file))
            except OSError as error:
                raise Refused(f"{self.ca_file}: not a bundle of CA certificates in PEM: {error}") from error
        if self.client_cert:
            self._show_ours(context)
        return context

    def _show_ours(self, context: ssl.SSLContext) -> None:
        try:
            # An empty password instead of none: OpenSSL would ask for one at the terminal.
            context.load_cert_chain(self.client_cert, self.client_key or None, password="")
        except OSError as error:
            raise Refused(
                f"{self.client_cert}: no client certificate in PEM with its key, without a passphrase: {error}"
            ) from error
