"""A document file that lies anywhere: what it holds, without anything around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from policysync.documents.document import Document
from policysync.documents.envelope import BASE, Envelopes
from policysync.documents.overlay import below
from policysync.documents.parse import Parsed, parse
from policysync.documents.placing import Placing
from policysync.documents.project import Project
from policysync.documents.secret_reference import is_secret_reference
from policysync.documents.source import SourceFile
from policysync.errors import InvalidInput, Location, PolicySyncError, Problem
from policysync.kinds.field import Field
from policysync.kinds.kind import Kind
from policysync.secret import Secret


def with_secrets(field: Field, value: Any, secrets: Callable[[str], Secret]) -> Any:
    """Return a value with the references in its sensitive fields replaced by secrets."""
    if field.sensitive and isinstance(value, str):
        return secrets(value) if is_secret_reference(value) else Secret(value) if value else value
    if isinstance(value, Mapping):
        return {name: with_secrets(below(field, name), member, secrets) for name, member in value.items()}
    if isinstance(value, list):
        return [with_secrets(field.each or Field(), item, secrets) for item in value]
    return value


def contents(file: str) -> tuple[Parsed, ...]:
    """Return the documents of a file as plain data.

    Raises:
        InvalidInput: the file is not YAML or JSON.
        PolicySyncError: it cannot be read.
    """
    try:
        content = Path(file).read_bytes()
    except OSError as error:
        raise PolicySyncError(f"{file} cannot be read: {error.strerror}") from error
    found, problems = parse(content, file)
    if problems:
        raise InvalidInput(problems)
    return found


def documents_of(file: str, kinds: Mapping[str, Kind], project: Project) -> list[Document]:
    """Return the documents of a file, or of a body exported into a folder that is named after its kind.

    Raises:
        InvalidInput: something in it is not a document.
    """
    path = Path(file).absolute()
    base = f"{BASE}{path.parent.name}/{path.name}"
    envelopes = Envelopes(project, kinds, Placing(_One(path)))
    documents = list(envelopes.of_file(base, contents(file)))
    if envelopes.problems:
        raise InvalidInput(
            Problem(Location(file, p.where.line, p.where.column), p.pointer, p.message, p.code, p.warning)
            for p in envelopes.problems
        )
    return documents


class _One:
    """A source that is one file."""

    revision = ""
    dirty = True

    def __init__(self, path: Path) -> None:
        self._path = path

    def files(self, *_folders: str) -> Iterator[SourceFile]:
        yield SourceFile(self._path.name, self.read(self._path.name))

    def read(self, _path: str) -> bytes:
        return self._path.read_bytes()
