"""HTTP: the only module that knows which library speaks it.

Each client has one connection and serves one thread at a time; as many exist as threads are busy at once. A big
shared pool is several times slower, because it looks at every connection on every request.
"""

from __future__ import annotations

import logging
import ssl
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from http.client import HTTPException
from pathlib import Path

import httpx

from policysync.backends.answer import Answer
from policysync.backends.bucket import Bucket
from policysync.backends.connection import Connection, Exchange, Origin, Timeouts, proxy_for
from policysync.clock import Clock
from policysync.errors import BackendError, OutcomeUnknown, Refused, Unavailable
from policysync.secret import redact

Local = Callable[[str, str, dict[str, str], bytes], Exchange]
"""Answers in process: method, path with query, headers and body → status, headers and body.

A ConnectionRefusedError out of it means that nothing was done, any other OSError that no answer came.
"""

_log = logging.getLogger(__name__)
_IDEMPOTENT = frozenset({"GET", "HEAD"})


@dataclass(frozen=True)
class Tls:
    """How certificates are checked. The context is made once, when the first https connection needs it."""

    verify: bool = True
    ca_file: str = ""

    @cached_property
    def context(self) -> ssl.SSLContext:
        """The context all connections share.

        Raises:
            Refused: the bundle cannot be read.
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
        return context


class Wire(httpx.BaseTransport):
    """A transport with one connection per origin, on `http.client`."""

    def __init__(self, tls: Tls, timeouts: Timeouts, proxies: Mapping[str, str]) -> None:
        self._tls = tls
        self._timeouts = timeouts
        self._proxies = proxies
        self._held: dict[Origin, Connection] = {}

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url
        connection = self._to(Origin(url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)))
        try:
            fresh = connection.open()
        except OSError as error:
            raise httpx.ConnectError(str(error)) from error
        try:
            status, headers, body = self._exchange(connection, request, again=not fresh)
        except (OSError, HTTPException) as error:
            raise httpx.ReadError(str(error) or type(error).__name__) from error
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))

    def _exchange(self, connection: Connection, request: httpx.Request, *, again: bool) -> Exchange:
        target = request.extensions["target"].decode()
        headers = {name: value for name, value in request.headers.items() if name != "content-length"}
        try:
            return connection.exchange(request.method, target, headers, request.content)
        except ConnectionError:
            # A connection that lay idle may have died unnoticed; a write could have been done all the same.
            if not again or request.method not in _IDEMPOTENT:
                raise
            connection.open()
            return connection.exchange(request.method, target, headers, request.content)

    def _to(self, origin: Origin) -> Connection:
        if origin not in self._held:
            proxy = proxy_for(origin, self._proxies)
            self._held[origin] = Connection(origin, lambda: self._tls.context, self._timeouts, proxy)
        return self._held[origin]

    def close(self) -> None:
        for connection in self._held.values():
            connection.close()


class InProcess(httpx.BaseTransport):
    """A transport to a console in this process."""

    def __init__(self, local: Local) -> None:
        self._local = local

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        target = request.extensions["target"].decode()
        try:
            status, headers, body = self._local(request.method, target, dict(request.headers), request.content)
        except ConnectionRefusedError as error:
            raise httpx.ConnectError(str(error) or "refused") from error
        except OSError as error:
            raise httpx.ReadError(str(error) or type(error).__name__) from error
        return httpx.Response(status, headers=headers, stream=httpx.ByteStream(body))


class Http:
    """Sends requests to any origin, from any thread."""

    def __init__(
        self,
        clock: Clock,
        *,
        rate: float | None = None,
        local: Local | None = None,
        tls: Tls | None = None,
        timeouts: Timeouts | None = None,
    ) -> None:
        """`rate` is in requests a second for all threads together, None for no limit."""
        self._clock = clock
        self._bucket = Bucket(rate, clock)
        self._local = local
        self._tls = tls or Tls()
        self._timeouts = timeouts or Timeouts()
        self._proxies = urllib.request.getproxies_environment()
        self._idle: list[httpx.Client] = []

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"", *, writes: bool = False
    ) -> Answer:
        """Send one request and return its answer, whatever the status.

        The path of `url` goes out as it is: percent-encode it before.

        Raises:
            Unavailable: nothing was sent, or a read got no whole answer.
            OutcomeUnknown: a write was sent and got no whole answer.
            Refused: the certificate or the proxy is not acceptable.
        """
        parts = urllib.parse.urlsplit(url)
        target = parts.path + (f"?{parts.query}" if parts.query else "")
        request = httpx.Request(
            method,
            f"{parts.scheme}://{parts.netloc}/",
            headers={"Accept-Encoding": "gzip", **headers},
            content=body,
            extensions={"target": target.encode()},
        )
        self._bucket.take()
        client = self._borrow()
        try:
            response = client.send(request)
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise _failure(error, f"{method} {target}", parts.netloc, writes=writes) from error
        finally:
            self._idle.append(client)
        return Answer(
            method, target, response.status_code, _lower(response.headers), self._clock.now(), response.content
        )

    def _borrow(self) -> httpx.Client:
        # The last one given back goes out first, so that few connections stay warm instead of many going stale.
        try:
            return self._idle.pop()
        except IndexError:
            transport = InProcess(self._local) if self._local else Wire(self._tls, self._timeouts, self._proxies)
            # Without trust_env=False the library would put a proxy transport of its own in the place of ours.
            return httpx.Client(transport=transport, trust_env=False)

    def close(self) -> None:
        """Close every connection that is not in use."""
        while self._idle:
            self._idle.pop().close()


def _failure(error: httpx.HTTPError, what: str, host: str, *, writes: bool) -> BackendError:
    cause, text = error.__cause__, redact(str(error))
    if isinstance(cause, ssl.SSLCertVerificationError):
        advice = "name its CA bundle in the target's options (ca_file)"
        return Refused(f"{what}: {host} has a certificate that is not trusted: {cause.verify_message}; {advice}")
    if isinstance(error, httpx.ConnectError):
        if "Tunnel connection failed: 4" in text:
            return Refused(f"{what}: the proxy does not let us through to {host}: {text}")
        return Unavailable(f"{what}: cannot reach {host}: {text}")
    if writes:
        return OutcomeUnknown(f"{what}: sent to {host}, but no whole answer came: {text}")
    return Unavailable(f"{what}: no whole answer from {host}: {text}")


def _lower(headers: httpx.Headers) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
