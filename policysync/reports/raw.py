"""What differs between two pieces of plain JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from policysync.reports.markdown import block

FORMAT_VERSION = 1
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Raw:
    """The differences as lines for people, and as data."""

    lines: Sequence[str]
    found: Any


def text(view: Raw) -> str:
    """Return the lines."""
    return "\n".join(view.lines) or "No differences."


def as_json(view: Raw) -> str:
    """Return the data."""
    return json.dumps({"format_version": FORMAT_VERSION, "differences": view.found}, indent=1)


def markdown(view: Raw) -> str:
    """Return the first few hundred lines in a block, with how many there are."""
    shown = view.lines[:_LONGEST]
    more = f"\n\nShowing {len(shown)} of {len(view.lines)} differences." if len(shown) < len(view.lines) else ""
    return block(shown or ["No differences."]) + more
