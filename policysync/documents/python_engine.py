"""Verdicts by jsonschema, where jsonschema-rs has no build, and as a second opinion."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

import jsonschema
from referencing import Registry

from policysync.documents.flaw import Flaw, Steps
from policysync.kinds.kind import Kind


class SchemaEngine:
    """The slow engine."""

    def __init__(self) -> None:
        self._validators: dict[str, jsonschema.Draft202012Validator] = {}

    def valid(self, kind: Kind, spec: object) -> bool:
        """Whether the schema of a kind accepts a spec."""
        return self._of(kind).is_valid(spec)

    def flaws(self, kind: Kind, spec: object) -> Iterator[Flaw]:
        """Return everything the schema finds wrong."""
        for error in self._of(kind).iter_errors(spec):
            yield Flaw(tuple(error.absolute_path), _same_steps(tuple(error.absolute_schema_path)))

    def _of(self, kind: Kind) -> jsonschema.Draft202012Validator:
        if kind.digest not in self._validators:
            schema: Any = kind.schema
            self._validators[kind.digest] = jsonschema.Draft202012Validator(
                schema,
                registry=Registry(retrieve=_refuse),  # type: ignore[call-arg]  # attrs spells it _retrieve
                format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
            )
        return self._validators[kind.digest]


def _same_steps(steps: Steps) -> Steps:
    # `then` and `else` stand beside `if` in the schema, and this engine reports them below it.
    return tuple(
        step
        for step, after in zip(steps, (*steps[1:], ""), strict=True)
        if step != "if" or after not in {"then", "else"}
    )


def _refuse(uri: str) -> NoReturn:
    raise ValueError(f"a schema may not fetch {uri}")
