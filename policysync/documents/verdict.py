"""Whether the schema of a kind accepts a spec, and if not, why, in our words."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from policysync.documents.branches import field_at
from policysync.documents.causes import causes
from policysync.documents.finding import Finding
from policysync.documents.flaw import Engine
from policysync.documents.overlay import below
from policysync.kinds.field import Field
from policysync.kinds.kind import Kind

ENGINES = ("rust", "python")


def open_engine(name: str) -> Engine:
    """Return an engine; the Python one where jsonschema-rs has no build.

    Only the engine in use is imported: one costs 35 ms and the other 80.
    """
    try:
        module = importlib.import_module(f"policysync.documents.{name}_engine")
    except ImportError:
        module = importlib.import_module("policysync.documents.python_engine")
    engine: Engine = module.SchemaEngine()
    return engine


def verdict(engine: Engine, kind: Kind, spec: Mapping[str, Any]) -> list[Finding]:
    """Return what the schema finds wrong in a merged spec.

    Members that say null and members the server owns do not count. They are taken out only when the whole spec is
    refused, so that a good spec is never copied.
    """
    if engine.valid(kind, spec):
        return []
    counted = _counted(kind.root, spec)
    # Imported when there is something to explain.
    explain = importlib.import_module("policysync.documents.explain").explain
    found = [finding for flaw in engine.flaws(kind, counted) for finding in explain(kind, counted, flaw)]
    return [finding for finding in causes(found) if not _on_secret(kind, finding)]


def _counted(field: Field, value: Any) -> Any:
    if isinstance(value, Mapping):
        fields = {name: below(field, name) for name in value}
        return {
            name: _counted(fields[name], member)
            for name, member in value.items()
            if fields[name].compared and (member is not None or "null" in fields[name].types)
        }
    if isinstance(value, list):
        return [_counted(field.each or Field(), item) for item in value]
    return value


def _on_secret(kind: Kind, finding: Finding) -> bool:
    """Whether it is about a secret: the text of a reference says nothing about it, and clear text is refused anyway."""
    field = field_at(kind.root, finding.path)
    return field is not None and field.sensitive and finding.code != "required"
