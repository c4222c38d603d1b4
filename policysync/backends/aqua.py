"""The Aqua console: how its address is written, how to sign in, and what says that it is one."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson

from policysync.backends.answer import decoded, failure
from policysync.backends.http import Http
from policysync.backends.port import Facts
from policysync.backends.rest import Rest
from policysync.backends.session import HEADERS, Session
from policysync.errors import Refused, Unavailable
from policysync.kinds.kind import Kind
from policysync.secret import Secret

EMBEDDED = "embedded:"
EMBEDDED_USER = "administrator"
EMBEDDED_PASSWORD = "emulator"  # noqa: S105  the published default of a console that lives in this process

_log = logging.getLogger(__name__)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def console_url(text: str) -> str:
    """Return `scheme://host[:port]` of an address as people paste it.

    Raises:
        Refused: it is no address, holds credentials, or is a gateway's. Source: reference, policies 1.
    """
    written = text.strip()
    try:
        parts = urlsplit(written if "://" in written else f"https://{written}")
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError as error:
        raise Refused(f"{text!r} is not the address of a console: {error}") from error
    if parts.scheme not in _DEFAULT_PORTS or not host or any(c.isspace() for c in host):
        raise Refused(f"{text!r} is not the address of a console; want https://host or https://host:port")
    if parts.username or parts.password:
        raise Refused(f"the address of {host} holds credentials; they belong into the target's auth")
    label, _, domain = host.partition(".")
    if label.endswith("-gw") and domain.endswith("aquasec.com"):
        better = f"https://{label.removesuffix('-gw')}.{domain}"
        raise Refused(f"{host} is the gateway of the enforcers and answers no REST; use {better}")
    if ":" in host:
        host = f"[{host}]"
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != _DEFAULT_PORTS[parts.scheme] else "")


@dataclass(frozen=True, slots=True)
class Password:
    """Signs in to a self-hosted console. Source: reference, policies 2.1."""

    user: str
    password: Secret

    def sign_in(self, http: Http, base: str) -> Secret:
        body = orjson.dumps({"id": self.user, "password": self.password.reveal()})
        answer = http.send("POST", f"{base}/api/v1/login", {**HEADERS, "Content-Type": "application/json"}, body)
        if answer.status in (400, 401, 403):
            raise Refused(f"{answer} (the console does not let {self.user!r} in; check the target's auth)")
        error = failure(answer, writes=False)
        if error is not None:
            raise error
        said = decoded(answer)
        token = said.get("token") if isinstance(said, Mapping) else None
        if not isinstance(token, str) or not token:
            raise Refused(f"{answer.method} {answer.path}: {answer.status}, but no token: is this URL a console?")
        return Secret(token)


class Aqua(Rest):
    """One console."""

    def __init__(self, session: Session, kinds: Mapping[str, Kind], *, identity: str, **settings: Any) -> None:
        super().__init__(session, kinds, **settings)
        self._identity = identity

    def probe(self) -> Facts:
        """Sign in, read a little, and say what is there; see `port.Backend`."""
        self._again(self._looks_like_a_console)
        about = self._again(lambda: about_console(self._session.http, self._session.base))
        return Facts(version=str(about.get("version") or ""), identity=self._identity)

    def _looks_like_a_console(self) -> None:
        answer = self._session.call("GET", "/api/v2/repositories?page=1&pagesize=1")
        # A role without this right, or a version without this call, is a console all the same.
        if answer.status in (403, 404):
            return
        error = failure(answer, writes=False)
        if error is not None:
            raise error
        decoded(answer)


def about_console(http: Http, base: str) -> Mapping[str, Any]:
    """Return what a console says of itself before anybody signs in; nothing when it says nothing.

    Source: reference, platform 1 and 5.
    """
    answer = http.send("GET", f"{base}/api", HEADERS)
    error = failure(answer, writes=False)
    if isinstance(error, Unavailable):
        raise error
    said = None if error else decoded(answer)
    return said if isinstance(said, Mapping) else {}


def announced_header(http: Http, base: str) -> str:
    """Return the header a console wants the token in: one with a proxy before it may have moved it.

    Source: reference, platform 1.
    """
    named = about_console(http, base).get("authorization_header")
    return named if isinstance(named, str) else ""
