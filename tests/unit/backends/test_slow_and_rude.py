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

Behaves = Callable[[socket.socket], None]
Starts = Callable[[Behaves], str]
LARGE = b"x" * 8_000_000


@pytest.fixture
def starts() -> Iterator[Starts]:
    listening: list[socket.socket] = []

    def start(behaves: Behaves) -> str:
        server = socket.create_server(("127.0.0.1", 0))
        listening.append(server)

        def serve() -> None:
            try:
                held, _ = server.accept()
                with held:
                    behaves(held)
            except OSError:
                """The other side, or the test, is done."""

        threading.Thread(target=serve, daemon=True).start()
        return f"http://127.0.0.1:{server.getsockname()[1]}/x"

    yield start
    for each in listening:
        each.close()


@pytest.fixture
def http() -> Iterator[Http]:
    made = Http(SystemClock(), timeouts=Timeouts(1.0, 0.2))
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
    writes: bool, failure: type[BackendError], starts: Starts, http: Http
) -> None:
    url, start = starts(drip), time.monotonic()
    with pytest.raises(failure, match=r"not done after 0\.8 seconds|timed out"):
        http.send("PUT" if writes else "GET", url, {}, writes=writes)
    assert time.monotonic() - start < 2


def says_no(held: socket.socket) -> None:
    held.recv(1000)
    held.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge")


def says_no_and_listens_no_more(held: socket.socket) -> None:
    says_no(held)
    time.sleep(3)


def says_no_and_hangs_up_politely(held: socket.socket) -> None:
    says_no(held)
    held.shutdown(socket.SHUT_WR)
    while held.recv(1 << 16):
        """Everything that still comes is thrown away."""


@pytest.mark.parametrize("behaves", [says_no_and_listens_no_more, says_no_and_hangs_up_politely, says_no])
def test_no_is_heard_while_a_large_body_is_still_going_out(behaves: Behaves, starts: Starts) -> None:
    http = Http(SystemClock(), timeouts=Timeouts(1.0, 20.0))
    answer = http.send("POST", starts(behaves), {}, LARGE, writes=True)
    assert (answer.status, answer.body) == (413, b"large")
    http.close()


def says_no_late_and_listens_no_more(held: socket.socket) -> None:
    held.recv(1000)
    time.sleep(0.3)
    held.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge")
    time.sleep(30)


def test_no_is_heard_while_there_is_no_room_to_send_more(starts: Starts) -> None:
    """The wait for room is a wait for the answer too: it must not last as long as a console may be silent."""
    http = Http(SystemClock(), timeouts=Timeouts(1.0, 20.0))
    answer = http.send("POST", starts(says_no_late_and_listens_no_more), {}, LARGE, writes=True)
    assert (answer.status, answer.body) == (413, b"large")
    http.close()


def says_yes_too_early(held: socket.socket) -> None:
    held.recv(1000)
    held.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
    time.sleep(1)


def hangs_up(held: socket.socket) -> None:
    held.recv(1000)


def listens_no_more(held: socket.socket) -> None:
    held.recv(1000)
    time.sleep(2)


@pytest.mark.parametrize("behaves", [says_yes_too_early, hangs_up, listens_no_more])
def test_a_body_that_did_not_get_there_is_not_taken_for_done(behaves: Behaves, starts: Starts, http: Http) -> None:
    with pytest.raises(OutcomeUnknown):
        http.send("POST", starts(behaves), {}, LARGE, writes=True)


def half_closed(held: socket.socket) -> None:
    held.recv(65536)
    held.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{")
    held.shutdown(socket.SHUT_WR)
    time.sleep(1)


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


def test_closing_ends_what_is_under_way_in_another_thread(starts: Starts) -> None:
    http = Http(SystemClock(), timeouts=Timeouts(1.0, 20.0))
    threading.Timer(0.2, http.close).start()
    start = time.monotonic()
    with pytest.raises(Refused, match="given up, because the connection"):
        http.send("GET", starts(lambda held: time.sleep(10)), {})
    assert time.monotonic() - start < 3
    with pytest.raises(Refused, match="closed"):
        http.send("GET", "http://127.0.0.1:1/", {})
