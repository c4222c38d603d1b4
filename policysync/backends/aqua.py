"""The Aqua console: how to sign in to one's own, and what says that it is one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from policysync.backends.answer import decoded, failure
from policysync.backends.http import Http
from policysync.backends.port import Facts
from policysync.backends.rest import Rest
from policysync.backends.session import HEADERS, Session
from policysync.errors import Refused, Unavailable
from policysync.kinds.kind import Kind
from policysync.secret import Secret


@dataclass(frozen=True, slots=True)
class Password:
    """Signs in to a self-hosted console. Source: reference, policies 2.1."""

    base: str
    user: str
    password: Secret

    def sign_in(self, http: Http) -> Secret:
        body = orjson.dumps({"id": self.user, "password": self.password.reveal()})
        answer = http.send("POST", f"{self.base}/api/v1/login", {**HEADERS, "Content-Type": "application/json"}, body)
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

    def __init__(self, session: Session, kinds: Mapping[str, Kind], *, identity: str = "", **settings: Any) -> None:
        """`identity` is the console's address where none is given."""
        super().__init__(session, kinds, **settings)
        self._identity = identity

    def probe(self) -> Facts:
        """Sign in, read a little, and say what is there; see `port.Backend`."""
        self._again(self._looks_like_a_console)
        about = self._again(lambda: about_console(self._session.http, self._session.base))
        return Facts(version=str(about.get("version") or ""), identity=self._identity or self._session.base)

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
