"""JSON → plain data. The standard parser gives the value; our own scan gives places, and only when they are wanted."""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable
from contextlib import suppress
from json import JSONDecoder
from typing import Any

from policysync.documents.places import NESTING, Places, Refusals, Stop, line_and_column
from policysync.documents.scalar import is_held
from policysync.pointer import escape

_NOT_SPACE = re.compile(r"[^ \t\n\r]|\Z")
_LITERAL_END = re.compile(r"[\s,\]}]|\Z")
# typeshed leaves it out
_scan_text: Callable[[str, int, bool], tuple[str, int]] = JSONDecoder().parse_string  # type: ignore[attr-defined]
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


class _Odd(ValueError):
    """The file is JSON, and still holds something we refuse."""


def build(text: str, refusals: Refusals, noted: list[Places] | None) -> list[tuple[Any, int, int]]:
    """Return the document with the line and column of its value; note all places when a list is given."""
    start = _skip(text, 0)
    if start == len(text):
        return []
    try:
        value = _DECODER.decode(text)
        _refuse_odd(text, value)
    except json.JSONDecodeError as error:
        refusals.add(error.lineno, error.colno, "", f"not JSON: {error.msg[:1].lower()}{error.msg[1:]}", "syntax")
        return []
    except (ValueError, RecursionError):
        _Scan(text, refusals).run(start)
        return []
    if noted is not None:
        noted.append(_Scan(text, refusals).run(start))
    return [(value, *line_and_column(text[:start]))]


def _skip(text: str, at: int) -> int:
    found = _NOT_SPACE.search(text, at)
    return found.start() if found else len(text)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise _Odd
    return result


def _float(text: str) -> float:
    number = float(text)
    if number in {float("inf"), float("-inf")}:
        raise _Odd
    return number


def _constant(name: str) -> Any:
    raise _Odd(name)


def _whole(text: str) -> int:
    number = int(text)
    if not is_held(number):
        raise _Odd
    return number


_DECODER = JSONDecoder(object_pairs_hook=_pairs, parse_float=_float, parse_int=_whole, parse_constant=_constant)


def _refuse_odd(text: str, value: Any) -> None:
    if _SURROGATE.search(text):
        json.dumps(value, ensure_ascii=False).encode()
    level = [value]
    for _ in range(NESTING):
        level = [below for each in level for below in _members(each) if isinstance(below, dict | list)]
        if not level:
            return
    raise _Odd


def _members(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


class _Scan:
    """Walks text whose syntax is known to be JSON; notes places and refuses what the file may not hold."""

    def __init__(self, text: str, refusals: Refusals) -> None:
        self.text = text
        self.refusals = refusals
        self.places = Places()
        self.breaks = [found.end() for found in re.finditer("\n", text)]

    def run(self, start: int) -> Places:
        with suppress(Stop):
            self.value(start, "", 0)
        return self.places

    def place(self, at: int) -> tuple[int, int]:
        line = bisect_right(self.breaks, at)
        return line + 1, at - (self.breaks[line - 1] if line else 0) + 1

    def value(self, at: int, pointer: str, depth: int) -> int:
        """Note the value that starts at `at`; return where it ends."""
        self.places.values[pointer] = self.place(at)
        first = self.text[at]
        if first == '"':
            return self.string(at, pointer)[1]
        if first not in "{[":
            return self.literal(at, pointer)
        if depth >= NESTING:
            self.refuse(at, pointer, f"nested deeper than {NESTING} levels", "nesting")
            raise Stop
        return self.mapping(at, pointer, depth) if first == "{" else self.sequence(at, pointer, depth)

    def mapping(self, at: int, pointer: str, depth: int) -> int:
        seen: set[str] = set()
        at = _skip(self.text, at + 1)
        while self.text[at] != "}":
            key, end = self.string(at, pointer)
            below = f"{pointer}/{escape(key)}"
            if key in seen:
                self.refuse(at, below, f"key `{key}` stands here twice; keep one", "duplicate-key")
            seen.add(key)
            self.places.keys[below] = self.place(at)
            colon = _skip(self.text, end)
            at = self.comma(self.value(_skip(self.text, colon + 1), below, depth + 1))
        return at + 1

    def sequence(self, at: int, pointer: str, depth: int) -> int:
        index = 0
        at = _skip(self.text, at + 1)
        while self.text[at] != "]":
            at = self.comma(self.value(at, f"{pointer}/{index}", depth + 1))
            index += 1
        return at + 1

    def comma(self, at: int) -> int:
        at = _skip(self.text, at)
        return _skip(self.text, at + 1) if self.text[at] == "," else at

    def string(self, at: int, pointer: str) -> tuple[str, int]:
        text, end = _scan_text(self.text, at + 1, True)
        if _SURROGATE.search(self.text, at, end):
            try:
                text.encode()
            except UnicodeEncodeError:
                self.refuse(at, pointer, "half of a surrogate pair is not a character; write both halves", "encoding")
        return text, end

    def literal(self, at: int, pointer: str) -> int:
        end = _LITERAL_END.search(self.text, at)
        stop = end.start() if end else len(self.text)
        word = self.text[at:stop]
        if word in {"NaN", "Infinity", "-Infinity"}:
            self.refuse(at, pointer, f"{word} is not JSON", "syntax")
        elif word not in {"true", "false", "null"}:
            self.number(word, at, pointer)
        return stop

    def number(self, word: str, at: int, pointer: str) -> None:
        try:
            number = json.loads(word)
        except ValueError:
            number = float("inf")
        if number in {float("inf"), float("-inf")} or (isinstance(number, int) and not is_held(number)):
            self.refuse(at, pointer, "number is too large to hold; write it as text", "number")

    def refuse(self, at: int, pointer: str, message: str, code: str) -> None:
        self.refusals.add(*self.place(at), pointer, message, code)
