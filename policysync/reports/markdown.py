"""GitHub-flavoured markdown in which no value can become markup, and which stays short enough for a comment.

Whatever comes from documents, consoles or people stands in code, where nothing is interpreted: no markup, no HTML, no
mention, no link. GitHub looks for mentions after the markup was rendered, so backslashes would not keep them off.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from policysync.reports.view import printable

LIMIT = 60_000
"""Characters. GitHub refuses a comment of 65,536 or more, and whoever posts one adds a few of their own."""

_TICKS = re.compile("`+")
_LONGEST = 300


class Limits(NamedTuple):
    """How much of each sort is shown at most, in the order in which it is given up."""

    edits: int
    looser_edits: int
    changes: int
    asides: int
    parts: int


Draw = Callable[[Limits], str]


def fit(draw: Draw, whole: Limits, limit: int = LIMIT) -> str:
    """Return the longest text within the limit. What is given up first goes down to nothing before the next.

    `draw` has to say of how much it shows how much, and to give a short text when nothing is left to show.
    """
    limits = whole
    text = draw(limits)
    for name in Limits._fields:
        if len(text) <= limit:
            break
        least = 1 if name == "parts" else 0
        low, high = least, max(getattr(limits, name), least)
        while low < high:
            middle = (low + high + 1) // 2
            if len(draw(limits._replace(**{name: middle}))) <= limit:
                low = middle
            else:
                high = middle - 1
        limits = limits._replace(**{name: low})
        text = draw(limits)
    return text


def code(text: str) -> str:
    """Return a text as a code span."""
    text = _cut(printable(text)) or " "
    ticks = "`" * (max((len(run) for run in _TICKS.findall(text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{ticks}{pad}{text}{pad}{ticks}"


def block(lines: Iterable[str], language: str = "text") -> str:
    """Return lines as a block of code, fenced so that no line can end it."""
    shown = [_cut(printable(line)) for line in lines]
    longest = max((len(run) for line in shown for run in _TICKS.findall(line)), default=0)
    fence = "`" * max(3, longest + 1)
    return "\n".join([f"{fence}{language}", *shown, fence])


def folded(summary: str, body: Sequence[str], *, opened: bool = False) -> str:
    """Return something that can be folded away. `summary` is HTML of our own making."""
    # The empty line is what makes markdown of the body again.
    return "\n\n".join([f"<details{' open' if opened else ''}><summary>{summary}</summary>", *body, "</details>"])


def html(text: str) -> str:
    """Return a text as it stands in HTML, in code, so that it mentions nobody."""
    escaped = _cut(printable(text)).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"<code>{escaped}</code>"


def showing(shown: int, total: int, noun: str) -> str:
    """Return the sentence that says how much is left out; empty when nothing is."""
    return f"showing {shown:,} of {total:,} {noun}" if shown < total else ""


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
