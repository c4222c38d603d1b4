"""`policysync validate`."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

import click

from policysync.documents.cache import ParseCache, open_cache
from policysync.documents.project import FILES, Project, find_root, load_project
from policysync.documents.validate import Validation, validate
from policysync.documents.verdict import ENGINES
from policysync.documents.worktree import WorkTree
from policysync.errors import Exit, InvalidInput, PolicySyncError, Problem
from policysync.kinds.load import load_kinds

FORMAT_VERSION = 1

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


@click.command(short_help="Check policy files offline, without credentials.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--stage", "-s", help="Only this stage, as policysync.yaml names it; all of them by default.")
@click.option("--validator", type=click.Choice(ENGINES), default="rust", help="Who gives the schema verdict.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", help="Form of the result.")
def command(paths: Sequence[Path], stage: str | None, validator: str, form: str) -> int:
    """Check policy files offline, without credentials.

    With PATHS, only the resources of these files, and what refers to them, are judged.

    \b
    Example:
      policysync validate
      policysync validate policies/base/label/pci.yaml --stage prod --format json
    """
    try:
        root = _root(paths)
        cache = open_cache(root)
        project = load_project(root, os.environ, cache)
        result = _validate(project, paths, stage, validator, cache)
    except InvalidInput as error:
        result = Validation(error.problems, 0, 0, 0)
    click.echo(_json(result) if form == "json" else _text(result.problems), nl=form == "json" or bool(result.problems))
    click.echo(_summary(result), err=True)
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
    return validate(
        WorkTree(project.root),
        project,
        [project.stage(stage)] if stage else project.stages,
        load_kinds(project.schemas),
        files=_files(project, paths),
        cache=cache,
        engine=validator,
    )


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


def _text(problems: Sequence[Problem]) -> str:
    """Return one line for each problem. Control characters of a hostile file or file name are spelt out."""
    return "\n".join(_CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", str(problem)) for problem in problems)


def _summary(result: Validation) -> str:
    warnings = len(result.problems) - result.errors
    found = _count(result.errors, "problem") + (f", {_count(warnings, 'warning')}" if warnings else "")
    looked_at = (
        _count(result.documents, "document"),
        _count(result.resources, "resource"),
        _count(result.stages, "stage"),
    )
    return f"{', '.join(looked_at)}: {found}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _json(result: Validation) -> str:
    document = {
        "format_version": FORMAT_VERSION,
        "valid": not result.errors,
        "documents": result.documents,
        "resources": result.resources,
        "stages": result.stages,
        "problems": [
            {
                "file": problem.where.file,
                "line": problem.where.line,
                "column": problem.where.column,
                "pointer": problem.pointer,
                "message": problem.message,
                "code": problem.code,
                "severity": "warning" if problem.warning else "error",
            }
            for problem in result.problems
        ],
    }
    return json.dumps(document, indent=2, ensure_ascii=False)
