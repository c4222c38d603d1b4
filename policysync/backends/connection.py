"""One keep-alive connection to one console.

The standard library opens it, through a proxy where there is one; the bytes on it are `framing`'s.
"""

from __future__ import annotations

import base64
import contextlib
import select
import socket
import ssl
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPSConnection

from policysync.backends.framing import Exchange, Inbox, answer, request
from policysync.errors import Refused
from policysync.secret import Secret

# In every Python 3, and in no type stub.
_bypasses = urllib.request.proxy_bypass_environment  # type: ignore[attr-defined]  # see above

_PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. `read` is for one wait on the network, `whole` for a request and its answer, however they drip."""

    connect: float = 10.0
    read: float = 60.0

    @property
    def whole(self) -> float:
        return 4 * self.read


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a connection leads: scheme, host and port of a URL."""

    scheme: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Origin:
        """Return the origin of `scheme://host[:port]`; a name in another script comes out as the network spells it.

        Raises:
            Refused: it has no such spelling.
        """
        parts = urllib.parse.urlsplit(url)
        return cls(parts.scheme, _ascii(parts.hostname or ""), parts.port or (443 if parts.scheme == "https" else 80))

    @property
    def is_usual(self) -> bool:
        """Whether the port goes without saying."""
        return self.port == (443 if self.scheme == "https" else 80)


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy on the way. `authorization` is the value of its own header, empty when it wants none."""

    host: str
    port: int
    authorization: str = ""


def proxy_for(origin: Origin, proxies: Mapping[str, str]) -> Proxy | None:
    """Return the proxy for an origin, or None.

    `proxies` maps `http`, `https` and `no` to what the environment says (HTTP_PROXY, HTTPS_PROXY, NO_PROXY).

    Raises:
        Refused: the proxy itself wants TLS, which is not spoken here.
    """
    url = proxies.get(origin.scheme)
    if not url or _bypasses(f"{origin.host}:{origin.port}", dict(proxies)):
        return None
    parts = urllib.parse.urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme != "http" or not parts.hostname:
        raise Refused(f"the proxy for {origin.host} has to be http://host:port, see the environment's *_PROXY")
    authorization = ""
    if parts.username:
        password = urllib.parse.unquote(parts.password or "")
        pair = Secret(f"{urllib.parse.unquote(parts.username)}:{password}").reveal()
        authorization = Secret("Basic " + base64.b64encode(pair.encode()).decode()).reveal()
    return Proxy(parts.hostname, parts.port or 3128, authorization)


class Unreached(Exception):
    """There is no connection, so nothing was sent. The cause says why."""


class Connection:
    """A connection that is opened when needed and kept; it serves one thread at a time."""

    def __init__(
        self, origin: Origin, tls: Callable[[], ssl.SSLContext], timeouts: Timeouts, proxy: Proxy | None = None
    ) -> None:
        self._timeouts = timeouts
        self._prefix = ""
        self._headers: dict[str, str] = {}
        self._host = _bracketed(origin.host) + ("" if origin.is_usual else f":{origin.port}")
        self._socket: socket.socket | None = None
        self._until = 0.0
        self._inbox = Inbox(self._receive)
        host, port = (proxy.host, proxy.port) if proxy else (origin.host, origin.port)
        authorization = {"Proxy-Authorization": proxy.authorization} if proxy and proxy.authorization else {}
        if origin.scheme == "https":
            self._http: HTTPConnection = HTTPSConnection(host, port, timeout=timeouts.connect, context=tls())
            if proxy:
                self._http.set_tunnel(origin.host, origin.port, authorization)
        else:
            self._http = HTTPConnection(host, port, timeout=timeouts.connect)
            if proxy:
                self._prefix = f"http://{_bracketed(origin.host)}:{origin.port}"
                self._headers = authorization

    def open(self) -> bool:
        """Make sure there is a connection and return whether it is a new one.

        Raises:
            Unreached: there is none.
        """
        if self._socket is not None and not _is_readable(self._socket):
            return False
        # Something to read where nothing was asked: the other side said goodbye.
        self.close()
        try:
            self._http.connect()
        except (OSError, HTTPException, UnicodeError) as error:
            # UnicodeError: a name that no name server could be asked for.
            self.close()
            raise Unreached(str(error) or type(error).__name__) from error
        self._socket = self._http.sock
        self._socket.settimeout(self._timeouts.read)
        self._inbox = Inbox(self._receive)
        return True

    def exchange(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Exchange:
        """Send one request on the open connection and return status, headers and the whole body of its answer.

        Raises:
            OSError, HTTPException: no whole answer came; the request may have been carried out.
        """
        out = request(method, self._prefix + target, self._host, {**headers, **self._headers}, body)
        self._until = time.monotonic() + self._timeouts.whole
        keeps = False
        try:
            unsent = self._send(out)
            received, keeps = answer(self._inbox, method)
            if unsent is not None:
                keeps = False
                if received[0] < 400:
                    raise unsent
        finally:
            if not keeps:
                self.close()
        return received

    def _send(self, out: bytes) -> Exception | None:
        """Send a request, and return what kept it from being sent whole.

        Who does not want a body may say so before it has come, and hang up: the answer is there to be read all the
        same.
        """
        view, held = memoryview(out), self._http.sock
        try:
            while True:
                self._limit()
                view = view[held.send(view[:_PIECE]) :]
                if not view:
                    return None
                if self._has_answered():
                    return HTTPException("an answer came before the whole request was sent")
        except ConnectionError as error:
            return error

    def _has_answered(self) -> bool:
        """Return whether there is an answer already, once there is that or room to send more."""
        held = self._http.sock
        if not _is_readable(held, unless_writable=self._limit()):
            return False
        # Over TLS something to read need not be an answer.
        held.settimeout(0)
        try:
            self._inbox.put(held.recv(_PIECE))
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        return True

    def _receive(self, most: int) -> bytes:
        self._limit()
        try:
            return self._http.sock.recv(most) if self._http.sock else b""
        except TimeoutError:
            self._limit()
            raise

    def _limit(self) -> float:
        """Allow the next wait what it may take, and return that in seconds.

        Raises:
            TimeoutError: the whole request has taken too long.
        """
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError(f"not done after {self._timeouts.whole:g} seconds")
        longest = min(left, self._timeouts.read)
        if self._http.sock:
            self._http.sock.settimeout(longest)
        return longest

    def cut(self) -> None:
        """End whatever is under way; any thread may."""
        held = self._socket
        if held is not None:
            with contextlib.suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Let go of it."""
        self._socket = None
        self._http.close()


def _is_readable(held: socket.socket, unless_writable: float = 0) -> bool:
    """Return whether there is something to read, after waiting up to so many seconds for that or for room to write."""
    if hasattr(select, "poll"):
        poll = select.poll()
        poll.register(held, select.POLLIN | (select.POLLOUT if unless_writable else 0))
        return any(event & ~select.POLLOUT for _, event in poll.poll(unless_writable * 1000))
    return bool(select.select([held], [held] if unless_writable else [], [], unless_writable)[0])


def _ascii(host: str) -> str:
    try:
        return host if host.isascii() else host.encode("idna").decode()
    except UnicodeError as error:
        raise Refused(f"{host!r} is not the name of a host: {error}") from error


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
