"""Plain YAML scalars, read as YAML 1.2 reads them.

Two departures, both towards text: a number with leading zeros, and one too large to hold. Digests such as
`5e781234567890` are written without quotes by many tools and would turn into infinity, and nobody who is sent a whole
number of more than 64 bits reads it as one.
"""

from __future__ import annotations

import re
from typing import Any

_WORDS: dict[str, Any] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
}
_STARTS = frozenset("0123456789-+.tTfFnN~") | {""}
_DECIMAL = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_BASED = re.compile(r"0(?:o[0-7]+|x[0-9a-fA-F]+)\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_DIGITS = 20  # more than any number of 64 bits has, and few enough to be read at no cost


def plain(text: str) -> Any:
    """Return the value of a scalar that was written without quotes."""
    if text[:1] not in _STARTS:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _DECIMAL.match(text):
        return _held(int(text), text) if len(text) <= _DIGITS else text
    if _BASED.match(text):
        return _held(int(text, 0), text)
    if _FLOAT.match(text):
        number = float(text)
        return text if number in {float("inf"), float("-inf")} else number
    return text


def is_held(number: int) -> bool:
    """Return whether a whole number fits into 64 bits with its sign."""
    return -(2**63) <= number < 2**63


def _held(number: int, text: str) -> int | str:
    return number if is_held(number) else text
