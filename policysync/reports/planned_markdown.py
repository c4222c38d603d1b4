"""Plans and drift as markdown: what is looser comes first, and what is left out is counted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from policysync.documents.pin import short_release
from policysync.plan.change import Change, Plan
from policysync.reports.markdown import LIMIT, Limits, block, code, fit, folded, html, showing
from policysync.reports.planned import Planned
from policysync.reports.view import Block, Row
from policysync.reports.view import block as block_of
from policysync.state.resource import Address

_LOOSER = "⚠️ looser"


def render(view: Planned, limit: int = LIMIT) -> str:
    """Return the plans as one comment."""
    changes = [change for plan in view.plans for change in plan.changes]
    longest = max((len(change.edits) for change in changes), default=0)
    beside = max((len(view.asides_of(plan)) + len(view.guards_of(plan)) for plan in view.plans), default=0)
    return fit(_Drawing(view).draw, Limits(longest, longest, len(changes), beside, len(view.plans)), limit)


class _Drawn(NamedTuple):
    """A change, the position of its plan, and its rows, looser ones first."""

    plan: int
    address: Address
    block: Block
    rows: tuple[Row, ...]

    @classmethod
    def of(cls, index: int, change: Change) -> _Drawn:
        drawn = block_of(change)
        return cls(index, change.address, drawn, tuple(sorted(drawn.rows, key=lambda row: not row.looser)))

    def most(self, limits: Limits) -> int:
        """Return how many of its edits are shown."""
        return min(len(self.rows), limits.looser_edits if self.block.looser else limits.edits)


class _Drawing:
    """One view, drawn again and again until it is short enough."""

    def __init__(self, view: Planned) -> None:
        self.view = view
        listed = [_Drawn.of(index, change) for index, plan in enumerate(view.plans) for change in plan.changes]
        self.ordered = sorted(listed, key=lambda drawn: not drawn.block.looser)

    def draw(self, limits: Limits) -> str:
        """Return the text with no more than this of everything."""
        view = self.view
        chosen: dict[int, list[_Drawn]] = {}
        for drawn in self.ordered[: limits.changes]:
            chosen.setdefault(drawn.plan, []).append(drawn)
        pieces = [*self._head(), *self._left_out(limits)]
        for index, plan in enumerate(view.plans[: limits.parts]):
            pieces += self._part(plan, chosen.get(index, []), limits)
        return "\n\n".join(pieces) + "\n"

    def _head(self) -> Iterator[str]:
        view = self.view
        if len(view.plans) == 1:
            (plan,) = view.plans
            yield f"## policysync {view.command}: stage {_where(plan)}"
            yield f"**{view.closing if plan.changes else view.closing_of(plan)}** {self._facts(plan)}"
        else:
            yield f"## policysync {view.command}"
            yield f"**{view.closing}**"

    def _facts(self, plan: Plan) -> str:
        if self.view.drift:
            return "live against last applied"
        dirty = ", work tree not committed" if plan.dirty else ""
        return f"revision {code(short_release(plan.revision))}{dirty}" if plan.revision else f"no revision{dirty}"

    def _left_out(self, limits: Limits) -> Iterator[str]:
        view = self.view
        shown = self.ordered[: limits.changes]
        edits = sum(len(drawn.rows) for drawn in self.ordered)
        seen = sum(drawn.most(limits) for drawn in shown)
        said = [
            showing(min(limits.parts, len(view.plans)), len(view.plans), "targets"),
            showing(len(shown), len(self.ordered), "changes"),
            showing(seen, edits, "edits"),
        ]
        if any(said):
            text = ", ".join(filter(None, said))
            yield f"> {text[0].upper()}{text[1:]}. The text of `policysync {view.command}` has all of them."

    def _part(self, plan: Plan, changes: Sequence[_Drawn], limits: Limits) -> Iterator[str]:
        if len(self.view.plans) > 1:
            yield f"### Stage {_where(plan)}"
            yield f"{self._facts(plan)} · {self.view.closing_of(plan)}"
        yield from self._beside(plan, limits)
        by_kind = sorted(changes, key=lambda change: change.address.kind)
        groups = [(kind, list(group)) for kind, group in groupby(by_kind, key=lambda change: change.address.kind)]
        for kind, group in sorted(groups, key=lambda pair: not _looser(pair[1])):
            yield self._kind(plan, kind, group, limits)

    def _beside(self, plan: Plan, limits: Limits) -> Iterator[str]:
        guards = [f"guard {name} would refuse this: {why}" for name, why in self.view.guards_of(plan).items()]
        lines = [*guards, *self.view.asides_of(plan)]
        if lines:
            kept = lines[: limits.asides]
            left = showing(len(kept), len(lines), "remarks")
            # Sentences, which a block of code would not wrap.
            yield "\n".join([*(f"- {code(line)}" for line in kept), *([f"- {left}"] if left else [])])

    def _kind(self, plan: Plan, kind: str, changes: Sequence[_Drawn], limits: Limits) -> str:
        total = sum(change.address.kind == kind for change in plan.changes)
        looser = _looser(changes)
        said = [showing(len(changes), total, "changes") or f"{total} {'change' if total == 1 else 'changes'}"]
        said += [f"{looser} {_LOOSER}"] if looser else []
        body = [piece for drawn in changes for piece in _change(drawn, drawn.most(limits))]
        return folded(f"<b>{html(kind)}</b>: {', '.join(said)}", body, opened=bool(looser))


def _where(plan: Plan) -> str:
    return f"{code(plan.stage)} · target {code(plan.target)}"


def _change(drawn: _Drawn, most: int) -> Iterator[str]:
    marks = [f"**{_LOOSER}**"] if drawn.block.looser else []
    remarks = ", ".join([*marks, *(remark for remark in drawn.block.remarks if remark != "looser")])
    yield f"{code(f'{drawn.block.symbol} {drawn.address}')}{f' ({remarks})' if remarks else ''}"
    lines = [_row(row) for row in drawn.rows[:most]]
    left = showing(len(lines), len(drawn.rows), "edits")
    if lines or left:
        yield block([*lines, *([f"# {left}"] if left else [])], "diff")


def _row(row: Row) -> str:
    remarks = f"  ({', '.join(row.remarks)})" if row.remarks else ""
    # A diff is coloured by its first character: `!` stands out.
    return f"{'!' if row.looser else row.symbol} {row.path}: {row.values}{remarks}"


def _looser(changes: Sequence[_Drawn]) -> int:
    return sum(drawn.block.looser for drawn in changes)
