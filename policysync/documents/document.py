"""One document: what it says about one resource, and where it says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from policysync.errors import Location


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A document whose envelope is in order.

    Attributes:
        where: where it starts.
        index: which document of its file it is, from 0.
        kind: the name of a kind that exists.
        name: `metadata.name`; for an export without envelope the natural key.
        stage: the stage it overlays; empty in base.
        protect: None where the document does not say.
        spec: as written, references unresolved.
        below: pointer of `spec` in the file; empty for an export without envelope.
        refers: whether any text in it holds `${`.
        spelt: the members of `spec` that the file calls by another name, and that name.
    """

    where: Location
    index: int
    kind: str
    name: str
    stage: str
    spec: Mapping[str, Any]
    below: str = "/spec"
    labels: Mapping[str, str] = field(default_factory=dict)
    targets: tuple[str, ...] = ()
    protect: bool | None = None
    absent: bool = False
    refers: bool = False
    spelt: Mapping[str, str] = field(default_factory=dict)

    @property
    def raw(self) -> bool:
        """Whether it is a body exported from the console, without envelope."""
        return not self.below

    def written(self, path: tuple[str, ...]) -> tuple[str, ...]:
        """Return where a path inside `spec` stands in the text of the spec."""
        return (self.spelt.get(path[0], path[0]), *path[1:]) if path else path

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"
