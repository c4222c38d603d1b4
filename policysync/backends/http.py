"""HTTP: sends requests and tells failures apart by what they leave behind.

Each worker has one connection to each origin and serves one thread at a time; as many workers exist as threads are
busy at once. Why no library does this is in docs/decisions/0008.
"""

from __future__ import annotations

import ssl
import urllib.request
from collections.abc import Callable, Iterable, Mapping
from http.client import HTTPException
from typing import Protocol

from policysync.backends.answer import Answer, retry_after
from policysync.backends.bucket import Bucket
from policysync.backends.connection import Connection, Origin, Timeouts, Unreached, proxy_for
from policysync.backends.framing import Exchange, TooMuch
from policysync.backends.tls import Tls
from policysync.clock import Clock
from policysync.errors import BackendError, OutcomeUnknown, Refused, Unavailable
from policysync.secret import told

Local = Callable[[str, str, dict[str, str], bytes], Exchange]
"""Answers in process: method, path with query, headers (names in lower case) and body → status, headers and body.

A ConnectionRefusedError out of it means that nothing was done, any other OSError that no answer came.
"""

_BUSY = frozenset({429, 503})
_IDEMPOTENT = frozenset({"GET", "HEAD"})


class Worker(Protocol):
    """Carries one request at a time, and its answer."""

    def exchange(self, origin: str, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Exchange:
        """Return the answer of an origin (`scheme://host[:port]`).

        Raises:
            Unreached: nothing was sent.
            OSError, HTTPException: something may have been.
        """

    def close(self) -> None:
        """Let go of every connection."""

    def cut(self) -> None:
        """End the request that is under way in another thread, where that can be done."""


class Wire:
    """One connection to each origin."""

    def __init__(self, tls: Tls, timeouts: Timeouts, proxies: Mapping[str, str]) -> None:
        self._tls = tls
        self._timeouts = timeouts
        self._proxies = proxies
        self._held: dict[str, Connection] = {}
        self._is_cut = False

    def exchange(self, origin: str, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Exchange:
        connection = self._held.get(origin) or self._to(origin)
        fresh = self._open(connection)
        try:
            return connection.exchange(method, target, headers, body)
        except ConnectionError:
            # A connection that lay idle may have died unnoticed; a write could have been done all the same.
            if fresh or self._is_cut or method not in _IDEMPOTENT:
                raise
            self._open(connection)
            return connection.exchange(method, target, headers, body)

    def _open(self, connection: Connection) -> bool:
        fresh = connection.open()
        # `cut` ends only what is open already.
        if self._is_cut:
            connection.close()
            raise Unreached("closed here")
        return fresh

    def _to(self, origin: str) -> Connection:
        there = Origin.of(origin)
        connection = Connection(there, lambda: self._tls.context, self._timeouts, proxy_for(there, self._proxies))
        self._held[origin] = connection
        return connection

    def close(self) -> None:
        for connection in self._held.values():
            connection.close()

    def cut(self) -> None:
        self._is_cut = True
        for connection in tuple(self._held.values()):
            connection.cut()


class InProcess:
    """A console in this process."""

    def __init__(self, local: Local) -> None:
        self._local = local

    def exchange(self, origin: str, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Exchange:
        try:
            status, received, content = self._local(
                method, target, {"host": origin.partition("://")[2], **_lower(headers.items())}, body
            )
        except ConnectionRefusedError as error:
            raise Unreached(str(error) or "refused") from error
        return status, list(_lower(received).items()), content

    def close(self) -> None:
        """There is nothing to let go of."""

    def cut(self) -> None:
        """What is done in process is soon done."""


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
        proxies: Mapping[str, str] | None = None,
    ) -> None:
        """`rate` is in requests a second for all threads together, None for no limit.

        `proxies` are as `proxy_for` takes them, None for those of the environment.
        """
        self._clock = clock
        self._bucket = Bucket(rate, clock)
        self._local = local
        self._tls = tls or Tls()
        self._timeouts = timeouts or Timeouts()
        self._proxies = urllib.request.getproxies_environment() if proxies is None else proxies
        self._idle: list[Worker] = []
        self._out: set[Worker] = set()
        self._closed = False

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b"", *, writes: bool = False
    ) -> Answer:
        """Send one request and return its answer, whatever the status.

        The path of `url` goes out as it is: percent-encode it before.

        Raises:
            Unavailable: nothing was sent, or a read got no whole answer.
            OutcomeUnknown: a write was sent and got no whole answer.
            Refused: the certificate or the proxy is not acceptable, the answer is too long, or `close` came first.
        """
        scheme, _, rest = url.partition("://")
        host, _, path = rest.partition("/")
        target = "/" + path
        sent = self._bucket.take()
        worker = self._borrow()
        try:
            status, received, content = worker.exchange(
                f"{scheme}://{host}", method, target, {"Accept-Encoding": "gzip", **headers}, body
            )
        except Unreached as error:
            raise self._closed_here(f"{method} {target}", host) or _unreached(
                error, f"{method} {target}", host
            ) from error
        except (OSError, HTTPException) as error:
            raise self._no_answer(error, f"{method} {target}", host, writes=writes) from error
        finally:
            self._give_back(worker)
        answer = Answer(method, target, status, dict(received), self._clock.now(), content)
        self._bucket.heard(sent, busy=status in _BUSY, retry_after=retry_after(answer))
        return answer

    def _borrow(self) -> Worker:
        # The last one given back goes out first, so that few connections stay warm instead of many going stale.
        try:
            worker = self._idle.pop()
        except IndexError:
            worker = InProcess(self._local) if self._local else Wire(self._tls, self._timeouts, self._proxies)
        self._out.add(worker)
        if self._closed:
            # `close` may have looked at those that are out before this one was.
            worker.cut()
        return worker

    def _give_back(self, worker: Worker) -> None:
        self._out.discard(worker)
        self._idle.append(worker)
        if self._closed:
            worker.close()

    def _no_answer(self, error: OSError | HTTPException, what: str, host: str, *, writes: bool) -> BackendError:
        text = told(str(error)) or type(error).__name__
        if writes:
            return OutcomeUnknown(f"{what}: sent to {host}, but no whole answer came: {text}")
        if given_up := self._closed_here(what, host):
            return given_up
        if isinstance(error, TooMuch):
            return Refused(f"{what}: {host} does not stop answering: {text}")
        return Unavailable(f"{what}: no whole answer from {host}: {text}")

    def _closed_here(self, what: str, host: str) -> Refused | None:
        return Refused(f"{what}: given up, because the connection to {host} was closed here") if self._closed else None

    def fresh(self) -> Http:
        """Return another one without connections, open also where this one is closed: for what has to be tidied up."""
        return Http(self._clock, local=self._local, tls=self._tls, timeouts=self._timeouts, proxies=self._proxies)

    def close(self) -> None:
        """Close every connection, and end what is under way on them in other threads."""
        self._closed = True
        self._bucket.close()
        for worker in tuple(self._out):
            worker.cut()
        while self._idle:
            self._idle.pop().close()


def _unreached(error: Unreached, what: str, host: str) -> BackendError:
    cause, text = error.__cause__, told(str(error))
    if isinstance(cause, ssl.SSLCertVerificationError):
        advice = "name its CA bundle in the target's options (ca_file)"
        return Refused(f"{what}: {host} has a certificate that is not trusted: {cause.verify_message}; {advice}")
    if "Tunnel connection failed: 4" in text:
        return Refused(f"{what}: the proxy does not let us through to {host}: {text}")
    return Unavailable(f"{what}: cannot reach {host}: {text}")


def _lower(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}
