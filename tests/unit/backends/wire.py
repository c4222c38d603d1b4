"""A server on a real port that says exactly what it is told to, byte by byte."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from dataclasses import dataclass, field

CLOSE = b"<close>"
RESET = b"<reset>"
HANG = b"<hang>"


def http(status: int = 200, body: bytes = b"{}", *headers: str) -> bytes:
    """Return a whole HTTP answer."""
    lines = [f"HTTP/1.1 {status} So", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@dataclass
class WireServer:
    """Answers the requests on each new connection with the next script, one piece a request.

    A script that is at its end closes the connection. `tls` wraps connections; after CONNECT it does so at once.
    """

    scripts: list[list[bytes]]
    tls: ssl.SSLContext | None = None
    tunnels: bool = False
    requests: list[bytes] = field(default_factory=list)
    connections: int = 0
    ended: int = 0

    def __post_init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._stop.set()
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                held, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            script = self.scripts.pop(0) if self.scripts else []
            with contextlib.suppress(OSError):
                self._serve(held, script)

    def _serve(self, held: socket.socket, script: list[bytes]) -> None:
        try:
            if self.tls and not self.tunnels:
                held = self.tls.wrap_socket(held, server_side=True)
            for piece in script:
                if not self._request(held):
                    return
                if piece in (CLOSE, RESET, HANG):
                    self._end(held, piece)
                    return
                held.sendall(piece)
                if self.tls and self.tunnels and self.requests[-1].startswith(b"CONNECT"):
                    held = self.tls.wrap_socket(held, server_side=True)
        finally:
            held.close()
            self.ended += 1

    def _end(self, held: socket.socket, how: bytes) -> None:
        if how == HANG:
            self._stop.wait()
        if how == RESET:
            held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")

    def _request(self, held: socket.socket) -> bytes:
        received = b""
        while b"\r\n\r\n" not in received:
            more = held.recv(65536)
            if not more:
                return b""
            received += more
        head, _, body = received.partition(b"\r\n\r\n")
        length = next((int(h[15:]) for h in head.lower().split(b"\r\n") if h.startswith(b"content-length:")), 0)
        while len(body) < length:
            body += held.recv(65536)
        self.requests.append(head + b"\r\n\r\n" + body)
        return received
