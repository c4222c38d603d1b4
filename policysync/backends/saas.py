"""Signing in to the vendor's cloud: the token comes from one host, the console is another."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlsplit

import orjson

from policysync.backends.address import console_url
from policysync.backends.answer import Answer, decoded, failure, shown
from policysync.backends.http import Http
from policysync.backends.session import HEADERS
from policysync.backends.token import claims
from policysync.clock import Clock
from policysync.errors import BackendError, OutcomeUnknown, Refused, Unavailable
from policysync.secret import Secret

SKEW = 60
"""Seconds two clocks may differ before anybody is told."""

_JSON = {**HEADERS, "Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class SaasPassword:
    """Signs in with e-mail and password at a token host. Source: reference, policies 2.2."""

    host: str
    email: str
    password: Secret

    def sign_in(self, http: Http) -> Secret:
        body = orjson.dumps({"email": self.email, "password": self.password.reveal()})
        answer = http.send("POST", f"{self.host}/v2/signin", _JSON, body)
        if answer.status in (400, 401, 403, 422):
            advice = f"{self.host} does not let {self.email!r} in; accounts with single sign-on need method api-key"
            raise Refused(f"{_said(answer)} ({advice})")
        data = _data(answer)
        return _token(answer, data.get("token") if isinstance(data, Mapping) else None)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """Signs in with a signed request for a token. Source: reference, policies 2.3.

    `validity` is in minutes. Empty `roles` leave the role to the console.
    """

    host: str
    key: Secret
    secret: Secret
    clock: Clock
    validity: int = 240
    roles: tuple[str, ...] = ()
    endpoints: tuple[str, ...] = ("ANY:*",)

    def sign_in(self, http: Http) -> Secret:
        wish = {"validity": self.validity, "allowed_endpoints": self.endpoints}
        # Compact on purpose: some servers take the spaces out before they check the signature.
        body = orjson.dumps({**wish, "csp_roles": self.roles} if self.roles else wish)
        answer = http.send("POST", f"{self.host}/v2/tokens", self._signed("/v2/tokens", body), body)
        if answer.status in (400, 401, 403, 422):
            raise Refused(f"{_said(answer)} ({self._advice(answer)})")
        return _token(answer, _data(answer))

    def _signed(self, path: str, body: bytes) -> Mapping[str, str]:
        timestamp = str(int(self.clock.now().timestamp()))
        text = f"{timestamp}POST{path}".encode() + body
        signature = hmac.new(self.secret.reveal().encode(), text, hashlib.sha256).hexdigest()
        return {**_JSON, "X-API-Key": self.key.reveal(), "X-Timestamp": timestamp, "X-Signature": signature}

    def _advice(self, answer: Answer) -> str:
        skew = clock_skew(answer)
        if skew:
            return f"{skew}, and the signature holds the time: correct the clock"
        roles = f", and that {' and '.join(self.roles)} is a role there (auth.roles)" if self.roles else ""
        return f"{self.host} refuses this API key: check auth.key, auth.secret and the region{roles}"


@dataclass(frozen=True, slots=True)
class Lookup:
    """Finds the console a token belongs to. `prov` is asked when the token does not say. Source: policies 2.4."""

    prov: str

    def __call__(self, http: Http, token: Secret) -> str:
        """Return the address of the console.

        Raises:
            Refused: the account has none, or nobody says where it is.
            Unavailable: it may be found later.
        """
        said = claims(token)
        if said.get("csp_enabled") is False:
            raise Refused("this account has no console of its own (csp_enabled is false in its token)")
        host = _at(said, "csp_metadata", "urls", "ese_url")
        # The console speaks what its neighbour speaks: https, but for an emulator on this machine.
        return console_url(f"{urlsplit(self.prov).scheme}://{host or self._asked(http, token)}")

    def _asked(self, http: Http, token: Secret) -> str:
        answer = http.send("GET", f"{self.prov}/v1/envs", {**HEADERS, "Authorization": f"Bearer {token.reveal()}"})
        advice = "write the console's own address (https://TENANT…) as the target's url"
        host = _at(_data(answer, f"the console of this account cannot be found at {self.prov}; {advice}"), "ese_url")
        if not host:
            raise Refused(f"{_said(answer)} ({self.prov} names no console for this account; {advice})")
        return host


def clock_skew(answer: Answer) -> str:
    """Return how our clock differs from the one of who answered; empty when it does not, or cannot be told."""
    try:
        theirs = parsedate_to_datetime(answer.headers.get("date", ""))
        seconds = (answer.at - theirs).total_seconds()
    except (TypeError, ValueError):
        return ""
    if abs(seconds) <= SKEW:
        return ""
    return f"the clock of this machine is {abs(seconds):.0f} s {'ahead' if seconds > 0 else 'behind'}"


def _data(answer: Answer, advice: str = "") -> Any:
    """Return the member `data` of an answer; None when there is none."""
    error = failure(answer, writes=False)
    if error is not None:
        raise _with(error, answer, advice)
    said = decoded(answer)
    return said.get("data") if isinstance(said, Mapping) else None


def _with(error: BackendError, answer: Answer, advice: str) -> BackendError:
    said = f"{_said(answer)} ({advice})" if advice else _said(answer)
    if isinstance(error, Unavailable):
        return Unavailable(said, error.retry_after)
    return OutcomeUnknown(said) if isinstance(error, OutcomeUnknown) else Refused(said if advice else str(error))


def _token(answer: Answer, value: Any) -> Secret:
    if not isinstance(value, str) or not value:
        raise Refused(f"{answer.method} {answer.path}: {answer.status}, but no token: is this a token host?")
    return Secret(value)


def _at(value: Any, *names: str) -> str:
    for name in names:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value if isinstance(value, str) else ""


def _said(answer: Answer) -> str:
    """Return an answer with what its error says, and the number by which the account API knows it (policies 2.8)."""
    try:
        body = orjson.loads(answer.body)
    except ValueError:
        return str(answer)
    number = body.get("id") if isinstance(body, Mapping) else None
    return f"{answer} [id {shown(number)}]" if isinstance(number, str) and number else str(answer)
