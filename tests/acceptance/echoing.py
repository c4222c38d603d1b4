"""A front of a console that sometimes says back, in an error, whatever it was sent."""

from __future__ import annotations

import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

Form = Literal["", "json", "text", "html"]


class Echo:
    """Passes requests on to a port of this machine; with a `form`, answers writes with 400 and what they held."""

    def __init__(self, port: int) -> None:
        self.form: Form = ""
        front = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                signing_in = self.path.endswith(("/login", "/signin", "/tokens"))
                if front.form and self.command != "GET" and not signing_in:
                    self._say(400, *_echo(front.form, str(self.headers), body))
                    return
                behind = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                behind.request(self.command, self.path, body, dict(self.headers))
                answer = behind.getresponse()
                self._say(answer.status, answer.getheader("Content-Type") or "application/json", answer.read())
                behind.close()

            do_GET = do_POST = do_PUT = do_DELETE = do_CONNECT = answer  # noqa: N815  the names http.server calls

            def _say(self, status: int, media: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", media)
                if status != 204:
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(b"" if status == 204 else body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _echo(form: Form, headers: str, body: bytes) -> tuple[str, bytes]:
    text = f"{body.decode()} {headers}"
    if form == "json":
        return "application/json", json.dumps({"message": f"cannot use {text}", "code": 400}).encode()
    if form == "html":
        return "text/html", f"<html><body><pre>{text}</pre></body></html>".encode()
    return "text/plain", text.encode()
