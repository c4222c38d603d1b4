from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Iterator
from http.client import HTTPException, IncompleteRead, RemoteDisconnected
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policysync.backends.framing import Inbox, answer, request
from policysync.errors import Refused


def received(*pieces: bytes) -> Inbox:
    """Return what comes in piece by piece, as a socket gives it: never more than asked for."""
    left = list(pieces)

    def receive(most: int) -> bytes:
        if not left:
            return b""
        piece, rest = left[0][:most], left[0][most:]
        left[:1] = [rest] if rest else []
        return piece

    return Inbox(receive)


def one_by_one(data: bytes) -> Inbox:
    return received(*(data[i : i + 1] for i in range(len(data))))


WAYS: list[Callable[[bytes], Inbox]] = [received, one_by_one]


def test_a_request_is_one_piece() -> None:
    sent = request("PUT", "/a%20b?c=d", "aqua.example.com:8443", {"Authorization": "Bearer x"}, b"{}")
    assert sent == (
        b"PUT /a%20b?c=d HTTP/1.1\r\nHost: aqua.example.com:8443\r\nAuthorization: Bearer x\r\n"
        b"Content-Length: 2\r\n\r\n{}"
    )
    assert b"Content-Length" not in request("GET", "/", "a", {}, b"")
    assert b"\r\nContent-Length: 0\r\n" in request("POST", "/", "a", {}, b"")


@pytest.mark.parametrize("target", ["/a b", "/a\r\nX: y", "/ä", "/a\x00", "/a\x7f"])
def test_a_path_that_is_not_encoded_does_not_go_out(target: str) -> None:
    with pytest.raises(Refused, match="percent-encoded"):
        request("GET", target, "a", {}, b"")


@pytest.mark.parametrize("value", ["x\r\nEvil: 1", "x\ny", "x\ry", "token → here"])
def test_a_header_that_would_end_its_line_does_not_go_out(value: str) -> None:
    with pytest.raises(Refused, match="a header holds") as caught:
        request("GET", "/", "a", {"Authorization": value}, b"")
    assert "Evil" not in str(caught.value)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("data", "body", "keeps"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"abc", True),
        (b"HTTP/1.1 200 OK\nContent-Length: 3\n\nabc", b"abc", True),
        (b"HTTP/1.1 200\r\nContent-Length: 3, 3\r\n\r\nabc", b"abc", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b"", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: Close\r\n\r\nabc", b"abc", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"abc", False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 3\r\nConnection: keep-alive\r\n\r\nabc", b"abc", True),
        (b"HTTP/1.1 200 OK\r\n\r\nabc", b"abc", False),
        (b"HTTP/1.1 204 No\r\n\r\n", b"", True),
        (b"HTTP/1.1 304 No\r\nContent-Length: 10\r\n\r\n", b"", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n", b"abc", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n", b"abc", True),
        (b"HTTP/1.1 100 Go on\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", b"abc", True),
    ],
)
def test_an_answer_is_read_to_its_end(way: Callable[[bytes], Inbox], data: bytes, body: bytes, keeps: bool) -> None:
    (status, _, said), kept = answer(way(data), "GET")
    assert (status, said, kept) == (int(data.rpartition(b"HTTP/1.")[2][2:5]), body, keeps)


