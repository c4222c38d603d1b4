"""A signed-in session: puts the token on every request and renews it in time."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable
from typing import Any, Protocol

import orjson

from policysync.backends.answer import Answer
from policysync.backends.http import Http
from policysync.clock import Clock
from policysync.errors import Refused
from policysync.secret import Secret
from policysync.version import VERSION

HEADERS = {"Accept": "application/json", "User-Agent": f"policysync/{VERSION}"}
_JSON = {"Content-Type": "application/json"}


class Method(Protocol):
    """A way to sign in; one class is one `auth.method`."""

    def sign_in(self, http: Http, base: str) -> Secret:
        """Return a new bearer token.

        Raises:
            Refused: the credentials are wrong.
            Unavailable: it may work later.
        """


Announced = Callable[[Http, str], str]
"""Asks a console which header it wants the token in; empty when it does not say."""


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
    ) -> None:
        """`header` carries the token; where none is given, `announced` is asked once the usual one does not work."""
        self.http = http
        self.base = base
        self._header = header or "Authorization"
        self._announced = None if header else announced
        self._method = method
        self._clock = clock
        self._lock = threading.Lock()
        self._token: Secret | None = None
        self._renew_at = float("inf")
        self._refused: Refused | None = None

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
        url = (base or self.base) + path
        body = b"" if payload is None else orjson.dumps(payload)
        used, header = self.token(), self._header
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
            if self._token is None or self._clock.monotonic() >= self._renew_at:
                return self._sign_in()
            return self._token

    def renewed(self, used: Secret) -> Secret:
        """Return another token than `used`; of the threads that ask with the same one, one signs in."""
        with self._lock:
            return self._sign_in() if self._token is None or self._token == used else self._token

    def _has_moved(self, header: str) -> bool:
        """Return whether the token belongs into another header than this one."""
        with self._lock:
            if self._announced is not None:
                announced, self._announced = self._announced, None
                self._header = announced(self.http, self.base) or self._header
            return self._header != header

    def _sign_in(self) -> Secret:
        # Ten workers with a wrong password would lock the account.
        if self._refused is not None:
            raise self._refused
        try:
            self._token = self._method.sign_in(self.http, self.base)
        except Refused as error:
            self._refused = error
            raise
        life = token_life(self._token, self._clock.now().timestamp())
        self._renew_at = self._clock.monotonic() + 0.9 * life if life else float("inf")
        return self._token


def token_life(token: Secret, now: float) -> float | None:
    """Return how many seconds a new token lives, None when that cannot be read from it.

    `iat` is preferred to our own clock, which may be wrong. Source: reference, policies 2.5.
    """
    try:
        payload = token.reveal().split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        life = float(claims["exp"]) - float(claims.get("iat") or now)
    except (IndexError, KeyError, TypeError, ValueError):
        return None
    return life if life > 0 else None
