"""`policysync diff`."""

from __future__ import annotations

import json
import os
import secrets as randomness
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import click

from policysync.commands.document_file import contents
from policysync.commands.options import format_option
from policysync.commands.sides import Side, Sides
from policysync.errors import Exit
from policysync.kinds.field import Field
from policysync.kinds.kind import Kind
from policysync.plan.between import State, between
from policysync.plan.change import Edit, Plan
from policysync.plan.codec import summary
from policysync.pointer import MISSING
from policysync.reports.view import Row, blocks
from policysync.secret import MASK, Secret

FORMAT_VERSION = 1
_COLOURS = {"+": "green", "-": "red", "~": "yellow", "-/+": "red"}


@click.command(short_help="Compare two stages, revisions or files.")
@click.argument("first", metavar="FROM")
@click.argument("second", metavar="TO")
@click.option("--raw", is_flag=True, help="Compare the plain JSON of both sides, also of what has no schema.")
@format_option
def command(*, first: str, second: str, raw: bool, form: str) -> int:
    """Show what has to change to turn FROM into TO.

    Each is one of stage:S[:desired], stage:S:live (with several targets stage:S:live@TARGET), rev:REVISION[:S]
    (the documents of a git revision, for the first stage or for S) and file:PATH, or just a path.

    Live and git are compared only in what git states. Exit status 2 says that the two differ.

    \b
    Example:
      policysync diff stage:dev stage:prod
      policysync diff rev:v1.4:prod stage:prod:live
      policysync diff --raw before.json after.json
    """
    sides = Sides(Side.of(first), Side.of(second))
    if raw:
        return _raw(sides, form)
    before, after = sides.states()
    plan = between(before, after, sides.kinds, (first, second))
    click.echo(_as_json(plan) if form == "json" else _as_text(plan))
    return Exit.CHANGES if plan.changes else Exit.DONE


def _as_text(plan: Plan) -> str:
    """Return the differences the way a plan shows changes."""
    lines = [f"{plan.stage} → {plan.target}", ""]
    for block in blocks(plan):
        title = f"{block.symbol} {block.title}{_remarks(block.remarks)}"
        lines += [f"  {_painted(title, block.symbol)}", *(_line(row) for row in block.rows), ""]
    if plan.unmanaged:
        lines += [f"  unmanaged: {', '.join(str(address) for address in plan.unmanaged)}", ""]
    counts = summary(plan)
    if not plan.changes:
        return "\n".join([*lines, "No differences."])
    return "\n".join(
        [*lines, f"Differences: {counts['add']} added, {counts['change']} changed, {counts['destroy']} removed."]
    )


def _line(row: Row) -> str:
    return "      " + _painted(f"{row.symbol} {row.path}: {row.values}{_remarks(row.remarks)}", row.symbol)


def _remarks(remarks: tuple[str, ...]) -> str:
    return f"  ({', '.join(remarks)})" if remarks else ""


def _painted(text: str, symbol: str) -> str:
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return click.style(text, fg=_COLOURS[symbol]) if colour else text


def _as_json(plan: Plan) -> str:
    changes = [
        {
            "action": change.action.value,
            "kind": change.address.kind,
            "name": change.address.name,
            "posture": change.posture.value,
            "edits": [_edit(edit) for edit in change.edits],
        }
        for change in plan.changes
    ]
    document = {
        "format_version": FORMAT_VERSION,
        "from": plan.stage,
        "to": plan.target,
        "changes": changes,
        "unmanaged": [str(address) for address in plan.unmanaged],
        "summary": summary(plan),
    }
    return json.dumps(document, indent=1)


def _edit(edit: Edit) -> dict[str, Any]:
    sides = {"before": edit.before, "after": edit.after}
    return {
        "path": list(edit.path),
        **{side: _plain(value) for side, value in sides.items() if value is not MISSING},
        "posture": edit.posture.value,
    }


def _plain(value: Any, salt: str = "") -> Any:
    """Return a value as JSON data. With a salt, a secret can be told from another one."""
    if isinstance(value, Secret):
        return f"{MASK} {value.digest(salt)[:8]}" if salt else value.source or MASK
    if isinstance(value, Mapping):
        return {name: _plain(below, salt) for name, below in value.items()}
    if isinstance(value, list):
        return [_plain(item, salt) for item in value]
    return value


def _raw(sides: Sides, form: str) -> int:
    # deepdiff is slow to import, and nothing else needs it.
    from deepdiff import DeepDiff  # noqa: PLC0415

    found = DeepDiff(*_raw_values(sides), ignore_order=True, report_repetition=True, verbose_level=2)
    if form == "json":
        shown = json.dumps(
            {"format_version": FORMAT_VERSION, "differences": json.loads(found.to_json(default_mapping={type: str}))},
            indent=1,
        )
    else:
        shown = "\n".join(_told(found)) or "No differences."
    click.echo(shown)
    return Exit.CHANGES if found else Exit.DONE


def _told(found: Any) -> Iterator[str]:
    yield from (line for line in found.pretty().splitlines() if line)


def _raw_values(sides: Sides) -> tuple[Any, Any]:
    """Return both sides as JSON data: two files as they are, everything else by resource."""
    if sides.first.file and sides.second.file:
        return _of_file(sides.first.file), _of_file(sides.second.file)
    salt = randomness.token_hex(16)
    before, after = sides.states()
    kinds = sides.session.kinds
    return _by_address(before, kinds, salt), _by_address(after, kinds, salt)


def _of_file(file: str) -> Any:
    values = [parsed.value for parsed in contents(file)]
    return values[0] if len(values) == 1 else values


def _by_address(state: State, kinds: Mapping[str, Kind], salt: str) -> dict[str, Any]:
    """Return the bodies by address; what the schema calls sensitive stands as its digest."""
    return {
        str(resource.address): {
            **_masked(kinds[resource.address.kind].root, resource.raw, salt),
            **_plain(resource.spec, salt),
        }
        for resource in state.resources
    }


def _masked(field: Field, value: Any, salt: str) -> Any:
    if field.sensitive and isinstance(value, str) and value:
        return _plain(Secret(value), salt)
    if isinstance(value, Mapping):
        inside = {name: field.properties.get(name) or field.values or Field() for name in value}
        return {name: _masked(inside[name], below, salt) for name, below in value.items()}
    if isinstance(value, list):
        return [_masked(field.each or Field(), item, salt) for item in value]
    return value
