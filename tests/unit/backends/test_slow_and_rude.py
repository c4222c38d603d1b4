"""Consoles that drip, say no before they have listened, never stop talking, or are left in the middle of a word."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from policysync.backends import framing
from policysync.backends.connection import Timeouts
from policysync.backends.http import Http
from policysync.clock import SystemClock
from policysync.errors import BackendError, OutcomeUnknown, Refused, Unavailable

Behaves = Callable[[socket.socket], object]
"""Returns STAYS for a connection that is left as it is until the test is over, and not closed."""
Starts = Callable[[Behaves], str]
LARGE = b"x" * 8_000_000
STAYS = True


@pytest.fixture
def starts() -> Iterator[Starts]:
    listening: list[socket.socket] = []
    over = threading.Event()

    def start(behaves: Behaves) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        listening.append(server)

        def serve() -> None:
            try:
                held, _ = server.accept()
                with held:
                    if behaves(held) is STAYS:
                        over.wait()
            except OSError:
                """The other side, or the test, is done."""

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}/x"

    yield start
    over.set()
    for each in listening:
        each.close()


@pytest.fixture
def http() -> Iterator[Http]:
    """With more patience than anything here needs."""
    made = Http(SystemClock(), timeouts=Timeouts(60.0, 60.0))
    yield made
    made.close()


@pytest.fixture
def hasty() -> Iterator[Http]:
    made = Http(SystemClock(), timeouts=Timeouts(60.0, 0.2))
    yield made
    made.close()


def drip(held: socket.socket) -> None:
    held.recv(65536)
    held.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
    for _ in range(1000):
        held.sendall(b" ")
        time.sleep(0.05)


@pytest.mark.parametrize(("writes", "failure"), [(False, Unavailable), (True, OutcomeUnknown)])
def test_an_answer_that_drips_is_given_up_in_time(
    writes: bool, failure: type[BackendError], starts: Starts, hasty: Http
) -> None:
    with pytest.raises(failure, match=r"not done after 0\.8 seconds|timed out"):
        hasty.send("PUT" if writes else "GET", starts(drip), {}, writes=writes)


def says_no(held: socket.socket) -> None:
    held.recv(1000)
    held.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge")


def says_no_and_listens_no_more(held: socket.socket) -> bool:
    says_no(held)
    return STAYS


def says_no_and_hangs_up_politely(held: socket.socket) -> None:
    says_no(held)
    held.shutdown(socket.SHUT_WR)
    while held.recv(1 << 16):
        """Everything that still comes is thrown away."""


@pytest.mark.parametrize("behaves", [says_no_and_listens_no_more, says_no_and_hangs_up_politely, says_no])
def test_no_is_heard_while_a_large_body_is_still_going_out(behaves: Behaves, starts: Starts, http: Http) -> None:
    answer = http.send("POST", starts(behaves), {}, LARGE, writes=True)
    assert (answer.status, answer.body) == (413, b"large")


def says_no_late_and_listens_no_more(held: socket.socket) -> bool:
    held.recv(1000)
    # Most often there is no room left by then.
    time.sleep(0.3)
    held.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge")
    return STAYS


def test_no_is_heard_while_there_is_no_room_to_send_more(starts: Starts, http: Http) -> None:
    """The wait for room is a wait for the answer too, and does not end without it."""
    answer = http.send("POST", starts(says_no_late_and_listens_no_more), {}, LARGE, writes=True)
    assert (answer.status, answer.body) == (413, b"large")


def says_yes_too_early(held: socket.socket) -> bool:
    held.recv(1000)
    held.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    return STAYS


def hangs_up(held: socket.socket) -> None:
    held.recv(1000)


def listens_no_more(held: socket.socket) -> bool:
    held.recv(1000)
    return STAYS


@pytest.mark.parametrize(
    ("behaves", "patience"), [(says_yes_too_early, "http"), (hangs_up, "http"), (listens_no_more, "hasty")]
)
def test_a_body_that_did_not_get_there_is_not_taken_for_done(
    behaves: Behaves, patience: str, starts: Starts, request: pytest.FixtureRequest
) -> None:
    sends: Http = request.getfixturevalue(patience)
    with pytest.raises(OutcomeUnknown):
        sends.send("POST", starts(behaves), {}, LARGE, writes=True)


def half_closed(held: socket.socket) -> bool:
    held.recv(65536)
    held.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{")
    held.shutdown(socket.SHUT_WR)
    return STAYS


def test_a_half_closed_connection_is_no_whole_answer(starts: Starts, http: Http) -> None:
    with pytest.raises(Unavailable, match="no whole answer"):
        http.send("GET", starts(half_closed), {})


def endless(held: socket.socket) -> None:
    held.recv(65536)
    held.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        held.sendall(b" " * 65536)


def endless_chunks(held: socket.socket) -> None:
    held.recv(65536)
    held.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        held.sendall(b"10000\r\n" + b" " * 65536 + b"\r\n")


def bomb(held: socket.socket) -> None:
    held.recv(65536)
    packed = gzip.compress(bytes(5_000_000))
    held.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed) + packed)


def promises_much(held: socket.socket) -> None:
    held.recv(65536)
    held.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n")


@pytest.mark.parametrize("behaves", [endless, endless_chunks, bomb, promises_much])
def test_an_answer_too_long_to_hold_is_refused(
    behaves: Behaves, starts: Starts, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(framing, "MOST_BYTES", 4_000_000)
    with pytest.raises(Refused, match="does not stop answering: the body is longer than 3 MiB"):
        http.send("GET", starts(behaves), {})


def test_closing_ends_what_is_under_way_in_another_thread(starts: Starts, http: Http) -> None:
    def closes_the_other_side(held: socket.socket) -> None:
        held.recv(65536)
        http.close()
        held.settimeout(30)
        try:
            held.recv(1)
        except TimeoutError:
            held.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with pytest.raises(Refused, match="given up, because the connection"):
        http.send("GET", starts(closes_the_other_side), {})
    with pytest.raises(Refused, match="closed"):
        http.send("GET", "http://127.0.0.1:1/", {})


def silent(held: socket.socket) -> None:
    held.recv(65536)
    time.sleep(30)


@pytest.mark.parametrize("writes", [False, True])
def test_closing_reaches_a_connection_that_is_just_opened(writes: bool, starts: Starts) -> None:
    class Closing(dict[str, str]):
        """No proxies; who looks for one finds everything closed."""

        def get(self, key: str, default: str | None = None) -> str | None:  # type: ignore[override]  # see above
            made.close()
            return super().get(key, default)

    made = Http(SystemClock(), timeouts=Timeouts(1.0, 20.0), proxies=Closing())
    with pytest.raises(Refused, match="given up, because the connection"):
        made.send("PUT" if writes else "GET", starts(silent), {}, writes=writes)
