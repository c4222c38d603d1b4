"""Making a text fit where a forge allows only so much, without hiding that something was left out. Pure."""

from __future__ import annotations

from collections.abc import Sequence

COMMENT = 60_000
"""Characters. GitHub refuses a body of more than 65,536; what it adds itself has room between."""

SUMMARY = 250_000
"""Characters. GitHub refuses a step summary of more than 1 MiB, and a character has at most four bytes."""


def fitted(texts: Sequence[str], limit: int, full: str = "") -> str:
    """Return the texts one after another, in at most `limit` characters.

    Where they are too long each is cut at the end of a line, the long ones first, and says "showing X of Y lines";
    `full` then says where everything can be read.
    """
    texts = [text.strip() for text in texts]
    if sum(len(text) + 2 for text in texts) <= limit:
        return "\n\n".join(texts)
    rooms = _rooms([len(text) for text in texts], limit - 2 * len(texts))
    return "\n\n".join(_cut(text, room, full) for text, room in zip(texts, rooms, strict=True))


def _rooms(sizes: Sequence[int], limit: int) -> list[int]:
    """Share the room out: who needs less than an equal share leaves the rest to the others."""
    rooms = [0] * len(sizes)
    left, sharing = limit, len(sizes)
    for index in sorted(range(len(sizes)), key=lambda index: sizes[index]):
        rooms[index] = min(sizes[index], left // sharing)
        left -= rooms[index]
        sharing -= 1
    return rooms


def _cut(text: str, room: int, full: str) -> str:
    if len(text) <= room:
        return text
    lines = text.splitlines()
    count, used = 0, len(_note(len(lines), len(lines), full)) + 1
    while count < len(lines) and used + len(lines[count]) < room:
        used += len(lines[count]) + 1
        count += 1
    # What closes the blocks takes room as well.
    while count and len(_closed(lines[:count], len(lines), full)) > room:
        count -= 1
    return _closed(lines[:count], len(lines), full)[:room]


def _closed(shown: Sequence[str], of: int, full: str) -> str:
    """Return the lines with the note below them; an open code block or fold would swallow it."""
    text = "\n".join(shown)
    fence = [_open_fence(shown)] if _open_fence(shown) else []
    folds = ["</details>"] * max(0, text.count("<details") - text.count("</details>"))
    return "\n".join([*shown, *fence, *folds, "", _note(len(shown), of, full)]).lstrip("\n")


def _open_fence(lines: Sequence[str]) -> str:
    """Return the fence of the code block that is open at the end; empty where none is."""
    fence = ""
    for line in lines:
        ticks = line.lstrip()[: len(line.lstrip()) - len(line.lstrip().lstrip("`"))]
        if fence:
            fence = "" if len(ticks) >= len(fence) and line.strip() == ticks else fence
        elif len(ticks) >= 3:
            fence = ticks
    return fence


def _note(shown: int, of: int, full: str) -> str:
    return f"_Showing {shown} of {of} lines.{f' {full}' if full else ''}_"
