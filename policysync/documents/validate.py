"""Every problem of every stage, each once."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from policysync.documents.apart import kinds_apart
from policysync.documents.cache import ParseCache
from policysync.documents.catalog import Catalog, load
from policysync.documents.envelope import RELEASES, STAGES
from policysync.documents.judge import Judge
from policysync.documents.part import Part
from policysync.documents.project import Project, Stage
from policysync.documents.source_file import Source
from policysync.errors import Problem
from policysync.kinds.load import Kinds


class Validation(NamedTuple):
    """What was looked at, and everything found, in the order of files and lines. `files` are those with documents."""

    problems: tuple[Problem, ...]
    documents: int
    resources: int
    stages: int
    files: tuple[str, ...] = ()

    @property
    def errors(self) -> int:
        """How many problems are not mere warnings."""
        return sum(not problem.warning for problem in self.problems)


def validate(
    source: Source,
    project: Project,
    stages: Sequence[Stage],
    kinds: Kinds,
    *,
    files: Sequence[str] = (),
    cache: ParseCache | None = None,
    engine: str = "rust",
    known: Callable[[str], bool] = lambda _: True,
) -> Validation:
    """Judge some stages, and the pins of all of them.

    Args:
        files: paths of files and folders, relative to the policy root. Only their resources, and what refers to them,
            are judged. Empty means everything.
        engine: "rust" or "python", who gives the schema verdict.
        known: says whether the repository has a revision that a pin names.
    """
    catalog = load(source, project, kinds, cache)
    judge = Judge(catalog, project, kinds, engine=engine, cache=cache)
    part = _part(catalog, kinds, files) if files else None
    found: dict[Problem, list[str]] = {}
    resources = set()
    for stage in stages:
        judged = judge.stage(stage, part)
        resources |= {draft.address for draft in judged.drafts}
        for problem in dict.fromkeys(judged.problems):
            found.setdefault(problem, []).append(stage.name)
    if cache:
        cache.save()
    problems = {_in_stages(problem, names, len(stages)) for problem, names in found.items()}
    problems |= {problem for problem in catalog.problems if not files or _below(problem.where.file, files)}
    if not files or any(file == RELEASES or file.startswith(f"{RELEASES}/") for file in files):
        # Imported where there may be pins: one document is judged without.
        pins = importlib.import_module("policysync.documents.pin").pin_problems(
            source, [stage.name for stage in project.stages], known
        )
        problems |= {problem for problem in pins if not files or _below(problem.where.file, files)}
    documents = _documents(catalog, stages, files)
    return Validation(
        tuple(sorted(problems)), len(documents), len(resources), len(stages), tuple(sorted(set(documents)))
    )


def _in_stages(problem: Problem, names: list[str], total: int) -> Problem:
    """Name the stages of a problem where that says something: not all of them, and not plain from the file."""
    if len(names) == total or problem.where.file.startswith(STAGES) or _says(problem, names):
        return problem
    return problem._replace(message=f"{problem.message} (stage {', '.join(names)})")


def _says(problem: Problem, names: list[str]) -> bool:
    return any(f"stage {name} " in problem.message for name in names)


def _part(catalog: Catalog, kinds: Kinds, files: Sequence[str]) -> Part:
    """Return the documents of some files, with those that could refer to them or want the same name.

    Told from the documents alone: reading the schemas of all kinds would cost more than everything else.
    """
    layers = [*catalog.base.items(), *(item for overlays in catalog.overlays.values() for item in overlays.items())]
    centre = {name for name, document in layers if _below(document.where.file, files)}
    texts = {name for _, name in centre}
    free_names = {kind for kind, _ in centre if len(kinds[kind].key) > 1}
    # Who refers to a resource whose key is a pair names it by the members of its key.
    keyed = [document.spec for name, document in layers if name in centre and name[0] in free_names]
    texts |= {value for spec in keyed for value in spec.values() if isinstance(value, str)}
    near = {
        name
        for name, document in layers
        if name[1] in texts or name[0] in free_names or document.refers or _holds(document.spec, texts)
    }
    apart = kinds_apart(kinds, {kind for kind, _ in centre}, {kind for (kind, _), _ in layers})
    return Part(frozenset(centre), frozenset(near), apart)


def _holds(value: Any, texts: set[str]) -> bool:
    if isinstance(value, str):
        return value in texts
    if isinstance(value, dict):
        return any(_holds(member, texts) for member in value.values())
    return isinstance(value, list) and any(_holds(item, texts) for item in value)


def _below(file: str, files: Sequence[str]) -> bool:
    return any(file == chosen or file.startswith(f"{chosen}/") for chosen in files)


def _documents(catalog: Catalog, stages: Sequence[Stage], files: Sequence[str]) -> list[str]:
    """Return the file of every document that was looked at."""
    listed = [*catalog.base.values(), *(d for stage in stages for d in catalog.overlays.get(stage.name, {}).values())]
    return [document.where.file for document in listed if not files or _below(document.where.file, files)]
