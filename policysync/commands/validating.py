"""What `policysync validate` does. Nothing of the command line is imported here; see `plain`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from policysync.clock import SystemClock
from policysync.documents.accepted import expired, unfit
from policysync.documents.cache import ParseCache, open_cache
from policysync.documents.project import FILES, Project, find_root, load_project
from policysync.documents.validate import Validation, validate
from policysync.documents.worktree import WorkTree
from policysync.errors import InvalidInput, PolicySyncError
from policysync.kinds.load import load_kinds


def root_around(paths: Sequence[Path]) -> Path:
    """Return the policy root around the working folder; where there is none, the one around the first path.

    Raises:
        PolicySyncError: there is neither.
    """
    try:
        return find_root(Path.cwd())
    except PolicySyncError:
        if not paths:
            raise
        return find_root(paths[0].resolve().parent)


def validation(root: Path, paths: Sequence[Path], stage: str | None = None, engine: str = "rust") -> Validation:
    """Judge the documents in these paths, or all of them; mistakes in policysync.yaml are problems like others.

    Raises:
        PolicySyncError: a path or the stage does not exist.
    """
    try:
        cache = open_cache(root)
        return _validation(load_project(root, os.environ, cache), paths, stage, engine, cache)
    except InvalidInput as error:
        return Validation(error.problems, 0, 0, 0)


def _validation(
    project: Project, paths: Sequence[Path], stage: str | None, engine: str, cache: ParseCache
) -> Validation:
    tree = WorkTree(project.root)
    kinds, files = load_kinds(project.schemas), _files(project, paths)
    found = validate(
        tree,
        project,
        [project.stage(stage)] if stage else project.stages,
        kinds,
        files=files,
        cache=cache,
        engine=engine,
        known=tree.has,
    )
    if files or not project.accepted:
        return found
    noted = (*unfit(project.accepted, kinds), *expired(project.accepted, SystemClock().now()))
    return found._replace(problems=tuple(sorted({*found.problems, *noted})))


def _files(project: Project, paths: Sequence[Path]) -> tuple[str, ...]:
    """Return the paths relative to the policy root; nothing, for everything, when policysync.yaml is among them.

    Raises:
        PolicySyncError: a path does not exist, or lies elsewhere.
    """
    files = []
    for path in paths:
        # Links are kept as they are: a document is known by the name it has below policies/.
        full = path.parent.resolve() / path.name if path.name not in {"", ".."} else path.resolve()
        if not os.path.lexists(full):
            raise PolicySyncError(f"{path}: there is no such file")
        if not full.is_relative_to(project.root):
            raise PolicySyncError(f"{path}: lies outside the policy root {project.root}")
        files.append(full.relative_to(project.root).as_posix())
    return () if {".", *FILES} & set(files) else tuple(files)
