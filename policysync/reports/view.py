"""A plan as rows a person reads: what every report shows, in whatever form it shows it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policysync.plan.change import Action, Cause, Change, Edit, Plan, Posture
from policysync.pointer import MISSING
from policysync.secret import MASK, Secret

SYMBOLS = {Action.CREATE: "+", Action.UPDATE: "~", Action.DELETE: "-"}
_LONGEST = 100


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


def blocks(plan: Plan) -> Iterator[Block]:
    """Yield the changes of a plan in the order in which they would be carried out."""
    for change in plan.changes:
        remarks = tuple(_change_remarks(change))
        rows = tuple(row(edit) for edit in change.edits)
        symbol = "-/+" if change.replace else SYMBOLS[change.action]
        yield Block(symbol, str(change.address), remarks, rows, _is_looser(change.posture))


def row(edit: Edit) -> Row:
    """Return what is shown of one edit. A list without keys shows what comes and what goes."""
    symbol = "~"
    if edit.before is MISSING:
        symbol = "+"
    elif edit.after is MISSING:
        symbol = "-"
    return Row(symbol, path_text(edit.path), _values(edit), tuple(_edit_remarks(edit)), _is_looser(edit.posture))


def path_text(path: Iterable[str]) -> str:
    """Return a path as people write it: `custom_checks[name=web].severity`."""
    text = ""
    for step in path:
        if "=" in step or step.isdecimal():
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text


def value_text(value: Any) -> str:
    """Return a value on one line, shortened where it is long; a secret shows where it comes from."""
    match value:
        case Secret():
            text = value.source or MASK
        case Mapping() if "$digest" in value:
            text = MASK
        case Mapping():
            text = "{" + ", ".join(f"{name}: {value_text(below)}" for name, below in value.items()) + "}"
        case list():
            text = "[" + ", ".join(value_text(item) for item in value) + "]"
        case bool():
            text = "true" if value else "false"
        case None:
            text = "null"
        case str():
            text = '"' + value.replace("\n", "\\n").replace('"', '\\"') + '"'
        case _:
            text = str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _values(edit: Edit) -> str:
    if edit.before is MISSING:
        return value_text(edit.after)
    if edit.after is MISSING:
        return value_text(edit.before)
    if isinstance(edit.before, list) and isinstance(edit.after, list):
        come = [item for item in edit.after if item not in edit.before]
        go = [item for item in edit.before if item not in edit.after]
        if come or go:
            return " ".join([*(f"+{value_text(item)}" for item in come), *(f"-{value_text(item)}" for item in go)])
    return f"{value_text(edit.before)} → {value_text(edit.after)}"


def _is_looser(posture: Posture) -> bool:
    return posture in {Posture.LOOSER, Posture.MIXED}


def _change_remarks(change: Change) -> Iterator[str]:
    if change.cause is not Cause.PENDING:
        yield change.cause.value
    if change.posture is not Posture.NEUTRAL:
        yield change.posture.value
    if change.replace:
        yield "deleted and created again"


def _edit_remarks(edit: Edit) -> Iterator[str]:
    if edit.cause is not Cause.PENDING:
        yield edit.cause.value
    if edit.gated:
        yield "no effect: switched off"
    elif edit.posture is not Posture.NEUTRAL:
        yield edit.posture.value
