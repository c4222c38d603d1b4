"""Drafts of a stage → those that are good, and what is wrong with the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from policysync.documents.catalog import Catalog
from policysync.documents.project import Project, Stage
from policysync.documents.stage import Draft, Staging
from policysync.errors import Problem
from policysync.kinds.kind import Kind


@dataclass(frozen=True, slots=True)
class Judged:
    """The drafts of one stage. `good` have no error; warnings may be in `problems`."""

    drafts: tuple[Draft, ...]
    good: tuple[Draft, ...]
    problems: tuple[Problem, ...]


class Judge:
    """Judges stages of one catalog; what stages have in common is judged once."""

    def __init__(self, catalog: Catalog, project: Project, kinds: Mapping[str, Kind], engine: str = "rust") -> None:
        self.catalog = catalog
        self.project = project
        self.kinds = kinds
        self.staging = Staging(catalog, kinds)

    def stage(self, stage: Stage) -> Judged:
        """Return the drafts of a stage with their problems."""
        drafts = tuple(self.staging.drafts(stage))
        problems = [(draft, problem) for draft in drafts for problem in draft.problems]
        wrong = {id(draft) for draft, problem in problems if not problem.warning}
        good = tuple(draft for draft in drafts if id(draft) not in wrong)
        return Judged(drafts, good, tuple(problem for _, problem in problems))