def test_what_nobody_asked_for_ends_the_connection() -> None:
    (_, _, body), keeps = answer(received(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nabc"), "GET")
    assert (body, keeps) == (b"a", False)


def test_an_answer_to_head_has_no_body() -> None:
    (_, headers, body), keeps = answer(received(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"), "HEAD")
    assert (headers, body, keeps) == ([("content-length", "9")], b"", True)


@pytest.mark.parametrize("way", WAYS)
def test_headers_are_read_leniently(way: Callable[[bytes], Inbox]) -> None:
    lines = b"X-One : 1\r\nx-two:2\r\n\tand more\r\nno colon\r\nX-ONE: 3\r\n: nameless\r\nContent-Length: 0"
    (_, headers, _), _ = answer(way(b"HTTP/1.1 200 OK\r\n" + lines + b"\r\n\r\n"), "GET")
    assert dict(headers) == {"x-one": "1, 3", "x-two": "2 and more", "": "nameless", "content-length": "0"}


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress(b"abc", mtime=0)),
        ("gzip", gzip.compress(b"ab", mtime=0) + gzip.compress(b"c", mtime=0)),
        ("X-GZIP", gzip.compress(b"abc", mtime=0)),
        ("deflate", zlib.compress(b"abc")),
        ("identity", b"abc"),
    ],
)
def test_bodies_are_unpacked(coding: str, packed: bytes) -> None:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nContent-Length: {len(packed)}\r\n\r\n".encode()
    assert answer(received(head + packed), "GET")[0][2] == b"abc"


def bad(*headers: str, body: bytes = b"") -> bytes:
    return "\r\n".join(["HTTP/1.1 200 OK", *headers]).encode() + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    ("data", "failure", "message"),
    [
        (b"", RemoteDisconnected, "without an answer"),
        (b"HTTP/1.1 200 OK\r\nContent-", IncompleteRead, "25 bytes read|0 bytes read"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", HTTPException, "not the first line"),
        (b"HTTP/2 200\r\n\r\n", HTTPException, "not the first line"),
        (b"HTTP/1.1 999 X\r\n\r\n", HTTPException, "not the first line"),
        (b"x" * 300_000, HTTPException, "this is not HTTP"),
        (bad("Content-Length: 5", body=b"abc"), IncompleteRead, "2 more expected"),
        (bad("Content-Length: -1"), HTTPException, "is no number"),
        (bad("Content-Length: ①"), HTTPException, "is no number"),
        (bad("Content-Length: 1", "Content-Length: 2", body=b"a"), HTTPException, "is no number"),
        (bad("Transfer-Encoding: gzip, chunked"), HTTPException, "not asked for"),
        (bad("Transfer-Encoding: chunked", body=b"0x3\r\nabc\r\n"), HTTPException, "how long it is"),
        (bad("Transfer-Encoding: chunked", body=b"2\r\nabc\r\n0\r\n\r\n"), HTTPException, "longer than it says"),
        (bad("Transfer-Encoding: chunked", body=b"3\r\nabc\r\n"), RemoteDisconnected, "closed"),
        (bad("Content-Encoding: br", body=b"abc"), HTTPException, "not asked for"),
        (bad("Content-Encoding: gzip", body=b"abc"), HTTPException, "is not gzip"),
        (bad("Content-Encoding: gzip", body=gzip.compress(b"abc", mtime=0)[:-2]), HTTPException, "cut off"),
    ],
)
def test_what_is_no_whole_answer(data: bytes, failure: type[Exception], message: str) -> None:
    with pytest.raises(failure, match=message):
        answer(received(data), "GET")


def pieces(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    places = [0, *sorted({cut % len(data) for cut in cuts}), len(data)]
    return (data[a:b] for a, b in pairwise(places) if a != b)


@given(st.binary(max_size=200), st.booleans(), st.lists(st.integers(0, 400), max_size=6))
def test_it_does_not_matter_how_the_bytes_come(body: bytes, chunked: bool, cuts: list[int]) -> None:
    if chunked:
        halves = [half for half in (body[:7], body[7:]) if half]
        framed = b"".join(b"%x\r\n%b\r\n" % (len(half), half) for half in halves) + b"0\r\n\r\n"
        data = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + framed
    else:
        data = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    (status, _, said), keeps = answer(received(*pieces(data, cuts)), "GET")
    assert (status, said, keeps) == (200, body, True)


@given(st.binary(max_size=120))
def test_whatever_comes_ends_in_an_answer_or_a_failure(data: bytes) -> None:
    for each in (data, b"HTTP/1.1 200 OK\r\n" + data):
        try:
            answer(received(each), "GET")
        except (OSError, HTTPException):
            continue
