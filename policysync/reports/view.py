"""A plan as rows a person reads: what every report shows, in whatever form it shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policysync.plan.change import Action, Cause, Change, Edit, Plan, Posture
from policysync.pointer import MISSING
from policysync.secret import MASK, Secret
from policysync.state.normalize import canonical

SYMBOLS = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-"}
_LONGEST = 100
_LISTED = 20


@dataclass(frozen=True, slots=True)
class Row:
    """One edit: `+ - ~`, the path, what it was and what it becomes, and what there is to remark on it."""

    symbol: str
    path: str
    values: str
    remarks: tuple[str, ...] = ()
    looser: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """One change with its edits."""

    symbol: str
    title: str
    remarks: tuple[str, ...]
    rows: tuple[Row, ...]
    looser: bool
    steps: tuple[str, ...] = ()


def blocks(plan: Plan) -> Iterator[Block]:
    """Yield the changes of a plan in the order in which they would be carried out."""
    for change in plan.changes:
        yield block(change)


def block(change: Change) -> Block:
    """Return what is shown of one change."""
    remarks = tuple(_change_remarks(change))
    rows = tuple(row(edit) for edit in change.edits)
    symbol = "-/+" if change.replace else SYMBOLS[change.action]
    steps = tuple(printable(step) for step in change.steps)
    return Block(symbol, printable(str(change.address)), remarks, rows, is_looser(change.posture), steps)


def row(edit: Edit) -> Row:
    """Return what is shown of one edit. A list without keys shows what comes and what goes."""
    symbol = "~"
    if edit.before is MISSING:
        symbol = "+"
    elif edit.after is MISSING:
        symbol = "-"
    return Row(symbol, path_text(edit.path), _values(edit), tuple(_edit_remarks(edit)), is_looser(edit.posture))


def path_text(path: Iterable[str]) -> str:
    """Return a path as people write it: `custom_checks[name=web].severity`."""
    text = ""
    for step in path:
        if "=" in step or step.isdecimal():
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return printable(text)


def printable(text: str) -> str:
    """Return a text on one line, in which nothing can move the cursor of a terminal or turn letters round."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def value_text(value: Any) -> str:
    """Return a value on one line, shortened where it is long; a secret shows where it comes from."""
    return _cut(_whole(value))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _whole(value: Any) -> str:
    match value:
        case Secret():
            text = printable(value.source) or MASK
        case Mapping() if "$digest" in value:
            text = MASK
        case Mapping():
            text = "{" + ", ".join(f"{printable(str(name))}: {_whole(below)}" for name, below in value.items()) + "}"
        case list():
            text = "[" + ", ".join(_whole(item) for item in value) + "]"
        case bool():
            text = "true" if value else "false"
        case None:
            text = "null"
        case str():
            text = '"' + printable(value.replace("\\", "\\\\")).replace('"', '\\"') + '"'
        case _:
            text = str(value)
    return text


def _values(edit: Edit) -> str:
    if edit.before is MISSING:
        return value_text(edit.after)
    if edit.after is MISSING:
        return value_text(edit.before)
    if isinstance(edit.before, list) and isinstance(edit.after, list):
        moved = [*_only_in(edit.after, edit.before, "+"), *_only_in(edit.before, edit.after, "-")]
        if moved:
            more = f" (showing {_LISTED} of {len(moved)})" if len(moved) > _LISTED else ""
            return " ".join(moved[:_LISTED]) + more
    return " → ".join(_around_the_difference(_whole(edit.before), _whole(edit.after)))


def _only_in(items: list[Any], others: list[Any], sign: str) -> list[str]:
    known = {canonical(item) for item in others}
    return [f"{sign}{value_text(item)}" for item in items if canonical(item) not in known]


def _around_the_difference(before: str, after: str) -> Iterator[str]:
    """Yield two texts, shortened where they are long, so that it can be seen where they differ."""
    same = next((i for i, pair in enumerate(zip(before, after, strict=False)) if pair[0] != pair[1]), 0)
    start = max(0, same - _LONGEST // 2) if same >= _LONGEST - 1 else 0
    for text in (before, after):
        yield _cut("…" + text[start + 1 :] if start else text)


def is_looser(posture: Posture) -> bool:
    """Whether a posture makes a policy weaker, at least in part."""
    return posture in {Posture.LOOSER, Posture.MIXED}


def _change_remarks(change: Change) -> Iterator[str]:
    if change.cause is not Cause.PENDING:
        yield change.cause.value
    if change.posture is not Posture.NEUTRAL:
        yield change.posture.value
    if change.steps:
        yield "manual"
    if change.replace:
        yield "deleted and created again"


def _edit_remarks(edit: Edit) -> Iterator[str]:
    if edit.cause is not Cause.PENDING:
        yield edit.cause.value
    if edit.gated:
        yield "no effect"
    elif edit.posture is not Posture.NEUTRAL:
        yield edit.posture.value
