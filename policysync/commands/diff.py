"""`policysync diff`."""

from __future__ import annotations

import json
import os
import secrets as randomness
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click

from policysync.commands.document_file import contents
from policysync.commands.explaining import reasons
from policysync.commands.forms import Output, forms_option, write
from policysync.commands.sides import Side, Sides
from policysync.errors import Exit
from policysync.kinds.field import Field
from policysync.kinds.kind import Kind
from policysync.plan.between import State, between
from policysync.reports.differences import Differences, plain
from policysync.reports.raw import Raw
from policysync.secret import Secret


@click.command(short_help="Compare two stages, revisions or files.")
@click.argument("first", metavar="FROM")
@click.argument("second", metavar="TO")
@click.option("--raw", is_flag=True, help="Compare the plain JSON of both sides, also of what has no schema.")
@forms_option("diff")
def command(*, first: str, second: str, raw: bool, outputs: Sequence[Output]) -> int:
    """Show what has to change to turn FROM into TO.

    Each is one of stage:S[:desired], stage:S:live (with several targets stage:S:live@TARGET), rev:REVISION[:S]
    (the documents of a git revision, for the first stage or for S) and file:PATH, or just a path.

    Live and git are compared only in what git states. Exit status 2 says that the two differ.

    Between two stages, each difference says what makes it: an overlay, a variable, `metadata.targets`, another revision
    (it goes with a promotion), not applied yet, an edit by hand, or nothing that git knows of.

    \b
    Example:
      policysync diff stage:dev stage:prod
      policysync diff stage:nonprod:live stage:prod:live --format markdown
      policysync diff rev:v1.4:prod stage:prod:live
      policysync diff --raw before.json after.json
    """
    sides = Sides(Side.of(first), Side.of(second))
    if raw:
        return _raw(sides, outputs)
    before, after = sides.states()
    plan = between(before, after, sides.kinds, (first, second))
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    write("diff", outputs, Differences(plan, reasons(sides, before, after) if plan.changes else None, colour))
    return Exit.CHANGES if plan.changes else Exit.DONE


def _raw(sides: Sides, outputs: Sequence[Output]) -> int:
    # deepdiff is slow to import, and nothing else needs it.
    from deepdiff import DeepDiff  # noqa: PLC0415

    found = DeepDiff(*_raw_values(sides), ignore_order=True, report_repetition=True, verbose_level=2)
    lines = tuple(line for line in found.pretty().splitlines() if line)
    write("raw", outputs, Raw(lines, json.loads(found.to_json(default_mapping={type: str}))))
    return Exit.CHANGES if found else Exit.DONE


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
            **plain(resource.spec, salt),
        }
        for resource in state.resources
    }


def _masked(field: Field, value: Any, salt: str) -> Any:
    if field.sensitive and isinstance(value, str) and value:
        return plain(Secret(value), salt)
    if isinstance(value, Mapping):
        inside = {name: field.properties.get(name) or field.values or Field() for name in value}
        return {name: _masked(inside[name], below, salt) for name, below in value.items()}
    if isinstance(value, list):
        return [_masked(field.each or Field(), item, salt) for item in value]
    return value
