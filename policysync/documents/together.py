"""What rules about several documents of a stage are asked with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from typing import NamedTuple

from policysync.documents.catalog import Name
from policysync.documents.finding import Finding
from policysync.documents.part import Part
from policysync.documents.project import Project, Stage
from policysync.documents.references import Reference
from policysync.documents.stage import Draft
from policysync.kinds.kind import Kind


class Together(NamedTuple):
    """One stage, as far as a rule may look at it.

    Attributes:
        drafts: those in question.
        resources: what they stand for.
        part: what the run is about; None where that is everything.
        names: every document that describes something in the stage.
        of_kinds: returns the drafts of some kinds, in question or not.
        refers: returns the references in a draft.
    """

    stage: Stage
    project: Project
    kinds: Mapping[str, Kind]
    drafts: tuple[Draft, ...]
    resources: tuple[Draft, ...]
    part: Part | None
    names: frozenset[Name]
    of_kinds: Callable[[Set[str]], tuple[Draft, ...]]
    refers: Callable[[Draft], list[Reference]]


Found = tuple[Draft, Finding]
"""What is wrong, and with which draft."""
Rule = Callable[[Together], Iterable[Found]]
