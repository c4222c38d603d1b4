"""What a schema engine says is wrong, in terms both engines share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, Protocol

from policysync.kinds.kind import Kind

Steps = tuple[str | int, ...]


class Flaw(NamedTuple):
    """`value` leads to what is wrong inside the spec, `rule` to the keyword inside the schema that it breaks."""

    value: Steps
    rule: Steps


class Engine(Protocol):
    """Gives verdicts on specs; a kind's schema is compiled once."""

    def valid(self, kind: Kind, spec: object) -> bool:
        """Whether the schema of a kind accepts a spec."""

    def flaws(self, kind: Kind, spec: object) -> Iterable[Flaw]:
        """Return everything the schema finds wrong."""
