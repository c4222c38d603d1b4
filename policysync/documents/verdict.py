"""Whether the schema of a kind accepts a spec, and if not, why, in our words."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

from policysync.documents.branches import field_at
from policysync.documents.expand import is_secret_reference
from policysync.documents.explain import explain
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
    found = [finding for flaw in engine.flaws(kind, counted) for finding in explain(kind, counted, flaw)]
    return [finding for finding in dict.fromkeys(found) if not _on_reference(kind, counted, finding)]


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


def _on_reference(kind: Kind, spec: Any, finding: Finding) -> bool:
    """Whether it is about the text of a reference, which says nothing about the secret behind it."""
    field = field_at(kind.root, finding.path)
    if field is None or not field.sensitive:
        return False
    value = spec
    for step in finding.path:
        value = value[int(step)] if isinstance(value, list) else value.get(step)
    # A secret in clear text is refused elsewhere; what else is wrong with it does not matter.
    return isinstance(value, str) and (is_secret_reference(value) or finding.code != "type")
