"""`policysync format`."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from policysync.documents.canonical import Order, WouldChange, canonical, order_of
from policysync.documents.envelope import Envelopes
from policysync.documents.parse import parse
from policysync.documents.placing import Placing
from policysync.documents.project import FILES, Project, find_root, load_project
from policysync.documents.source_file import SourceFile
from policysync.documents.worktree import WorkTree
from policysync.errors import Exit, PolicySyncError
from policysync.kinds.kind import Kind
from policysync.kinds.load import load_kinds


class _Formatted(NamedTuple):
    """A file as it is and as it would be, or why it is left alone."""

    path: str
    old: bytes
    new: bytes
    said: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        return self.old != self.new


@click.command(name="format", short_help="Write policy files in one order and one quoting.")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Write nothing; exit with 2 when a file would change.")
@click.option("--diff", "show", is_flag=True, help="Write nothing; show what would change.")
def command(paths: Sequence[Path], check: bool, show: bool) -> int:
    """Write policy files in one order and one quoting: members as in the schema, texts quoted only where some parser
    would read them as something else.

    Comments move with what they stand above; elements of lists keep their order. A file never says anything else
    afterwards: it is read before and after, and left alone when the two would differ, or when something is wrong in it.
    JSON is indented by two. With PATHS, only these files and folders.

    \b
    Example:
      policysync format
      policysync format policies/base/label --diff
      policysync format --check
    """
    project = load_project(find_root(Path.cwd()), os.environ)
    kinds = load_kinds(project.schemas)
    files = [_formatted(file, project, kinds) for file in _files(project, paths)]
    for file in files:
        for line in file.said:
            click.echo(line, err=True)
        if file.changes and show:
            click.echo(_difference(file), nl=False)
        elif file.changes:
            click.echo(f"{'would format' if check else 'formatted'} {file.path}")
        if file.changes and not (show or check):
            _write(project.root / file.path, file.new)
    changed, left = sum(file.changes for file in files), sum(bool(file.said) for file in files)
    would = "would be " if check or show else ""
    many = "file" if len(files) == 1 else "files"
    click.echo(f"{len(files)} {many}: {changed} {would}formatted, {left} left alone", err=True)
    if left:
        return Exit.ERROR
    return Exit.CHANGES if check and changed else Exit.DONE


def _files(project: Project, paths: Sequence[Path]) -> Iterator[SourceFile]:
    """Yield the documents that were named, or all. Other files, which pre-commit may name, are passed over."""
    wanted = []
    for path in paths:
        full = Path(os.path.normpath(Path.cwd() / path))
        if not full.exists():
            raise PolicySyncError(f"{path}: there is no such file")
        if full.resolve().is_relative_to(project.root) and full.name not in FILES:
            wanted.append(full.resolve().relative_to(project.root).as_posix())
    for file in WorkTree(project.root).files("policies"):
        if not paths or any(path in (".", file.path) or file.path.startswith(f"{path}/") for path in wanted):
            yield file


def _formatted(file: SourceFile, project: Project, kinds: Mapping[str, Kind]) -> _Formatted:
    if file.problem:
        return _Formatted(file.path, b"", b"", (str(file.problem),))
    parsed, problems = parse(file.content, file.path)
    envelopes = Envelopes(project, kinds, Placing(WorkTree(project.root)))
    orders: dict[int, Order] = {}
    if not problems:
        for document in envelopes.of_file(file.path, parsed):
            orders[document.index] = order_of(document, kinds[document.kind])
    if problems or envelopes.problems:
        said = tuple(str(problem) for problem in (*problems, *envelopes.problems))
        return _Formatted(file.path, file.content, file.content, said)
    try:
        return _Formatted(file.path, file.content, canonical(file.content, file.path, orders))
    except WouldChange as error:
        return _Formatted(file.path, file.content, file.content, (str(error),))


def _difference(file: _Formatted) -> str:
    old, new = (content.decode().splitlines(keepends=True) for content in (file.old, file.new))
    return "".join(difflib.unified_diff(old, new, f"a/{file.path}", f"b/{file.path}"))


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise PolicySyncError(f"{path} cannot be written: {error.strerror}") from error
