"""The table of `policysync status` as markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from policysync.reports.markdown import code
from policysync.reports.standing import Status
from policysync.reports.status import HEAD, grid, remarks, rows

_LISTED = 200


def render(status: Status) -> str:
    """Return the table; of the resources at most a few hundred, with how many there are."""
    parts = [_table(HEAD, rows(status))]
    if status.resources:
        head, body = grid(status)
        shown = list(body)
        parts.append(_table(head, shown[:_LISTED]))
        if len(shown) > _LISTED:
            parts.append(f"Showing {_LISTED} of {len(shown)} resources.")
    notes = [f"- {code(line)}" for line in remarks(status)]
    if len(notes) > _LISTED:
        notes = [*notes[:_LISTED], f"- showing {_LISTED} of {len(notes)} remarks"]
    return "\n\n".join([*parts, *(["\n".join(notes)] if notes else [])])


def _table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    # A bar would end its cell even inside code.
    lines = [" | ".join(code(cell.replace("|", "¦")) for cell in row) for row in body]
    return "\n".join(f"| {line} |" for line in [" | ".join(head), " | ".join("---" for _ in head), *lines])
