"""A signed-in session: puts the token on every request and renews it in time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

import orjson

from policysync.backends.answer import Answer
from policysync.backends.http import Http
from policysync.backends.token import token_life
from policysync.clock import Clock
from policysync.errors import Refused
from policysync.secret import Secret
from policysync.version import VERSION

HEADERS = {"Accept": "application/json", "User-Agent": f"policysync/{VERSION}"}
_JSON = {"Content-Type": "application/json"}


class Method(Protocol):
    """A way to sign in; one class is one `auth.method`."""

    def sign_in(self, http: Http) -> Secret:
        """Return a new bearer token.

        Raises:
            Refused: the credentials are wrong.
            Unavailable: it may work later.
        """


Announced = Callable[[Http, str], str]
"""Asks a console which header it wants the token in; empty when it does not say."""

Locate = Callable[[Http, Secret], str]
"""Finds the console a token is for, and raises as `Method.sign_in` does."""


class Session:
    """Sends requests with a token that is good. Threads share one; the token is kept in memory only."""

    def __init__(
        self,
        http: Http,
        base: str,
        method: Method,
        clock: Clock,
        *,
        header: str = "",
        announced: Announced | None = None,
        locate: Locate | None = None,
    ) -> None:
        """`header` carries the token; where none is given, `announced` is asked once the usual one does not work.

        With `locate`, `base` is only where the way to the console begins.
        """
        self.http = http
        self._base = base
        self._locate = locate
        self._header = header or "Authorization"
        self._announced = None if header else announced
        self._method = method
        self._clock = clock
        self._lock = threading.Lock()
        self._token: Secret | None = None
        self._renew_at = float("inf")
        self._refused: Refused | None = None

    @property
    def base(self) -> str:
        """The address of the console, without a slash at its end. Signs in where that has to be found out."""
        if self._locate is not None:
            self.token()
        return self._base

    def call(self, method: str, path: str, payload: Any = None, *, base: str = "", writes: bool = False) -> Answer:
        """Send one request with a good token and return its answer, whatever the status.

        A 401 is met by signing in once more and asking once more, in another header if the console has moved it.

        Args:
            path: percent-encoded, with its query.
            payload: sent as JSON; None sends no body.
            base: another host that takes the same token.

        Raises:
            Refused, Unavailable, OutcomeUnknown: as `Http.send`, and when signing in fails.
        """
        used, header = self.token(), self._header
        url = (base or self._base) + path
        body = b"" if payload is None else orjson.dumps(payload)
        answer = self._send(method, url, body, used, writes=writes)
        if answer.status == 401:
            answer = self._send(method, url, body, self.renewed(used), writes=writes)
        if answer.status == 401 and self._has_moved(header):
            answer = self._send(method, url, body, self.token(), writes=writes)
        return answer

    def _send(self, method: str, url: str, body: bytes, token: Secret, *, writes: bool) -> Answer:
        headers = {**HEADERS, self._header: f"Bearer {token.reveal()}"}
        return self.http.send(method, url, {**headers, **_JSON} if body else headers, body, writes=writes)

    def token(self) -> Secret:
        """Return a token with some life left, signing in where there is none."""
        with self._lock:
            token = self._token
            if token is None or self._clock.monotonic() >= self._renew_at:
                token = self._sign_in()
            if self._locate is not None:
                self._find_console(self._locate, token)
            return token

    def renewed(self, used: Secret) -> Secret:
        """Return another token than `used`; of the threads that ask with the same one, one signs in."""
        with self._lock:
            return self._sign_in() if self._token is None or self._token == used else self._token

    def _has_moved(self, header: str) -> bool:
        """Return whether the token belongs into another header than this one."""
        with self._lock:
            if self._announced is not None:
                announced, self._announced = self._announced, None
                self._header = announced(self.http, self._base) or self._header
            return self._header != header

    def _sign_in(self) -> Secret:
        with self._for_good():
            token = self._method.sign_in(self.http)
        life = token_life(token, self._clock.now().timestamp())
        self._renew_at = self._clock.monotonic() + 0.9 * life if life else float("inf")
        self._token = token
        return token

    def _find_console(self, locate: Locate, token: Secret) -> None:
        with self._for_good():
            self._base = locate(self.http, token)
        self._locate = None

    @contextmanager
    def _for_good(self) -> Iterator[None]:
        """Remember a refusal: ten workers with a wrong password would lock the account."""
        if self._refused is not None:
            raise self._refused
        try:
            yield
        except Refused as error:
            self._refused = error
            raise
