"""HTTP/1.1 as bytes: a request made, an answer read to its end.

Parsing the head as an e-mail and wrapping the body in a stream, as the standard library does, costs more than all the
rest of a small request.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException, IncompleteRead, RemoteDisconnected

from policysync.errors import Refused

Exchange = tuple[int, list[tuple[str, str]], bytes]
"""Status, headers with names in lower case, and the whole body, unpacked."""

_HEAD_BYTES = 256 * 1024
_LINE_BYTES = 4096
_PIECE = 1 << 18
MOST_BYTES = 128 * 1024 * 1024
"""The longest body that is read, packed or unpacked."""

_HEAD_END = re.compile(rb"\r?\n\r?\n")
_LINE_END = re.compile(rb"\n")
_STATUS = re.compile(r"HTTP/1\.([01]) ([1-5]\d\d)(?: |\Z)")
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;|\Z)")
_UNFIT = re.compile(r"[^\x21-\x7e]")


class TooMuch(HTTPException):
    """The answer is longer than anything that is read."""


def request(method: str, target: str, host: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """Return a request as it goes out.

    Raises:
        Refused: the target or a header holds what would end its line.
    """
    if _UNFIT.search(target):
        raise Refused(f"{method}: a path holds a space, a control character or one that is not percent-encoded")
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    if body or method not in ("GET", "HEAD"):
        lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join(lines)
    if head.count("\n") != len(lines) - 1 or head.count("\r") != len(lines) - 1:
        raise Refused(f"{method} {target}: a header holds a line break")
    try:
        return head.encode("latin-1") + b"\r\n\r\n" + body
    except UnicodeEncodeError as error:
        raise Refused(f"{method} {target}: a header holds characters that no header may hold") from error


@dataclass(frozen=True, slots=True)
class Head:
    """The first lines of an answer. Names of headers are in lower case, values of repeated ones joined by commas."""

    status: int
    headers: Mapping[str, str]
    keeps: bool


class Inbox:
    """What comes in on one connection. Every method raises OSError or HTTPException when it ends too early."""

    def __init__(self, receive: Callable[[int], bytes]) -> None:
        self._receive = receive
        self._held = b""

    @property
    def is_empty(self) -> bool:
        return not self._held

    def until(self, mark: re.Pattern[bytes], most: int) -> bytes:
        """Return what comes before a mark of at most four bytes, and drop the mark."""
        searched = 0
        while True:
            held = self._held
            found = mark.search(held, searched)
            if found:
                self._held = held[found.end() :]
                return held[: found.start()]
            if len(held) > most:
                raise HTTPException(f"no end of a line in {len(held)} bytes: this is not HTTP")
            searched = max(0, len(held) - 3)
            self._more(RemoteDisconnected if not held else IncompleteRead)

    def put(self, piece: bytes) -> None:
        """Add what came in while nobody was reading."""
        self._held += piece

    def exactly(self, count: int) -> bytes:
        """Return the next `count` bytes."""
        _within(count)
        held = self._held
        if len(held) >= count:
            self._held = held[count:]
            return held[:count]
        pieces, missing = [held], count - len(held)
        self._held = b""
        while missing:
            piece = self._receive(min(missing, _PIECE))
            if not piece:
                raise IncompleteRead(b"".join(pieces), missing)
            pieces.append(piece)
            missing -= len(piece)
        return b"".join(pieces)

    def rest(self) -> bytes:
        """Return everything up to the end of the connection."""
        pieces, length = [self._held], len(self._held)
        self._held = b""
        while piece := self._receive(_PIECE):
            pieces.append(piece)
            length += len(piece)
            _within(length)
        return b"".join(pieces)

    def _more(self, early: type[HTTPException]) -> None:
        piece = self._receive(65536)
        if not piece:
            raise early(b"" if early is IncompleteRead else "the connection was closed without an answer")
        self._held += piece


def answer(inbox: Inbox, method: str) -> tuple[Exchange, bool]:
    """Read one answer, and return it with whether the connection may be used again.

    Raises:
        OSError, HTTPException: no whole answer came.
    """
    head = _head(inbox)
    while head.status < 200 and head.status != 101:
        head = _head(inbox)
    body, keeps = _body(inbox, method, head)
    coding = head.headers.get("content-encoding", "").strip().lower()
    if coding and body:
        body = _unpacked(body, coding)
    return (head.status, list(head.headers.items()), body), keeps and inbox.is_empty


def _head(inbox: Inbox) -> Head:
    first, *lines = inbox.until(_HEAD_END, _HEAD_BYTES).decode("latin-1").split("\n")
    found = _STATUS.match(first.rstrip("\r"))
    if not found:
        raise HTTPException(f"{first[:80]!r} is not the first line of an HTTP answer")
    headers: dict[str, str] = {}
    name = ""
    for line in lines:
        # A line that starts with a space goes on with the one before; a line without a colon means nothing.
        folds = line[:1] in " \t"
        before, colon, after = line.partition(":")
        if folds and name:
            headers[name] += " " + line.strip()
        elif colon and not folds:
            name, value = before.rstrip().lower(), after.strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
    connection = headers.get("connection", "").lower()
    keeps = "close" not in connection and (found[1] == "1" or "keep-alive" in connection)
    return Head(int(found[2]), headers, keeps)


def _body(inbox: Inbox, method: str, head: Head) -> tuple[bytes, bool]:
    if method == "HEAD" or head.status in (101, 204, 304):
        return b"", head.keeps
    coding = head.headers.get("transfer-encoding", "").strip().lower()
    if coding == "chunked":
        return _chunks(inbox), head.keeps
    if coding:
        raise HTTPException(f"transfer encoding {coding[:40]!r} was not asked for")
    length = head.headers.get("content-length")
    if length is None:
        return inbox.rest(), False
    # Some proxies repeat the header; two different lengths leave no way to tell where the answer ends.
    stated = {part.strip() for part in length.split(",")}
    only = stated.pop()
    if stated or not (only.isascii() and only.isdigit()):
        raise HTTPException(f"content length {length[:40]!r} is no number")
    # Python turns down numbers with thousands of digits.
    return inbox.exactly(int(only[:20])), head.keeps


def _chunks(inbox: Inbox) -> bytes:
    pieces: list[bytes] = []
    length = 0
    while True:
        found = _SIZE.match(inbox.until(_LINE_END, _LINE_BYTES).strip())
        if not found:
            raise HTTPException("a chunk does not say how long it is")
        size = int(found[1], 16)
        if not size:
            break
        length += size
        _within(length)
        pieces.append(inbox.exactly(size))
        if inbox.until(_LINE_END, _LINE_BYTES).strip():
            raise HTTPException("a chunk is longer than it says")
    while inbox.until(_LINE_END, _LINE_BYTES).strip():
        """Trailers say nothing that is needed here."""
    return b"".join(pieces)


def _unpacked(body: bytes, coding: str) -> bytes:
    if coding == "identity":
        return body
    if coding not in ("gzip", "x-gzip", "deflate"):
        raise HTTPException(f"content encoding {coding[:40]!r} was not asked for")
    unpacked = b""
    try:
        while body:
            unpacker = zlib.decompressobj(zlib.MAX_WBITS | 32)
            unpacked += unpacker.decompress(body, MOST_BYTES + 1 - len(unpacked))
            _within(len(unpacked))
            if not unpacker.eof:
                raise HTTPException("the compressed body is cut off")
            body = unpacker.unused_data
    except zlib.error as error:
        raise HTTPException(f"the body is not {coding}: {error}") from error
    return unpacked


def _within(length: int) -> None:
    if length > MOST_BYTES:
        raise TooMuch(f"the body is longer than {MOST_BYTES >> 20} MiB, which is all that is read")
