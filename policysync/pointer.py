"""JSON pointers (RFC 6901)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any


class _Missing:
    """The type of MISSING."""

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Any = _Missing()
"""Stands where nothing was said; None stands where null was said."""


def escape(part: str | int) -> str:
    """Return one step of a pointer, with `~` and `/` escaped."""
    return str(part).replace("~", "~0").replace("/", "~1")


def join(parts: Iterable[str | int]) -> str:
    """Return the pointer that takes these steps; no steps give the empty pointer."""
    return "".join(f"/{escape(part)}" for part in parts)


def split(pointer: str) -> tuple[str, ...]:
    """Return the steps of a pointer, unescaped. The empty pointer has none.

    Raises:
        ValueError: the pointer is not empty and does not start with a slash.
    """
    if not pointer:
        return ()
    if not pointer.startswith("/"):
        raise ValueError(f"{pointer!r} is not a JSON pointer: it has to start with /")
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in pointer[1:].split("/"))


def resolve(document: Any, pointer: str) -> Any:
    """Return the value a pointer leads to, or MISSING."""
    value = document
    for part in split(pointer):
        if isinstance(value, Mapping):
            value = value.get(part, MISSING)
        elif isinstance(value, list) and part.isdecimal() and int(part) < len(value):
            value = value[int(part)]
        else:
            return MISSING
    return value
