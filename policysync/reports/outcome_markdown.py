"""How an apply ended, as markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policysync.apply.report import GOOD
from policysync.reports.markdown import LIMIT, Limits, block, code, fit, showing
from policysync.reports.outcome import Applied, outcome_counts, outcome_lines


def render(view: Applied, limit: int = LIMIT) -> str:
    """Return what went wrong on each target, and the lines that count."""
    longest = max((len(ended.report.outcomes) + len(ended.report.blocked) for ended in view.ended), default=0)

    def draw(limits: Limits) -> str:
        total = len(view.ended)
        left = showing(min(limits.parts, total), total, "targets")
        pieces = ["## policysync apply", *([f"> {left}."] if left else [])]
        for ended in view.ended[: limits.parts]:
            good = all(done.outcome in GOOD for done in ended.report.outcomes) and not ended.report.blocked
            pieces.append(f"### Stage {code(view.stage)} · target {code(ended.report.target)}")
            pieces.append(f"{'✅' if good else '❌'} {outcome_counts(ended.report)} · apply {code(ended.id)}")
            pieces += _lines(outcome_lines(ended.report), limits.edits)
        return "\n\n".join(pieces) + "\n"

    return fit(draw, Limits(longest, 0, 0, 0, len(view.ended)), limit)


def _lines(lines: Sequence[str], most: int) -> Iterator[str]:
    if lines:
        left = showing(min(most, len(lines)), len(lines), "that are not in order")
        yield block([*(line.strip() for line in lines[:most]), *([f"({left})"] if left else [])])
