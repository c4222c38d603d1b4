"""HTTP/1.1 on one connection, as uvicorn speaks it, with what a console does differently.

A client may stop sending and still wait for its answer, and what is no request is refused in the console's own words.
"""

from __future__ import annotations

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from policysync.emulator.exchange import refuse

Wires = dict[tuple[str, int], asyncio.Transport]
"""The connection of every client, by its address."""


def protocol(wires: Wires) -> type[H11Protocol]:
    """Return the protocol of a server; it notes in `wires` which connections are open."""

    class Protocol(H11Protocol):
        ended = False
        """Whether the client has said that nothing more will come from it."""

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
            super().connection_made(transport)
            if self.client is not None:
                wires[self.client] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            if self.client is not None:
                wires.pop(self.client, None)

        def eof_received(self) -> bool:  # type: ignore[override]  # asyncio asks for it: true keeps the way back open
            self.ended = True
            return self._answering and not self.cycle.more_body

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if self.ended and not self._answering:
                self.transport.close()

        def send_400_response(self, msg: str) -> None:
            answer = refuse(400, msg.rstrip(".")).response
            if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
                headers = [*answer.headers, ("content-length", str(len(answer.body))), ("connection", "close")]
                self.transport.write(
                    self.conn.send(h11.Response(status_code=400, headers=headers, reason="Bad Request")) or b""
                )
                self.transport.write(self.conn.send(h11.Data(data=answer.body)) or b"")
            self.transport.close()

        @property
        def _answering(self) -> bool:
            # uvicorn has no cycle before the first request.
            return getattr(self, "cycle", None) is not None and not self.cycle.response_complete

    return Protocol
