"""Rows of text in columns, as a terminal shows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from unicodedata import combining, east_asian_width


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    """Return rows in columns as wide as their widest cell. Texts of others are for the caller to make printable."""
    lines = [tuple(head), *map(tuple, body)]
    widths = [max(map(width, column)) for column in zip(*lines, strict=True)]
    return "\n".join(_line(line, widths) for line in lines)


def width(text: str) -> int:
    """Return how many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(2 if east_asian_width(char) in "FW" else 0 if combining(char) else 1 for char in text)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell + " " * (wide - width(cell)) for cell, wide in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()
