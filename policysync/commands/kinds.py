"""`policysync kinds`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from policysync.commands.project import known_kinds
from policysync.kinds.kind import Builtin, Kind, walk
from policysync.reports.table import table

FORMAT_VERSION = 1


@click.command(name="kinds", short_help="List the kinds of resources.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the answer.")
def command(form: str) -> None:
    """List the kinds a document can have: who serves them, by what they are named, and what comes built in.

    FIELDS counts what git can state. Inside a policy repository its own schema folders are included.

    \b
    Example:
      policysync kinds
      policysync kinds --format json
    """
    kinds = known_kinds(Path.cwd()).values()
    click.echo(as_json(kinds) if form == "json" else as_text(kinds))


def as_text(kinds: Iterable[Kind]) -> str:
    """Return the kinds as a table, sorted by name."""
    rows = sorted(
        (
            kind.name,
            ", ".join(kind.backends),
            _key(kind),
            str(fields(kind)),
            ", ".join(map(_title, kind.builtins)) or "-",
        )
        for kind in kinds
    )
    return table(("NAME", "BACKEND", "KEY", "FIELDS", "BUILT-INS"), rows)


def as_json(kinds: Iterable[Kind]) -> str:
    """Return the kinds for programs, sorted by name."""
    listed = [_entry(kind) for kind in sorted(kinds, key=lambda kind: kind.name)]
    return json.dumps({"format_version": FORMAT_VERSION, "kinds": listed}, indent=2)


def fields(kind: Kind) -> int:
    """Return how many members a `spec` of this kind can state, nested ones included."""
    return sum(1 for field in walk(kind.root) if field.name and field.held)


def _entry(kind: Kind) -> Mapping[str, Any]:
    return {
        "name": kind.name,
        "title": kind.title,
        "backends": list(kind.backends),
        "key": list(kind.key),
        "fields": fields(kind),
        "refers_to": sorted(kind.refs),
        "built_ins": [
            {"name": b.name, "match": b.match, "editable": b.editable, "confidence": b.confidence}
            for b in kind.builtins
        ],
    }


def _key(kind: Kind) -> str:
    shown = kind.key if len(kind.key) <= 3 else (*kind.key[:2], f"{len(kind.key) - 2} more")
    return "+".join(shown) or "(only one)"


def _title(builtin: Builtin) -> str:
    name = builtin.name or " ".join(f"{name}={json.dumps(value)}" for name, value in (builtin.match or {}).items())
    return name if builtin.editable else f"{name} (fixed)"
