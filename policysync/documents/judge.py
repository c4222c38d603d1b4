"""Drafts of a stage → those that are good, and what is wrong with the others."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Set
from typing import NamedTuple

import orjson

from policysync.documents.cache import ParseCache
from policysync.documents.catalog import Catalog
from policysync.documents.causes import causes_in_files
from policysync.documents.flaw import Engine
from policysync.documents.lint import Lint
from policysync.documents.part import Part
from policysync.documents.project import Project, Stage
from policysync.documents.references import Reference, References
from policysync.documents.rules import RULES_TOGETHER
from policysync.documents.stage import Draft, Staging
from policysync.documents.together import Together
from policysync.documents.verdict import open_engine, verdict
from policysync.errors import Problem
from policysync.kinds.kind import Kind
from policysync.version import VERSION

RULES = "1"
"""Goes up whenever the same spec may be judged differently; verdicts of other rules are then never found."""


class Judged(NamedTuple):
    """The drafts of one stage. `good` have no error; their warnings are in `problems` with everything else."""

    drafts: tuple[Draft, ...]
    good: tuple[Draft, ...]
    problems: tuple[Problem, ...]


class Judge:
    """Judges stages of one catalog; what stages have in common is judged once."""

    def __init__(
        self,
        catalog: Catalog,
        project: Project,
        kinds: Mapping[str, Kind],
        *,
        engine: str = "rust",
        cache: ParseCache | None = None,
    ) -> None:
        self.catalog = catalog
        self.project = project
        self.kinds = kinds
        self.staging = Staging(catalog, kinds)
        self._engine_name = engine
        self._engine: Engine | None = None
        self._cache = cache
        self._lint = Lint()
        self._references = References()
        self._judged: dict[tuple[int, ...], tuple[Problem, ...]] = {}
        self._referring: dict[tuple[int, ...], list[Reference]] = {}

    def stage(self, stage: Stage, part: Part | None = None) -> Judged:
        """Return the drafts of a stage, or of a part of it, with their problems."""
        names = self.staging.names(stage)
        drafts = tuple(self.staging.drafts(stage, [name for name in names if part is None or name in part.near]))
        if part is not None:
            drafts = tuple(draft for draft in drafts if part.concerns(draft, self._refers(draft)))

        def of_kinds(kinds: Set[str]) -> tuple[Draft, ...]:
            return tuple(self.staging.drafts(stage, [name for name in names if name[0] in kinds]))

        resources = tuple(resource for draft in drafts for resource in self.staging.made_of(draft))
        together = Together(
            stage, self.project, self.kinds, drafts, resources, part, frozenset(names), of_kinds, self._refers
        )
        found = [(draft, problem) for draft in drafts for problem in self._alone(draft)]
        broken = {problem.where for _, problem in found if not problem.warning}
        beside = ((draft, finding) for rule in RULES_TOGETHER for draft, finding in rule(together))
        placed = [(draft, draft.problem(finding, self.catalog.placing)) for draft, finding in beside]
        # A value that is wrong by itself is not worth a warning about what it leads to.
        found += [(draft, problem) for draft, problem in placed if not (problem.warning and problem.where in broken)]
        wrong = {id(draft) for draft, problem in found if not problem.warning}
        good = tuple(one for one in resources if wrong.isdisjoint((id(one), id(one.stands))))
        return Judged(resources, good, tuple(problem for _, problem in found))

    def _alone(self, draft: Draft) -> tuple[Problem, ...]:
        """Return what is wrong with a draft whatever else the stage holds."""
        if draft.shared not in self._judged:
            found = () if draft.kind.read_only else self._remembered(draft)
            self._judged[draft.shared] = tuple(causes_in_files(draft.problems, found))
        return self._judged[draft.shared]

    def _remembered(self, draft: Draft) -> tuple[Problem, ...]:
        if self._cache is None:
            return self._found(draft)
        digest = self._digest(draft)
        if self._cache.is_good(digest):
            return ()
        problems = self._found(draft)
        if not problems:
            self._cache.good(digest)
        return problems

    def _digest(self, draft: Draft) -> str:
        facts = f"{VERSION} {RULES} {self._engine_name} {draft.kind.digest} {draft.exported} "
        return hashlib.sha256(facts.encode() + orjson.dumps(draft.spec)).hexdigest()

    def _found(self, draft: Draft) -> tuple[Problem, ...]:
        self._engine = self._engine or open_engine(self._engine_name)
        findings = verdict(self._engine, draft.kind, draft.spec)
        if not findings:
            findings = self._lint.findings(draft.kind, draft.spec, draft.exported)
        return tuple(draft.problem(finding, self.catalog.placing) for finding in findings)

    def _refers(self, draft: Draft) -> list[Reference]:
        if draft.shared not in self._referring:
            self._referring[draft.shared] = self._references.of(draft.kind, draft.spec)
        return self._referring[draft.shared]
