"""What the ledger says, as markdown."""

from __future__ import annotations

from policysync.reports.history import History, apply_lines, closing_lines
from policysync.reports.markdown import LIMIT, Limits, block, code, fit, showing


def render(history: History, limit: int = LIMIT) -> str:
    """Return the applies, the newest first, and what is wrong."""
    blocks = [list(apply_lines(record, history)) for record in history.records]
    closing = closing_lines(history)

    def draw(limits: Limits) -> str:
        kept = blocks[: limits.changes]
        left = showing(len(kept), len(blocks), "applies")
        pieces = [f"## policysync history of stage {code(history.stage)}", *([f"> {left}."] if left else [])]
        pieces += [block(closing[: limits.asides])] if closing[: limits.asides] else []
        pieces += [block(lines) for lines in kept]
        return "\n\n".join(pieces) + "\n"

    return fit(draw, Limits(0, 0, len(blocks), len(closing), 1), limit)
