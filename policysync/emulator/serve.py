"""The console on a port.

There are no routes here: the console itself decides what a path means. Answers are made in worker threads.
"""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
import struct
import threading
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import uvicorn

from policysync.emulator.console import Console
from policysync.emulator.exchange import Request, Response, refuse
from policysync.emulator.faults import Dropped, FaultPlan
from policysync.emulator.protocol import Wires, protocol
from policysync.emulator.settings import Settings
from policysync.emulator.store import Store
from policysync.kinds.kind import Kind

# An ASGI application needs no framework, and importing one takes as long as everything else here.
Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]
_RESET = struct.pack("ii", 1, 0)
_NO_BODY = (204, 304)
_IDLE_SECONDS = 75
"""How long a connection is kept for the next request: a client that thinks for a while finds it open."""
_AT_ONCE = 64
"""Answers made at once: one that is delayed on purpose waits in its thread, and keeps nobody else waiting."""
log = logging.getLogger(__name__)


class Answering(Protocol):
    """What can be served: a console, or a tenant of another system."""

    def handle(self, request: Request) -> Response:
        """Return the answer to a request.

        Raises:
            Dropped: the connection is to break.
        """


class Endpoint:
    """The console as an ASGI application. `wires` finds the connection of a client, so that it can be cut."""

    def __init__(self, console: Answering, wires: Wires) -> None:
        self._console = console
        self._wires = wires

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        if body is None:
            return
        try:
            response = await asyncio.to_thread(self._console.handle, _request(scope, body))
        except Dropped:
            self._reset(scope["client"])
            await receive()
            return
        except Exception:
            log.exception("no answer to %s %s", scope["method"], scope["path"])
            response = refuse(500, "Internal Server Error").response
        await _send(response, send)

    def _reset(self, client: tuple[str, int]) -> None:
        wire = self._wires.get((client[0], client[1]))
        if wire is not None:
            # Without lingering the client sees a reset, as from a crashed proxy, and not a polite end.
            wire.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            wire.abort()


def _request(scope: Scope, body: bytes) -> Request:
    query = scope["query_string"].decode("latin-1")
    path = scope["raw_path"].decode("latin-1")
    if "://" in path and not path.startswith("/"):
        # A client that speaks as to a proxy names the whole address.
        path = "/" + path.partition("://")[2].partition("/")[2]
    target = path + (f"?{query}" if query else "")
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    return Request(scope["method"], target, headers, body)


async def _body(receive: Receive) -> bytes | None:
    """Return the whole body; None when the client went away before it had sent it."""
    parts = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


async def _send(response: Response, send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    if response.status not in _NO_BODY:
        headers.append((b"content-length", str(len(response.body)).encode()))
    await send({"type": "http.response.start", "status": response.status, "headers": headers})
    # An answer that promises more than comes is left unfinished: the server then closes the connection.
    whole = response.cut is None or response.cut >= len(response.body)
    await send({"type": "http.response.body", "body": response.body[: response.cut], "more_body": not whole})


def application(console: Answering, wires: Wires | None = None) -> Endpoint:
    """Return the ASGI application that serves a console."""
    return Endpoint(console, {} if wires is None else wires)


class _Announcing(uvicorn.Server):
    """Says when it is up: signals are handled from then on."""

    def __init__(self, config: uvicorn.Config, up: Callable[[], None]) -> None:
        super().__init__(config)
        self._up = up

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="answer"))
        await super().startup(sockets)
        self._up()


class Server:
    """A console on a port of this machine, run by the caller's thread or by one of its own.

    Attributes:
        port: the port in use; it takes connections as soon as the server exists.
    """

    def __init__(
        self,
        console: Answering,
        host: str = "127.0.0.1",
        port: int = 0,
        ready: Callable[[int], None] = lambda _: None,
    ) -> None:
        wires: Wires = {}
        config = uvicorn.Config(
            application(console, wires),
            host=host,
            port=port,
            http=protocol(wires),
            ws="none",
            lifespan="off",
            loop="asyncio",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            timeout_keep_alive=_IDLE_SECONDS,
            timeout_graceful_shutdown=5,
        )
        self._socket = _listen(host, port)
        self.port: int = self._socket.getsockname()[1]
        self._server = _Announcing(config, lambda: ready(self.port))
        self._thread = threading.Thread(target=self.run, daemon=True)

    def run(self) -> None:
        """Serve until `stop`, SIGINT or SIGTERM."""
        self._server.run(sockets=[self._socket])

    def start(self) -> None:
        """Serve in a thread of its own. The port accepts connections from now on."""
        self._thread.start()

    def stop(self) -> None:
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join()
        self._socket.close()


def serve(
    host: str,
    port: int,
    store: Path | None,
    kinds: Mapping[str, Kind],
    *,
    seed: Path | None = None,
    faults: FaultPlan | None = None,
    settings: Settings | None = None,
    ready: Callable[[int], None] = lambda _: None,
) -> None:
    """Serve a console until the process is told to stop.

    Args:
        port: 0 takes a free one.
        store: the file it is kept in; None keeps it in memory.
        ready: called with the port once it answers.

    Raises:
        OSError: the port is taken.
    """
    console = Console(kinds, Store(store), settings=settings, seed=seed, faults=faults)
    try:
        attend(console, host, port, ready)
    finally:
        console.close()


def attend(answering: Answering, host: str, port: int, ready: Callable[[int], None] = lambda _: None) -> None:
    """Serve a console or a tenant until the process is told to stop; see `serve`."""
    try:
        server = Server(answering, host, port, ready)
        # The server stops in good order, then raises the signal again: this lets the store close as well.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        server.run()
    except KeyboardInterrupt:
        pass  # Being interrupted is how serving ends.


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.create_server((host, port), family=family, backlog=2048)
    listening.set_inheritable(False)
    # Connections inherit it. asyncio sets it only on sockets made with the protocol spelt out, which this one is
    # not; without it every answer waits 40 ms for the client's acknowledgement.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening
