"""`policysync validate`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import click

from policysync.clock import SystemClock
from policysync.commands.forms import Output, folder_in_repository, forms_option, write
from policysync.documents.accepted import expired, unfit
from policysync.documents.cache import ParseCache, open_cache
from policysync.documents.project import FILES, Project, find_root, load_project
from policysync.documents.validate import Validation, validate
from policysync.documents.verdict import ENGINES
from policysync.documents.worktree import WorkTree
from policysync.errors import Exit, InvalidInput, PolicySyncError
from policysync.kinds.load import load_kinds
from policysync.reports.validated import Validated


@click.command(short_help="Check policy files offline, without credentials.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--stage", "-s", help="Only this stage, as policysync.yaml names it; all of them by default.")
@click.option("--validator", type=click.Choice(ENGINES), default="rust", help="Who gives the schema verdict.")
@forms_option("validate")
def command(paths: Sequence[Path], stage: str | None, validator: str, outputs: Sequence[Output]) -> int:
    """Check policy files offline, without credentials.

    With PATHS, only the resources of these files, and what refers to them, are judged.

    \b
    Example:
      policysync validate
      policysync validate policies/base/label/pci.yaml --stage prod --format json
      policysync validate --format text --format sarif=policysync.sarif
    """
    root = _root(paths)
    try:
        cache = open_cache(root)
        project = load_project(root, os.environ, cache)
        result = _validate(project, paths, stage, validator, cache)
    except InvalidInput as error:
        result = Validation(error.problems, 0, 0, 0)
    view = Validated(result, folder_in_repository(root))
    write("validate", outputs, view)
    click.echo(view.summary, err=True)
    return Exit.ERROR if result.errors else Exit.DONE


def _root(paths: Sequence[Path]) -> Path:
    try:
        return find_root(Path.cwd())
    except PolicySyncError:
        if not paths:
            raise
        return find_root(paths[0].resolve().parent)


def _validate(
    project: Project, paths: Sequence[Path], stage: str | None, validator: str, cache: ParseCache
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
        engine=validator,
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
