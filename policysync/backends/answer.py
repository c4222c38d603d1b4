"""What a console answered, and which of our failures that is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import orjson

from policysync.errors import BackendError, OutcomeUnknown, Refused, Unavailable
from policysync.secret import told

SHOWN = 300
"""Characters of what a console says that a message quotes."""

_SAYS = ("message", "error", "error_description", "errorMessage", "detail", "details", "reason", "description", "title")
"""Members in which one console or proxy or the other says what is wrong. No other part of a body is ever shown."""

_REASONS, _DEPTH = 5, 3
"""Entries of a list of errors that are shown, and how deep errors may stand inside each other."""

NESTING = 64
"""How deep objects and lists may stand inside each other; everything that walks a body calls itself."""

_ADVICE = {
    401: "the console does not accept the token it has just given out; check the clock and auth.header",
    403: "the role of this account does not allow it",
    413: "the body is larger than the console or a proxy before it accepts",
    415: "is this a gateway? Its name ends in -gw and it serves enforcers only; use the name without -gw",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, complete. Names of headers are in lower case; `path` is what was asked for, with its query;
    `at` is when it came."""

    method: str
    path: str
    status: int
    headers: Mapping[str, str]
    at: datetime
    body: bytes = b""

    @property
    def ok(self) -> bool:
        """Whether it is a success. Which 2xx it is varies between versions of the console and means nothing."""
        return 200 <= self.status < 300

    def __str__(self) -> str:
        said = excerpt(self)
        return f"{self.method} {self.path}: {self.status}" + (f": {said}" if said else "")


def failure(answer: Answer, *, writes: bool) -> BackendError | None:
    """Return what is wrong with an answer, or None for a success.

    A write that met 500, or a proxy that gave up waiting (502, 504), may have been done all the same.
    Source: reference, policies 2.8.
    """
    status = answer.status
    if answer.ok:
        return None
    if status in (408, 425, 429, 503):
        return Unavailable(str(answer), retry_after(answer))
    if status >= 500 and status != 501:
        return OutcomeUnknown(str(answer)) if writes else Unavailable(str(answer), retry_after(answer))
    if 300 <= status < 400:
        there = told(_printable(answer.headers.get("location", "nowhere")))
        return Refused(f"{answer}: the address leads to {there}; write that into the target's url")
    advice = _ADVICE.get(status)
    return Refused(f"{answer} ({advice})" if advice else str(answer))


def decoded(answer: Answer) -> Any:
    """Return the JSON of a successful read.

    Raises:
        Refused: it is a web page, or nested deeper than anything a console has to say.
        Unavailable: it does not parse, so it was cut off on its way.
    """
    if not answer.body and answer.status == 204:
        return None
    try:
        found = orjson.loads(answer.body)
    except ValueError as error:
        if _is_page(answer):
            raise Refused(f"{answer.method} {answer.path}: a web page came back: is this URL a console?") from error
        place = f"{answer.method} {answer.path}: {answer.status}"
        raise Unavailable(f"{place}: the body is not whole JSON ({len(answer.body)} bytes)") from error
    if _is_deep(answer.body, found):
        raise Refused(f"{answer.method} {answer.path}: the answer is nested deeper than {NESTING} levels")
    return found


def retry_after(answer: Answer) -> float | None:
    """Return the seconds the answer asks to wait, from a number or a date; None when it does not say."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isdecimal():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return max(0.0, (until - answer.at).total_seconds())


def excerpt(answer: Answer) -> str:
    """Return what an answer says of itself, fit for a message: one line, no control characters, no secrets.

    Of JSON only the members that are there to be read are shown, as an error may hold the object that was sent once
    more (reference, platform 1); of a web page nothing.
    """
    if _is_page(answer):
        return "a web page"
    text = answer.body.decode("utf-8", "replace")
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        # Of JSON that was cut off nobody can tell which member is which.
        return f"{len(answer.body)} bytes, not whole JSON" if text.lstrip()[:1] in ("{", "[") else shown(text)
    said = "; ".join(dict.fromkeys(_said(body)))
    code = body.get("code") if isinstance(body, dict) else None
    if isinstance(code, int) and not isinstance(code, bool) and code != answer.status:
        said += f" (code {code})"
    return said.strip() or f"{len(answer.body)} bytes of JSON that say nothing"


def shown(text: str) -> str:
    """Return what somebody else says, on one line and not too long."""
    # Before it is cut: of a secret that was cut nobody knows any more that it is one.
    plain = told(_printable(told(text)))
    return plain if len(plain) <= SHOWN else f"{plain[:SHOWN]}…"


def _said(body: Any, depth: int = _DEPTH) -> Iterator[str]:
    """Yield the sentences of an error; of the reasons in a list only some, and not of reasons without end."""
    if not isinstance(body, dict) or not depth:
        return
    field, value = body.get("field"), str(body.get("value"))
    # Where the account API names a member it repeats its path; anything else there may be what was sent.
    path = f"{shown(value)} " if isinstance(field, str) and value.startswith(field) else ""
    for name in _SAYS:
        if isinstance(text := body.get(name), str) and text:
            yield path + shown(text)
    yield from _said(body.get("error"), depth - 1)
    reasons = body.get("errors")
    for each in reasons[:_REASONS] if isinstance(reasons, list) else ():
        yield from [shown(each)] if isinstance(each, str) else _said(each, depth - 1)


def _is_deep(body: bytes, found: Any) -> bool:
    if body.count(b"[") + body.count(b"{") <= NESTING:
        return False
    level = [found]
    for _ in range(NESTING):
        level = [below for each in level for below in _members(each) if isinstance(below, dict | list)]
        if not level:
            return False
    return True


def _members(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _printable(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def _is_page(answer: Answer) -> bool:
    return "html" in answer.headers.get("content-type", "") or answer.body.lstrip()[:1] == b"<"
