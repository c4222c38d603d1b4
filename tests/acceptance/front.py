"""What stands before a console out there: TLS with certificates of a private authority, and a proxy on the way."""

from __future__ import annotations

import contextlib
import socket
import ssl
import subprocess
import threading
from pathlib import Path


def authority(folder: Path, *names: str) -> ssl.SSLContext:
    """Make an authority (ca.pem in `folder`) and return the server side of a certificate for these names."""
    new = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    _openssl(folder, *new, "-x509", "-days", "2", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem")
    _openssl(folder, *new, "-subj", "/CN=console", "-keyout", "key.pem", "-out", "request.pem")
    (folder / "names").write_text("subjectAltName=" + ",".join(names))
    sign = ("x509", "-req", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2")
    _openssl(folder, *sign, "-in", "request.pem", "-out", "cert.pem", "-extfile", "names")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "cert.pem", folder / "key.pem")
    return context


def _openssl(folder: Path, *args: str) -> None:
    subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)


class Front:
    """Takes TLS, and CONNECT before it, and passes what it holds on to a plain port of this machine.

    As a proxy it leads every name to that port; `tunnels` are the names and ports asked for.
    """

    def __init__(self, context: ssl.SSLContext, port: int) -> None:
        self.tunnels: list[str] = []
        self._context = context
        self._behind = port
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                held, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(held,), daemon=True).start()

    def _serve(self, held: socket.socket) -> None:
        with contextlib.suppress(OSError), held:
            if held.recv(7, socket.MSG_PEEK) == b"CONNECT":
                self._tunnel(held)
            with (
                self._context.wrap_socket(held, server_side=True) as inside,
                socket.create_connection(("127.0.0.1", self._behind)) as behind,
            ):
                back = threading.Thread(target=_pass_on, args=(behind, inside), daemon=True)
                back.start()
                _pass_on(inside, behind)
                back.join()

    def _tunnel(self, held: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += held.recv(1)
        self.tunnels.append(head.split()[1].decode())
        held.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")


def _pass_on(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            sink.sendall(piece)
        sink.shutdown(socket.SHUT_WR)
