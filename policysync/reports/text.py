"""Reports for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from types import MappingProxyType

from policysync.documents.pin import short_release
from policysync.plan.change import Plan
from policysync.plan.codec import summary
from policysync.reports.view import Block, blocks, path_text, printable, row
from policysync.state.resource import Address

_RESET = "\033[0m"
_COLOURS = {"+": "\033[32m", "-": "\033[31m", "~": "\033[33m", "-/+": "\033[31m", "looser": "\033[1;31m"}
LISTED = 20


def plan_text(
    plan: Plan, *, colour: bool = False, listed: int | None = LISTED, guards: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Return a plan as text; it ends with the line that counts. At most `listed` unmanaged resources are named, or
    with None all of them, kind by kind.

    `guards` are those that would refuse an apply, and why.
    """
    revision = f"revision {short_release(plan.revision)}" if plan.revision else "no revision"
    dirty = ", work tree not committed" if plan.dirty else ""
    beside = [*_guarded(guards), *asides(plan, listed)]
    lines = [f"{_heading(plan)} · {revision}{dirty}", "", *_changes(plan, colour=colour), *beside]
    lines += [""] if beside else []
    return "\n".join([*lines, closing(plan)])


def drift_text(plan: Plan, *, colour: bool = False) -> str:
    """Return what somebody changed by hand as text; it ends with the line that counts."""
    lines = [f"{_heading(plan)} · live against last applied", "", *_changes(plan, colour=colour)]
    spared = spared_lines(plan)
    return "\n".join([*lines, *spared, *([""] if spared else []), drift_closing(plan)])


def drift_closing(plan: Plan) -> str:
    """Return the last line of what drifted."""
    counts = summary(plan)
    end = f"Drift: {counts['change']} edited by hand, {counts['destroy']} deleted by hand."
    return end if plan.changes else f"No drift. {end}"


def closing(plan: Plan) -> str:
    """Return the last line of a plan."""
    counts = summary(plan)
    if plan.blocked:
        many = len(plan.blocked)
        return f"{_counted(counts)} {many} {'resource' if many == 1 else 'resources'} blocked."
    if not plan.changes:
        return "No changes. Plan: 0 to add, 0 to change, 0 to destroy."
    return _counted(counts)


def _counted(counts: Mapping[str, int]) -> str:
    return f"Plan: {counts['add']} to add, {counts['change']} to change, {counts['destroy']} to destroy."


def _heading(plan: Plan) -> str:
    return f"Stage {plan.stage} · target {plan.target}"


def _changes(plan: Plan, *, colour: bool) -> Iterator[str]:
    for block in blocks(plan):
        yield from _block(block, colour=colour)
        yield ""


def _block(block: Block, *, colour: bool) -> Iterator[str]:
    title = f"{block.symbol} {block.title}{_remarks(block.remarks)}"
    yield "  " + _paint(title, block.symbol, colour=colour)
    for each in block.rows:
        line = f"{each.symbol} {each.path}: {each.values}{_remarks(each.remarks)}"
        yield "      " + _paint(line, "looser" if each.looser else each.symbol, colour=colour)

    for number, step in enumerate(block.steps, 1):
        yield f"      manual: {number}. {step}"


def _remarks(remarks: Sequence[str]) -> str:
    return f"  ({', '.join(remarks)})" if remarks else ""


def _paint(text: str, what: str, *, colour: bool) -> str:
    return f"{_COLOURS[what]}{text}{_RESET}" if colour else text


def asides(plan: Plan, listed: int | None) -> list[str]:
    """Return what there is to say beside the changes, a sentence a line."""
    lines = [f"  ! {printable(str(b.address))}: {printable(str(b.hindrance))}" for b in plan.blocked]
    lines += spared_lines(plan)
    lines += [f"  note: {printable(notice)}" for notice in plan.notices]
    lines += [f"  kept: {printable(str(address))} is no longer in git and is left alone" for address in plan.kept]
    lines += [
        f"  released: {printable(str(r.address))} {path_text(r.path)} is no longer in git and keeps its value"
        for r in plan.released
    ]
    return [*lines, *_unmanaged(plan.unmanaged, listed)]


def spared_lines(plan: Plan) -> list[str]:
    """Return what somebody changed by hand and policysync.yaml accepts, an edit a line."""
    lines = []
    for one in plan.spared:
        shown = [f"{edit.path}: {edit.values}" for edit in map(row, one.edits)] or ["was deleted"]
        title = f"  accepted until {printable(one.said)}: {printable(str(one.address))}"
        lines += [f"{title} {what}{_remarks([printable(one.reason)])}" for what in shown]
    return lines


def _unmanaged(addresses: Sequence[Address], listed: int | None) -> Iterator[str]:
    if listed is None:
        for kind, found in groupby(addresses, key=lambda address: address.kind):
            names = [printable(address.name) for address in found]
            yield f"  unmanaged {kind} ({len(names)}): {', '.join(names)}"
    elif addresses:
        names = [printable(str(address)) for address in addresses[:listed]]
        more = f" (showing {listed} of {len(addresses)})" if len(addresses) > listed else ""
        yield f"  unmanaged: {', '.join(names)}{more}"


def _guarded(guards: Mapping[str, str]) -> Iterator[str]:
    for name, why in guards.items():
        yield f"  guard {name} would refuse this: {printable(why)}"
