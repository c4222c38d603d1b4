"""Verdicts by jsonschema-rs."""

from __future__ import annotations

from typing import Any, NoReturn

import jsonschema_rs

from policysync.documents.flaw import Flaw
from policysync.kinds.kind import Kind


class SchemaEngine:
    """The usual engine."""

    def __init__(self) -> None:
        self._validators: dict[str, jsonschema_rs.Draft202012Validator] = {}

    def valid(self, kind: Kind, spec: object) -> bool:
        """Whether the schema of a kind accepts a spec."""
        return self._of(kind).is_valid(spec)

    def flaws(self, kind: Kind, spec: object) -> list[Flaw]:
        """Return everything the schema finds wrong."""
        return [Flaw(tuple(e.instance_path), tuple(e.schema_path)) for e in self._of(kind).iter_errors(spec)]

    def _of(self, kind: Kind) -> jsonschema_rs.Draft202012Validator:
        if kind.digest not in self._validators:
            schema: Any = kind.schema
            self._validators[kind.digest] = jsonschema_rs.Draft202012Validator(
                schema, retriever=_refuse, validate_formats=True
            )
        return self._validators[kind.digest]


def _refuse(uri: str) -> NoReturn:
    raise ValueError(f"a schema may not fetch {uri}")
