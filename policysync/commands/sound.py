"""Documents that adopt made, held against everything else in git before any of them is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from policysync.commands.adopting import Adopted
from policysync.documents.desired import Desired, desired_state
from policysync.documents.project import Project, Stage
from policysync.documents.source import Source, SourceFile
from policysync.documents.source_file import blob_id
from policysync.errors import Problem
from policysync.kinds.kind import Kind
from policysync.plan.diff import diff
from policysync.plan.minimal import holds_secret
from policysync.pointer import MISSING
from policysync.reports.view import path_text
from policysync.state.resource import Address, Resource

_NO_PATH = "a path cannot name it, so nothing could ever read it alone; rename it in the console"


@dataclass(frozen=True, slots=True)
class Sound:
    """The documents that can be written, why the others cannot, and fields that git cannot say as they are."""

    documents: tuple[Adopted, ...]
    refused: Mapping[Address, str]
    unclean: Mapping[Address, tuple[str, ...]]


def judged(
    documents: Sequence[Adopted], source: Source, project: Project, stage: Stage, kinds: Mapping[str, Kind]
) -> Sound:
    """Hold documents against everything else in git; one that would break a plan is refused."""
    refused = {d.address: _NO_PATH for d in documents if d.address.name in {".", ".."}}
    kept = [document for document in documents if document.address not in refused]
    while True:
        desired = desired_state(_With(source, kept), project, stage, kinds)
        problems = _by_file(desired.errors)
        bad = [document for document in kept if document.path in problems]
        if not bad:
            break
        refused.update({document.address: problems[document.path] for document in bad})
        kept = [document for document in kept if document.path not in problems]
    return Sound(tuple(kept), refused, dict(_unclean(kept, desired, kinds)))


def _unclean(
    documents: Iterable[Adopted], desired: Desired, kinds: Mapping[str, Kind]
) -> Iterator[tuple[Address, tuple[str, ...]]]:
    specs = {resource.address: resource.spec for resource in desired.resources}
    for document in documents:
        if document.live is not None:
            edits = differences(kinds[document.address.kind], specs.get(document.address, {}), document.live)
            if edits:
                yield document.address, edits


def differences(kind: Kind, stated: Mapping[str, object], live: Resource) -> tuple[str, ...]:
    """Return the paths at which live is not as git states it.

    Secrets are not looked at: they are references here. Neither is what every document states, such as whose it is.
    """
    edits = diff(kind.root, stated, live.spec)
    always = {(name,) for name, field in kind.root.properties.items() if field.stated is not MISSING}
    told = (edit for edit in edits if edit.path[:1] not in always)
    return tuple(path_text(e.path) for e in told if not (holds_secret(e.before) or holds_secret(e.after)))


def _by_file(problems: Iterable[Problem]) -> dict[str, str]:
    found: dict[str, str] = {}
    for problem in problems:
        found.setdefault(problem.where.file, f"{problem.pointer}: {problem.message}")
    return found


class _With:
    """A source with some documents more."""

    dirty = True

    def __init__(self, source: Source, documents: Iterable[Adopted]) -> None:
        self._source = source
        self._new = {document.path: document.text.encode() for document in documents}
        self.revision = ""

    def files(self, *folders: str) -> Iterator[SourceFile]:
        yield from self._source.files(*folders)
        yield from (SourceFile(path, content, blob_id(content)) for path, content in sorted(self._new.items()))

    def read(self, path: str) -> bytes:
        return self._new.get(path) or self._source.read(path)
