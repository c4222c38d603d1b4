"""Live resources that git does not have → documents, checked before any of them is written."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from policysync.commands.file_names import FileNames
from policysync.documents.catalog import Catalog
from policysync.documents.desired import desired_state
from policysync.documents.emit import emit
from policysync.documents.envelope import API_VERSION, BASE
from policysync.documents.expand import escaped
from policysync.documents.project import Project, Stage
from policysync.documents.source import Source, SourceFile
from policysync.documents.source_file import blob_id
from policysync.errors import Problem
from policysync.kinds.kind import Kind
from policysync.kinds.load import file_stem
from policysync.plan.diff import diff
from policysync.plan.minimal import stated
from policysync.reports.view import path_text
from policysync.state.normalize import canonical
from policysync.state.resource import Address, Resource

_NO_PATH = "a path cannot name it, so nothing could ever read it alone; rename it in the console"


@dataclass(frozen=True, slots=True)
class Found:
    """A live resource and the targets that have it exactly like this; `others` have it otherwise."""

    live: Resource
    targets: tuple[str, ...]
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Adopted:
    """A document for a live resource.

    Attributes:
        file: where it is to be written.
        path: what `file` is called inside the policy repository; made up where it lies outside.
        secrets: the paths of the sensitive values it leaves out.
    """

    live: Resource
    file: Path
    path: str
    text: str
    secrets: tuple[str, ...]


def together(found: Iterable[tuple[str, Resource]]) -> list[Found]:
    """Return each resource once, as the first target has it. `found` pairs targets with what they hold."""
    by_address: dict[Address, Found] = {}
    for target, live in found:
        first = by_address.get(live.address)
        if first is None:
            by_address[live.address] = Found(live, (target,))
        elif canonical(first.live.spec) == canonical(live.spec):
            by_address[live.address] = replace(first, targets=(*first.targets, target))
        else:
            by_address[live.address] = replace(first, others=(*first.others, target))
    return [by_address[address] for address in sorted(by_address)]


def in_git(catalog: Catalog, kinds: Mapping[str, Kind], desired: Iterable[Resource]) -> frozenset[Address]:
    """Return what git knows already, in this stage or only in others."""
    everywhere = (_address(kinds[document.kind], document.name, document.spec) for document in catalog.base.values())
    return frozenset({*(resource.address for resource in desired), *everywhere})


def _address(kind: Kind, name: str, spec: Mapping[str, Any]) -> Address:
    return Address(kind.name, name if len(kind.key) == 1 else kind.name_of(spec))


class Writer:
    """Makes documents; what they are called depends on what is there and on what was made before."""

    def __init__(self, project: Project, stage: Stage, folder: Path | None, names: Collection[tuple[str, str]]) -> None:
        """`names` are the documents git has, as kind and name."""
        self.root = project.root
        self.stage = stage
        self.files = FileNames(folder or project.root / BASE)
        self.names = set(names)

    def document(self, kind: Kind, found: Found, *, full: bool) -> Adopted:
        """Return the document for a live resource."""
        told = stated(kind, found.live.spec, full=full)
        name = self._name(kind, found.live)
        metadata: dict[str, Any] = {"name": name}
        if len(found.targets) < len(self.stage.targets):
            metadata["targets"] = list(found.targets)
        body = {"apiVersion": API_VERSION, "kind": kind.name, "metadata": metadata, "spec": escaped_value(told.spec)}
        remarks = [
            f"{path_text(path)}: secret, not adopted; to manage it: {path[-1]}: ${{env:NAME}}" for path in told.secrets
        ]
        file = self.files.file(file_stem(kind.name), name)
        return Adopted(
            found.live, file, self._path(file), emit(body, remarks), tuple(path_text(path) for path in told.secrets)
        )

    def _name(self, kind: Kind, live: Resource) -> str:
        name, number = live.address.name, 2
        if len(kind.key) > 1:
            name = "/".join(str(live.spec[member]) for member in kind.key if live.spec.get(member))
        first = name
        # The name of a resource with several keys is free, so somebody may have given it to another one.
        while (kind.name, name) in self.names:
            name = f"{first} ({number})"
            number += 1
        self.names.add((kind.name, name))
        return name

    def _path(self, file: Path) -> str:
        base = self.root / BASE
        if file.is_relative_to(base):
            return file.relative_to(self.root).as_posix()
        return f"{BASE}{file.parent.name}/(new) {file.name}"


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
    refused = {d.live.address: _NO_PATH for d in documents if d.live.address.name in {".", ".."}}
    kept = [document for document in documents if document.live.address not in refused]
    while True:
        desired = desired_state(_With(source, kept), project, stage, kinds)
        problems = _by_file(desired.errors)
        bad = [document for document in kept if document.path in problems]
        if not bad:
            break
        refused.update({document.live.address: problems[document.path] for document in bad})
        kept = [document for document in kept if document.path not in problems]
    specs = {resource.address: resource.spec for resource in desired.resources}
    return Sound(tuple(kept), refused, dict(_unclean(kept, specs, kinds)))


def _unclean(
    documents: Iterable[Adopted], specs: Mapping[Address, Mapping[str, Any]], kinds: Mapping[str, Kind]
) -> Iterator[tuple[Address, tuple[str, ...]]]:
    for document in documents:
        address = document.live.address
        edits = diff(kinds[address.kind].root, specs.get(address, {}), document.live.spec)
        if edits:
            yield address, tuple(path_text(edit.path) for edit in edits)


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


def escaped_value(value: Any) -> Any:
    """Return a value with every text spelt so that nothing in it is taken for a reference."""
    if isinstance(value, str):
        return escaped(value)
    if isinstance(value, Mapping):
        return {name: escaped_value(below) for name, below in value.items()}
    if isinstance(value, list):
        return [escaped_value(item) for item in value]
    return value
