"""One HTTP exchange as two plain values, so that the console needs no server to answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

import orjson

JSON = ("content-type", "application/json; charset=UTF-8")


@dataclass(frozen=True)
class Request:
    """What came in.

    `target` is the path as sent, still percent-encoded, with its query. Header names are lower case.
    """

    method: str
    target: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""

    @cached_property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @cached_property
    def query(self) -> Mapping[str, str]:
        return dict(parse_qsl(self.target.partition("?")[2], keep_blank_values=True))


@dataclass(frozen=True, slots=True)
class Response:
    """What goes out. `cut` is the number of body bytes that really leave before the connection breaks."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    cut: int | None = None


class Answered(Exception):
    """Ends a request early with an answer of its own."""

    def __init__(self, response: Response) -> None:
        self.response = response
        super().__init__(response.status)


def answer(status: int, value: Any) -> Response:
    """Return an answer with a JSON body."""
    return Response(status, orjson.dumps(value), (JSON,))


def refuse(status: int, message: str, *headers: tuple[str, str]) -> Answered:
    """Return the exception that answers with the console's error body.

    Source: reference, policies 2.8: `code` repeats the HTTP status.
    """
    said = answer(status, {"message": message, "code": status})
    return Answered(replace(said, headers=(*said.headers, *headers)))
