"""A kind as one console serves it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from policysync.emulator.settings import Settings
from policysync.emulator.shape import Shape, shape_of
from policysync.kinds.kind import Kind


@dataclass(frozen=True)
class Embedded:
    """A list whose items carry a copy of another object, found by its id.

    `must_exist` tells a list that is nothing but such copies from one that also holds what the product ships.
    """

    member: str
    id_member: str
    kinds: tuple[str, ...]
    must_exist: bool = False


@dataclass(frozen=True)
class Served:
    """One kind with everything worth working out once.

    Attributes:
        shape: the fields of a body.
        id_member: the member that stands for the object in a URL; empty when objects have no URL.
        fixed: members that can only have one value in this kind (`assurance_type`).
    """

    kind: Kind
    shape: Shape
    id_member: str
    fixed: Mapping[str, Any]
    embedded: tuple[Embedded, ...]

    @property
    def noun(self) -> str:
        return str(self.kind.api.get("noun", self.kind.name))

    @property
    def by_name(self) -> bool:
        """Whether its natural key is also what stands in a URL."""
        return self.kind.key == (self.id_member,)

    @cached_property
    def _answer_names(self) -> Mapping[str, str]:
        renamed: Mapping[str, str] = (self.kind.api.get("list") or {}).get("rename", {})
        return {ours: theirs for theirs, ours in renamed.items()}

    def request_names(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return a body with the names of requests, whichever of both it came with."""
        renamed: Mapping[str, str] = (self.kind.api.get("list") or {}).get("rename", {})
        ours = {renamed[name]: value for name, value in body.items() if name in renamed and value}
        return {**ours, **{name: value for name, value in body.items() if value or name not in ours}}

    def written(self, body: Mapping[str, Any]) -> tuple[bytes, bytes | None]:
        """Return the JSON of a read, and that of a list where it shows less."""
        names = self._answer_names
        if names:
            body = {names.get(n, n): value for n, value in body.items() if n not in names.values()}
        omits = (self.kind.api.get("list") or {}).get("omits", ())
        if not omits:
            return orjson.dumps(body), None
        if omits == "objects":
            shown = {name: value for name, value in body.items() if not isinstance(value, dict)}
        else:
            shown = {name: value for name, value in body.items() if name not in omits}
        return orjson.dumps(body), orjson.dumps(shown)


def served(kind: Kind, settings: Settings) -> Served:
    """Return a kind as a console with these settings serves it."""
    fixed = {}
    for name, schema in kind.schema.get("properties", {}).items():
        only = [schema["const"]] if "const" in schema else schema.get("enum", ())
        if len(only) == 1 and schema.get("x-immutable"):
            fixed[name] = only[0]
    embedded = tuple(
        Embedded(name, inner.name, inner.ref, name == "custom_checks")
        for name, field in kind.root.properties.items()
        for inner in (field.each.properties.values() if field.each else ())
        if isinstance(inner.env_specific, str) and inner.ref
    )
    return Served(kind, shape_of(kind.root, settings), kind.api.get("id", ""), fixed, embedded)
