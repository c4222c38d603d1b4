"""An apono target → a tenant that can be asked."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from policysync.backends.apono.backend import Apono
from policysync.backends.aqua_options import options_of
from policysync.backends.auth import Auth
from policysync.backends.connection import Timeouts
from policysync.backends.http import Http
from policysync.backends.means import Means
from policysync.backends.port import Backend
from policysync.backends.session import Session
from policysync.documents.project import Target
from policysync.errors import Refused
from policysync.secret import Secret

NAME = "apono"
URL = "https://api.apono.io"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass
class Token:
    """A personal token, made in Apono's own pages: there is no call that gives a new one."""

    token: Secret
    given: bool = False

    def sign_in(self, http: Http) -> Secret:
        """Return the token; asked a second time, it was refused.

        Raises:
            Refused: Apono does not take it.
        """
        del http
        if self.given:
            raise Refused("Apono does not accept the token (401): check auth.token, and whether it has expired")
        self.given = True
        return self.token


def apono(target: Target, means: Means) -> Backend:
    """Return the tenant of a target.

    Raises:
        Refused: the target cannot be used as it is written.
    """
    base = (target.url or URL).rstrip("/")
    parts = urlsplit(base)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise Refused(f"{target.url!r} is no address; want one such as {URL}")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK and means.local is None:
        raise Refused(f"{base} is not encrypted, and the token would travel in the clear; want https")
    auth = Auth(target.auth, means.secrets)
    auth.only("token", ("token",))
    options = options_of(target.options, means.root)
    http = Http(
        means.clock,
        rate=means.limits.requests_per_second,
        local=means.local,
        tls=options.tls,
        timeouts=Timeouts(connect=min(10.0, means.limits.timeout), read=means.limits.timeout),
    )
    session = Session(http, base, Token(auth.secret("token")), means.clock)
    return Apono(session, means.kinds, again=means.again, parallelism=means.limits.parallelism, clock=means.clock)
