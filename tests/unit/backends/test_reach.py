"""Which editions and hosts serve a kind, and what an error answer means."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from unit.backends.conftest import once

from policysync.backends.answer import Answer
from policysync.backends.aqua import Password
from policysync.backends.http import Http
from policysync.backends.reach import Reach, inside, is_missing
from policysync.backends.routes import Call
from policysync.backends.session import Session
from policysync.clock import FakeClock
from policysync.errors import Refused
from policysync.kinds.kind import Kind
from policysync.secret import Secret

MakeKind = Callable[..., Kind]
TEXT = Call("GET", "/things/{id}", missing_text="doesn't exist", item="/data")


def answer(status: int, body: bytes = b"") -> Answer:
    return Answer("GET", "/things/a", status, {}, datetime(2026, 1, 1, tzinfo=UTC), body)


@pytest.mark.parametrize(
    ("found", "missing"),
    [
        (answer(404), True),
        (answer(500, b'{"message": "it doesn\'t exist", "code": 9}'), True),
        (answer(400, b"it doesn't exist"), True),
        (answer(400, b'{"message": "no", "name": "it doesn\'t exist"}'), False),
        (answer(200, b'{"message": "it doesn\'t exist"}'), False),
        (answer(500, b""), False),
    ],
)
def test_what_says_that_there_is_none(found: Answer, missing: bool) -> None:
    assert is_missing(found, TEXT) is missing


def test_an_object_inside_an_answer() -> None:
    assert inside({"data": {"a": 1}}, TEXT) == {"a": 1}
    assert inside({"code": 0}, TEXT) is None
    assert inside({"a": 1}, Call("GET", "/x")) == {"a": 1}


@pytest.mark.parametrize(
    ("only", "edition", "refused"),
    [
        ("saas", "self-hosted", True),
        ("saas", "saas", False),
        ("saas", "", False),
        (["saas", "self-hosted"], "self-hosted", False),
        ([], "saas", False),
    ],
)
def test_an_edition_without_the_kind_is_told_before_anything_is_sent(
    kind_of: MakeKind, only: object, edition: str, refused: bool
) -> None:
    kind = kind_of(kind={"edition": only})
    http = Http(FakeClock(), local=lambda *_: (500, [], b""))
    session = Session(http, "http://c", Password("http://c", "u", Secret("p")), FakeClock())
    reach = Reach(session, {}, once, edition)
    if refused:
        told = r"Thing is there on saas only, and this console is self-hosted; .*absent: true"
        with pytest.raises(Refused, match=told):
            reach.routes(kind)
    else:
        assert reach.routes(kind).noun == "thing"
    http.close()
