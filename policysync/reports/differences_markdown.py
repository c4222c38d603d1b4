"""What differs between two sides as markdown, kind by kind; what nobody meant comes first."""

from __future__ import annotations

from itertools import groupby

from policysync.plan.change import Action, Change
from policysync.plan.reasons import is_meant
from policysync.reports.differences import Differences, closing, row_text
from policysync.reports.markdown import Limits, block, code, fit, folded, html, showing
from policysync.reports.view import block as block_of
from policysync.reports.view import printable


def render(view: Differences) -> str:
    """Return the differences, short enough for a comment."""
    longest = max((len(change.edits) for change in view.plan.changes), default=0)
    return fit(_Drawing(view).draw, Limits(longest, longest, len(view.plan.changes), len(view.plan.unmanaged), 1))


class _Drawing:
    """One comparison, drawn again and again until it is short enough."""

    def __init__(self, view: Differences) -> None:
        self.view = view
        self.ordered = sorted(view.plan.changes, key=self._meant)

    def _meant(self, change: Change) -> bool:
        if self.view.reasons is None:
            return True
        if change.action is not Action.UPDATE:
            return is_meant(self.view.of_change(change))
        return all(is_meant(self.view.of_edit(change, edit)) for edit in change.edits)

    def draw(self, limits: Limits) -> str:
        """Return the text with no more than this of everything."""
        view = self.view
        shown = self.ordered[: limits.changes]
        pieces = [f"## {code(view.plan.stage)} → {code(view.plan.target)}", *(f"**{line}**" for line in closing(view))]
        if left := showing(len(shown), len(self.ordered), "resources"):
            pieces.append(left)
        for kind, changes in groupby(sorted(shown, key=lambda change: change.address), lambda c: c.address.kind):
            pieces += [f"### {kind}", *(self._change(change, limits) for change in changes)]
        unmanaged = [str(address) for address in view.plan.unmanaged[: limits.asides]]
        if view.plan.unmanaged:
            more = showing(len(unmanaged), len(view.plan.unmanaged), "unmanaged")
            pieces.append(f"unmanaged: {', '.join(map(code, unmanaged))} {more}".rstrip())
        return "\n\n".join(pieces)

    def _change(self, change: Change, limits: Limits) -> str:
        drawn = block_of(change)
        rows = list(zip(change.edits, drawn.rows, strict=True))[: limits.edits]
        lines = [row_text(row, self.view.of_edit(change, edit)) for edit, row in rows]
        remarks = [*drawn.remarks, *(printable(str(reason)) for reason in self.view.of_change(change))]
        more = showing(len(rows), len(drawn.rows), "fields")
        title = f"{drawn.symbol} {html(drawn.title)} {html(', '.join(remarks)) if remarks else ''}".rstrip()
        body = [block(lines, "diff")] if lines else []
        return folded(title, [*body, *([more] if more else [])], opened=not self._meant(change))
