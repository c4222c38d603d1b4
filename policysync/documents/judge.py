"""Drafts of a stage → those that are good, and what is wrong with the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from policysync.documents.catalog import Catalog
from policysync.documents.flaw import Engine
from policysync.documents.lint import Lint
from policysync.documents.project import Project, Stage
from policysync.documents.references import Present, Reference, References
from policysync.documents.stage import Draft, Staging
from policysync.documents.verdict import open_engine, verdict
from policysync.errors import Problem
from policysync.kinds.kind import Kind

Concerned = Callable[[Draft], bool]


@dataclass(frozen=True, slots=True)
class Judged:
    """The drafts of one stage. `good` have no error; their warnings are in `problems` with everything else."""

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
        self._engine_name = engine
        self._engine: Engine | None = None
        self._lint = Lint()
        self._references = References()
        self._judged: dict[tuple[int, ...], tuple[Problem, ...]] = {}
        self._refers: dict[tuple[int, ...], list[Reference]] = {}

    def stage(self, stage: Stage, concerned: Concerned | None = None) -> Judged:
        """Return the drafts of a stage with their problems.

        With `concerned`, only such drafts, and those that refer to one of them, are judged.
        """
        drafts = tuple(self.staging.drafts(stage))
        chosen = drafts if concerned is None else self._chosen(drafts, concerned)
        found = [(draft, problem) for draft in chosen for problem in self._alone(draft)]
        found += self._together(drafts, chosen, stage)
        wrong = {id(draft) for draft, problem in found if not problem.warning}
        good = tuple(draft for draft in chosen if id(draft) not in wrong)
        return Judged(chosen, good, tuple(problem for _, problem in found))

    def references(self, draft: Draft) -> list[Reference]:
        """Return whom a draft refers to."""
        if draft.shared not in self._refers:
            self._refers[draft.shared] = self._references.of(draft.kind, draft.spec)
        return self._refers[draft.shared]

    def _chosen(self, drafts: tuple[Draft, ...], concerned: Concerned) -> tuple[Draft, ...]:
        centre = {draft.address for draft in drafts if concerned(draft)}
        names = {address.name for address in centre}
        return tuple(
            draft
            for draft in drafts
            if draft.address in centre or any(reference.name in names for reference in self.references(draft))
        )

    def _alone(self, draft: Draft) -> tuple[Problem, ...]:
        """Return what is wrong with a draft whatever else the stage holds."""
        if draft.shared not in self._judged:
            self._engine = self._engine or open_engine(self._engine_name)
            findings = verdict(self._engine, draft.kind, draft.spec)
            if not findings:
                findings = self._lint.findings(draft.kind, draft.spec, draft.layers[0].document.raw)
            placed = tuple(draft.problem(finding, self.catalog.placing) for finding in findings)
            self._judged[draft.shared] = draft.problems + placed
        return self._judged[draft.shared]

    def _together(
        self, drafts: tuple[Draft, ...], chosen: tuple[Draft, ...], stage: Stage
    ) -> Iterator[tuple[Draft, Problem]]:
        """Yield what is wrong with drafts because of the others."""
        wanted = {id(draft) for draft in chosen}
        spaces: dict[tuple[str, str], Draft] = {}
        by_address = {draft.address: draft for draft in drafts}
        present = Present(self.kinds, self.project.external, by_address)
        for draft in drafts:
            first = spaces.setdefault((draft.kind.scope, draft.address.name), draft)
            if first is not draft and {id(first), id(draft)} & wanted:
                yield draft, _same_name(draft, first)
        for draft in chosen:
            for reference in self.references(draft):
                if not present.has(reference):
                    finding = present.dangling(reference, stage.name)
                    yield draft, draft.problem(finding, self.catalog.placing)


def _same_name(draft: Draft, first: Draft) -> Problem:
    message = f"{draft.address} and {first.address} ({first.where}) have the same name in one console; rename one"
    if draft.address == first.address:
        message = f"{draft.address} is described twice, first at {first.where}; keep one"
    return Problem(draft.where, "", message, "duplicate-resource")
