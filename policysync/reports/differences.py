"""What differs between two sides, and why, for people and for machines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import click

from policysync.plan.change import Action, Change, Edit, Plan
from policysync.plan.codec import summary
from policysync.plan.reasons import Reason, Reasons, Why, is_meant
from policysync.pointer import MISSING
from policysync.reports.view import Block, Row, block, printable
from policysync.secret import MASK, Secret

FORMAT_VERSION = 1
_COLOURS = {"+": "green", "-": "red", "~": "yellow", "-/+": "red"}


@dataclass(frozen=True, slots=True)
class Differences:
    """A comparison: `plan` turns its stage side into its target side. `reasons` is None where nobody can know them."""

    plan: Plan
    reasons: Reasons | None = None
    colour: bool = False

    def of_change(self, change: Change) -> tuple[Reason, ...]:
        """Return why only one side has a resource; nothing for one that both have."""
        if self.reasons is None or change.action is Action.UPDATE:
            return ()
        return self.reasons.of_change(change)

    def of_edit(self, change: Change, edit: Edit) -> tuple[Reason, ...]:
        """Return why one path differs; nothing where the whole resource does."""
        if self.reasons is None or change.action is not Action.UPDATE:
            return ()
        return self.reasons.of_edit(change, edit.path)

    @property
    def counts(self) -> Mapping[str, int]:
        """How many differences are meant, go with a promotion, or are neither."""
        found: Counter[str] = Counter({"intended": 0, "revision": 0, "unreadable": 0, "unexplained": 0})
        for change in self.plan.changes:
            every = [self.of_change(change)] if change.action is not Action.UPDATE else []
            every += [self.of_edit(change, edit) for edit in change.edits] if not every else []
            for reasons in every:
                found[_sort(reasons)] += 1
        return found


def _sort(reasons: tuple[Reason, ...]) -> str:
    if is_meant(reasons):
        return "intended"
    if {reason.why for reason in reasons} == {Why.UNREADABLE}:
        return "unreadable"
    return "revision" if all(reason.why in (Why.REVISION, Why.PENDING) for reason in reasons) else "unexplained"


def text(view: Differences) -> str:
    """Return the differences the way a plan shows changes, kind by kind."""
    lines = [f"{view.plan.stage} → {view.plan.target}", ""]
    for change in view.plan.changes:
        shown = block(change)
        title = f"{shown.symbol} {shown.title}{_remarks(shown.remarks)}{_why(view.of_change(change))}"
        lines += [f"  {_painted(view, title, shown.symbol)}", *_rows(view, change, shown), ""]
    if view.plan.unmanaged:
        lines += [f"  unmanaged: {', '.join(printable(str(address)) for address in view.plan.unmanaged)}", ""]
    return "\n".join([*lines, *closing(view)])


def closing(view: Differences) -> Iterator[str]:
    """Yield the lines that count."""
    if not view.plan.changes:
        yield "No differences."
        return
    if view.reasons is not None:
        counts = view.counts
        words = [f"{counts['intended']} intended", f"{counts['revision']} by another revision or not applied yet"]
        words += [f"{counts['unreadable']} that cannot be read back"] * bool(counts["unreadable"])
        yield f"Why: {', '.join(words)}, {counts['unexplained']} unexplained."
    counts = summary(view.plan)
    yield f"Differences: {counts['add']} added, {counts['change']} changed, {counts['destroy']} removed."


def _rows(view: Differences, change: Change, shown: Block) -> Iterator[str]:
    for edit, row in zip(change.edits, shown.rows, strict=True):
        yield "      " + _painted(view, row_text(row, view.of_edit(change, edit)), row.symbol)


def row_text(row: Row, reasons: tuple[Reason, ...]) -> str:
    """Return one edit on a line, with why it is one."""
    return f"{row.symbol} {row.path}: {row.values}{_remarks(row.remarks)}{_why(reasons)}"


def _why(reasons: tuple[Reason, ...]) -> str:
    return f"  ← {printable(', '.join(map(str, reasons)))}" if reasons else ""


def _remarks(remarks: tuple[str, ...]) -> str:
    return f"  ({', '.join(remarks)})" if remarks else ""


def _painted(view: Differences, said: str, symbol: str) -> str:
    return click.style(said, fg=_COLOURS[symbol]) if view.colour else said


def as_json(view: Differences) -> str:
    """Return the same as JSON."""
    plan = view.plan
    document = {
        "format_version": FORMAT_VERSION,
        "from": plan.stage,
        "to": plan.target,
        "changes": [_change(view, change) for change in plan.changes],
        "unmanaged": [str(address) for address in plan.unmanaged],
        "summary": summary(plan),
        **({"reasons": dict(view.counts)} if view.reasons is not None else {}),
    }
    return json.dumps(document, indent=1)


def _change(view: Differences, change: Change) -> dict[str, Any]:
    return {
        "action": change.action.value,
        "kind": change.address.kind,
        "name": change.address.name,
        "posture": change.posture.value,
        "edits": [_edit(edit) | _told(view.of_edit(change, edit)) for edit in change.edits],
        **_told(view.of_change(change)),
    }


def _told(reasons: tuple[Reason, ...]) -> dict[str, Any]:
    if not reasons:
        return {}
    listed = [
        {"why": reason.why.value, "stage": reason.stage, "said": reason.said, "where": str(reason.where or "")}
        for reason in reasons
    ]
    return {"intended": is_meant(reasons), "reasons": listed}


def _edit(edit: Edit) -> dict[str, Any]:
    sides = {"before": edit.before, "after": edit.after}
    return {
        "path": list(edit.path),
        **{side: plain(value) for side, value in sides.items() if value is not MISSING},
        "posture": edit.posture.value,
    }


def plain(value: Any, salt: str = "") -> Any:
    """Return a value as JSON data. With a salt, a secret can be told from another one."""
    if isinstance(value, Secret):
        return f"{MASK} {value.digest(salt)[:8]}" if salt else value.source or MASK
    if isinstance(value, Mapping):
        return {name: plain(below, salt) for name, below in value.items()}
    if isinstance(value, list):
        return [plain(item, salt) for item in value]
    return value
