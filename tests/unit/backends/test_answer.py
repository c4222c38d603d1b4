from __future__ import annotations

from datetime import UTC, datetime

import pytest

from policysync.backends.answer import Answer, decoded, excerpt, failure, retry_after
from policysync.errors import BackendError, OutcomeUnknown, Refused, Unavailable
from policysync.secret import WITHHELD, Secret

NOW = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)


def answer(status: int, body: bytes = b"", **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer("GET", "/things?page=1", status, named, NOW, body)


@pytest.mark.parametrize(
    ("status", "read", "write"),
    [
        (200, None, None),
        (204, None, None),
        (301, Refused, Refused),
        (400, Refused, Refused),
        (401, Refused, Refused),
        (403, Refused, Refused),
        (404, Refused, Refused),
        (405, Refused, Refused),
        (408, Unavailable, Unavailable),
        (409, Refused, Refused),
        (413, Refused, Refused),
        (415, Refused, Refused),
        (422, Refused, Refused),
        (429, Unavailable, Unavailable),
        (500, Unavailable, OutcomeUnknown),
        (501, Refused, Refused),
        (502, Unavailable, OutcomeUnknown),
        (503, Unavailable, Unavailable),
        (504, Unavailable, OutcomeUnknown),
        (520, Unavailable, OutcomeUnknown),
    ],
)
def test_each_status_is_one_failure(
    status: int, read: type[BackendError] | None, write: type[BackendError] | None
) -> None:
    for writes, kind in ((False, read), (True, write)):
        error = failure(answer(status), writes=writes)
        assert (type(error) if error else None) is kind


def test_a_message_says_what_was_asked_and_what_was_said() -> None:
    error = failure(answer(400, b'{"message": "bad size", "code": 400}'), writes=False)
    assert str(error) == "GET /things?page=1: 400: bad size"


def test_advice_follows_what_was_said() -> None:
    assert "without -gw" in str(failure(answer(415), writes=False))
    assert "https://new.example.com/" in str(failure(answer(302, location="https://new.example.com/"), writes=False))


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("Sun, 01 Mar 2026 12:00:30 GMT", 30.0),
        ("Sun, 01 Mar 2026 11:00:00 GMT", 0.0),
        ("soon", None),
        ("", None),
        ("-3", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(header: str, seconds: float | None) -> None:
    assert retry_after(answer(429, retry_after=header)) == seconds


def said(body: bytes, **headers: str) -> str:
    return excerpt(answer(400, body, **headers))


def test_an_excerpt_is_short_and_on_one_line() -> None:
    assert said(b"a\r\n\tb\x1b[31m  c\x00") == "a b [31m c"
    assert said(b"x y" * 200) == "x y" * 100 + "…"
    assert said(b"\xff\xfe") != ""
    assert said(b"") == ""


@pytest.mark.parametrize(
    ("body", "excerpted"),
    [
        (b'{"message": "no", "code": 7, "sent": {"password": "s3cret"}}', "no (code 7)"),
        (b'{"error": {"message": "no"}, "request": "POST s3cret"}', "no"),
        (b'{"error": "no", "detail": "why"}', "no; why"),
        (b'{"message": "no", "errors": ["a", {"message": "b", "value": "s3cret"}]}', "no; a; b"),
        (b'{"errors": [{"message": "c", "field": "data", "value": "data.x"}]}', "data.x c"),
        (b'{"password": "s3cret"}', "22 bytes of JSON that say nothing"),
        (b'["s3cret"]', "10 bytes of JSON that say nothing"),
        (b'"s3cret"', "8 bytes of JSON that say nothing"),
        (b"<html>s3cret</html>", "a web page"),
        (b'{"message": {"message": "s3cret"}, "code": true}', "48 bytes of JSON that say nothing"),
        (b'{"error":' * 900 + b'{"message": "deep"}' + b"}" * 900, "9019 bytes of JSON that say nothing"),
        (b'{"errors":[' * 900 + b'{"message": "deep"}' + b"]}" * 900, "11719 bytes, not whole JSON"),
        (b'{"message": "no", "sent": {"password": "s3c', "43 bytes, not whole JSON"),
    ],
)
def test_only_what_is_there_to_be_read_is_shown(body: bytes, excerpted: str) -> None:
    """An error may hold the object that was sent once more, and nobody here knows what in it is secret."""
    assert said(body) == excerpted


def test_a_message_that_repeats_a_secret_is_withheld_and_the_others_are_not() -> None:
    Secret('s3c"ret\\value')
    echoed = b'{"message": "cannot use s3c\\"ret\\\\value", "errors": ["too short"], "code": 400}'
    assert said(echoed) == f"{WITHHELD}; too short"
    assert said(b'cut off {"password": "s3c\\"ret\\\\value"') == WITHHELD


def test_a_secret_across_the_cut_is_found_before_cutting() -> None:
    Secret("very-secret-token")
    assert said(b"x " * 145 + b"very-secret-token") == WITHHELD


def test_json_is_decoded_and_nothing_is_nothing() -> None:
    assert decoded(answer(200, b'{"a": [1]}')) == {"a": [1]}
    assert decoded(answer(204)) is None


@pytest.mark.parametrize("body", [b"", b'{"a": ', b"plain text"])
def test_what_is_not_whole_json_may_come_later(body: bytes) -> None:
    with pytest.raises(Unavailable, match=r"GET /things\?page=1: 200: the body is not whole JSON"):
        decoded(answer(200, body))


@pytest.mark.parametrize(
    "page",
    [answer(200, b"  <!doctype html>"), answer(200, b"Welcome", content_type="text/html; charset=utf-8")],
)
def test_a_web_page_is_refused(page: Answer) -> None:
    with pytest.raises(Refused, match="is this URL a console"):
        decoded(page)


@pytest.mark.parametrize(("depth", "fits"), [(64, True), (65, False), (900, False)])
def test_an_answer_may_not_be_nested_without_end(depth: int, fits: bool) -> None:
    body = b'{"a":[' * (depth // 2) + b"[" * (depth % 2) + b"]" * (depth % 2) + b"]}" * (depth // 2)
    if fits:
        assert decoded(answer(200, body))
    else:
        with pytest.raises(Refused, match="nested deeper than 64 levels"):
            decoded(answer(200, body))
