"""Drafts of a stage → those that are good, and what is wrong with the others."""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Iterator, Mapping
from typing import NamedTuple

import orjson

from policysync.documents.apart import too_close
from policysync.documents.cache import ParseCache
from policysync.documents.catalog import Catalog, Name
from policysync.documents.causes import causes_in_files
from policysync.documents.clash import clashes
from policysync.documents.composite import stated_twice
from policysync.documents.finding import Finding
from policysync.documents.flaw import Engine
from policysync.documents.lint import Lint
from policysync.documents.project import Project, Stage
from policysync.documents.references import Present, Reference, References
from policysync.documents.serving import holds
from policysync.documents.stage import Draft, Staging
from policysync.documents.verdict import open_engine, verdict
from policysync.errors import Problem
from policysync.kinds.kind import Kind
from policysync.pointer import resolve
from policysync.version import VERSION

RULES = "1"
"""Goes up whenever the same spec may be judged differently; verdicts of other rules are then never found."""


class Judged(NamedTuple):
    """The drafts of one stage. `good` have no error; their warnings are in `problems` with everything else."""

    drafts: tuple[Draft, ...]
    good: tuple[Draft, ...]
    problems: tuple[Problem, ...]


class Part(NamedTuple):
    """Part of a catalog: the documents in question, and all that could have to do with them, themselves included.

    `apart` are the kinds whose resources may have no place beside them.
    """

    centre: frozenset[Name]
    near: frozenset[Name]
    apart: frozenset[str]

    def has(self, draft: Draft) -> bool:
        """Whether a draft is in question."""
        document = draft.layers[0].document
        return (document.kind, document.name) in self.centre

    def concerns(self, draft: Draft, references: list[Reference]) -> bool:
        """Whether a draft is in question, has the name of one that is, or refers to one."""
        names = {name for _, name in self.centre}
        document = draft.layers[0].document
        if document.name in names or self.has(draft):
            return True
        if len(draft.kind.key) > 1 and any(kind == document.kind for kind, _ in self.centre):
            return True
        kinds = {kind for kind, _ in self.centre}
        return any(ref.name in names or (ref.paired and kinds.intersection(ref.kinds)) for ref in references)


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
        close = tuple(self._close(drafts, names, stage, part))
        if part is not None:
            drafts = tuple(draft for draft in drafts if part.concerns(draft, self._refers(draft)))
        found = [(draft, problem) for draft in drafts for problem in self._alone(draft)]
        found += self._dangling(drafts, names, stage)
        resources = tuple(resource for draft in drafts for resource in self.staging.made_of(draft))
        found += _same_names(resources)
        found += [(draft, problem) for draft in drafts if (problem := self._homeless(draft, stage))]
        if part is None:
            # Imported where everything is judged: one document is judged without.
            network = importlib.import_module("policysync.documents.network")
            mixed = network.findings(drafts, stage, self.project)
            found += [(draft, draft.problem(finding, self.catalog.placing)) for draft, finding in mixed]
        found += [
            (draft, draft.problem(finding, self.catalog.placing))
            for draft, finding in (*stated_twice(drafts), *close, *clashes(drafts))
        ]
        wrong = {id(draft) for draft, problem in found if not problem.warning}
        good = tuple(one for one in resources if wrong.isdisjoint((id(one), id(one.stands))))
        return Judged(resources, good, tuple(problem for _, problem in found))

    def _close(
        self, drafts: tuple[Draft, ...], names: list[Name], stage: Stage, part: Part | None
    ) -> Iterator[tuple[Draft, Finding]]:
        """Yield what is wrong with drafts for those they stand beside; of a part, only what it has to do with."""
        if part is None:
            yield from too_close(drafts)
        elif part.apart:
            beside = self.staging.drafts(stage, [name for name in names if name[0] in part.apart])
            yield from too_close(tuple(beside), part.has)

    def _homeless(self, draft: Draft, stage: Stage) -> Problem | None:
        """Return a warning when no target of the stage is meant by a resource."""
        if not stage.targets or any(holds(target, draft.kind, draft.spec) for target in stage.targets):
            return None
        backend = draft.kind.backend_of(draft.spec)
        bound = [
            f"{option} {resolve(draft.spec, at)}" for at, option in draft.kind.binds.items() if resolve(draft.spec, at)
        ]
        named = f" with {' and '.join(bound)}" if bound else ""
        message = f"no target serves it; want one with backend {backend}{named}"
        return draft.problem(Finding((), message, "no-target", warning=True), self.catalog.placing)

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

    def _dangling(self, drafts: tuple[Draft, ...], names: list[Name], stage: Stage) -> Iterator[tuple[Draft, Problem]]:
        present = Present(self.kinds, self.project.external, [*names, *self._keys(drafts, names, stage)])
        for draft in drafts:
            for reference in self._refers(draft):
                if not present.has(reference):
                    finding = present.dangling(reference)
                    yield draft, draft.problem(finding, self.catalog.placing)

    def _keys(self, drafts: tuple[Draft, ...], names: list[Name], stage: Stage) -> Iterator[Name]:
        """Yield the keys of resources whose key is a pair, for the kinds that drafts refer to by pairs."""
        kinds = {kind for draft in drafts for ref in self._refers(draft) if ref.paired for kind in ref.kinds}
        if kinds:
            for draft in self.staging.drafts(stage, [name for name in names if name[0] in kinds]):
                yield draft.kind.name, draft.address.name

    def _refers(self, draft: Draft) -> list[Reference]:
        if draft.shared not in self._referring:
            self._referring[draft.shared] = self._references.of(draft.kind, draft.spec)
        return self._referring[draft.shared]


def _same_names(drafts: tuple[Draft, ...]) -> Iterator[tuple[Draft, Problem]]:
    """Yield a problem for each draft whose name another resource of the stage has already."""
    taken: dict[tuple[str, str], Draft] = {}
    for draft in drafts:
        first = taken.setdefault((draft.kind.scope, draft.address.name), draft)
        if first is not draft:
            message = f"{draft.address} and {first.address} ({first.where}) share one space of names; rename one"
            if draft.address == first.address:
                message = f"{draft.address} is described twice, first at {first.where}; keep one"
            yield draft, Problem(draft.where, "", message, "duplicate-resource")
