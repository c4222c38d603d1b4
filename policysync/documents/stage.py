"""The documents of a catalog → the drafts of one stage: overlays laid on, variables replaced, names filled in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from policysync.documents.branches import branches
from policysync.documents.catalog import Catalog, Name
from policysync.documents.declared import expanded, spelt, spelt_twice
from policysync.documents.document import Document
from policysync.documents.expand import Expansion, literal_secrets
from policysync.documents.finding import NAME, Finding, Path
from policysync.documents.overlay import merge, trace
from policysync.documents.placing import Placing
from policysync.documents.project import Stage
from policysync.documents.section import shown
from policysync.documents.suggest import did_you_mean, one_of
from policysync.errors import Location, Problem
from policysync.kinds.field import Field
from policysync.kinds.kind import SINGLETON, Kind
from policysync.pointer import join
from policysync.state.resource import Address


class Layer(NamedTuple):
    """One document with its variables replaced."""

    document: Document
    spec: Mapping[str, Any]


class Draft(NamedTuple):
    """One resource of one stage, before it is judged.

    Attributes:
        layers: base, then the overlay where there is one.
        spec: the layers merged; references to secrets are still text.
        problems: what is wrong with its references and its name.
        shared: equal for drafts that are the same in several stages.
        stands: the draft of the document that stands for it, where that is of another kind.
    """

    kind: Kind
    layers: tuple[Layer, ...]
    spec: Mapping[str, Any]
    problems: tuple[Problem, ...]
    shared: tuple[int, ...]
    stands: Draft | None = None

    @property
    def address(self) -> Address:
        document = self.layers[0].document
        named = len(self.kind.key) == 1 and document.kind == self.kind.name
        return Address(self.kind.name, document.name if named else self.kind.name_of(self.spec))

    @property
    def exported(self) -> bool:
        """Whether it is a body exported from the console, with fields in it that nobody chose."""
        return self.layers[0].document.raw

    @property
    def where(self) -> Location:
        return self.layers[0].document.where

    def problem(self, finding: Finding, placing: Placing) -> Problem:
        """Return a finding with the place in the topmost document that states the value.

        What nobody states, such as a required member, stands at the nearest value around it, in base if it is there.
        A name that the spec does not repeat is the one of the envelope.
        """
        if finding.envelope is not None:
            return placed(self.layers[0].document, (), finding, placing)
        if self._is_unstated_name(finding.path):
            return placed(self.layers[0].document, (), finding._replace(envelope=NAME), placing)
        layers, path = self.layers[::-1], finding.path
        while True:
            for layer in layers:
                own = trace(self.kind.root, self.spec, layer.spec, path)
                if own is not None:
                    return placed(layer.document, own, finding, placing)
            layers, path = self.layers, path[:-1]

    def _is_unstated_name(self, path: Path) -> bool:
        named = len(path) == 1 and path == self.kind.key
        return named and all(_unsaid(layer.spec.get(path[0])) for layer in self.layers)


def placed(document: Document, path: tuple[str, ...], finding: Finding, placing: Placing) -> Problem:
    """Return a finding with its place in one document."""
    pointer = document.below + join(document.written(path))
    if finding.envelope is not None:
        pointer = "" if document.raw else finding.envelope
    where = placing.at(document.where, document.index, pointer, finding.at_key)
    return Problem(where, pointer, finding.message, finding.code, finding.warning)


class Staging:
    """Makes the drafts of every stage of one catalog; what stages have in common is made once."""

    def __init__(self, catalog: Catalog, kinds: Mapping[str, Kind]) -> None:
        self.catalog = catalog
        self.kinds = kinds
        self._secret_branches: dict[str, Field | None] = {}
        self._drafts: dict[tuple[int, ...], Draft] = {}

    def names(self, stage: Stage) -> list[Name]:
        """Return the documents that describe a resource of a stage, in the order of their files."""
        absent = {name for name, over in self.catalog.overlays.get(stage.name, {}).items() if over.absent}
        return [name for name in self.catalog.base if name not in absent]

    def drafts(self, stage: Stage, names: Iterable[Name]) -> Iterator[Draft]:
        """Yield the resources of a stage that some documents describe."""
        overlays = self.catalog.overlays.get(stage.name, {})
        expansion = Expansion(stage.vars)
        for name in names:
            over = overlays.get(name)
            documents = (self.catalog.base[name], over) if over else (self.catalog.base[name],)
            if any(document.refers for document in documents):
                yield self._draft(documents, expansion, (*map(id, documents), id(stage)))
                continue
            shared = tuple(map(id, documents))
            if shared not in self._drafts:
                self._drafts[shared] = self._draft(documents, expansion, shared)
            yield self._drafts[shared]

    def resources(self, stage: Stage, names: Iterable[Name]) -> Iterator[Draft]:
        """Yield the drafts of a stage, those that stand for resources of another kind replaced by these."""
        for draft in self.drafts(stage, names):
            yield from self.made_of(draft)

    def made_of(self, draft: Draft) -> Iterator[Draft]:
        """Yield the resources a draft stands for: itself, or others."""
        expands = draft.kind.expands
        other = self.kinds.get(expands.kind) if expands else None
        specs = expanded(draft.kind, draft.spec, other)
        if specs is None or other is None:
            yield draft
            return
        for spec in specs:
            yield draft._replace(kind=other, spec=spec, stands=draft)

    def _draft(self, documents: tuple[Document, ...], expansion: Expansion, shared: tuple[int, ...]) -> Draft:
        kind = self.kinds[documents[0].kind]
        documents = tuple(spelt(kind, document) for document in documents)
        problems: list[Problem] = []
        layers = []
        for document in documents:
            layer, findings = self._layer(kind, document, expansion)
            problems += [self._placed(document, finding) for finding in findings]
            layers.append(layer)
        spec = layers[0].spec
        for layer in layers[1:]:
            spec = merge(kind.root, spec, layer.spec)
        if len(kind.key) == 1 and _unsaid(spec.get(kind.key[0])):
            spec = {**spec, kind.key[0]: _typed_name(kind, documents[0].name)}
        return Draft(kind, tuple(layers), spec, tuple(problems), shared)

    def _layer(self, kind: Kind, document: Document, expansion: Expansion) -> tuple[Layer, list[Finding]]:
        if document.refers:
            spec, findings = expansion.of(kind.root, document.spec)
        else:
            spec, findings = document.spec, literal_secrets(self._secrets(kind), document.spec)
        return Layer(document, spec), [*findings, *_other_name(kind, document, spec), *spelt_twice(kind, spec)]

    def _secrets(self, kind: Kind) -> Field | None:
        if kind.name not in self._secret_branches:
            self._secret_branches[kind.name] = branches(kind.root, lambda field: field.sensitive)
        return self._secret_branches[kind.name]

    def _placed(self, document: Document, finding: Finding) -> Problem:
        return placed(document, finding.path, finding, self.catalog.placing)


def _other_name(kind: Kind, document: Document, spec: Mapping[str, Any]) -> list[Finding]:
    if kind.read_only:
        message = f"{kind.name} can only be read, so git says nothing about it; delete this document"
        return [Finding((), message, "read-only-kind", envelope="/kind")]
    if kind.singleton and document.name != SINGLETON:
        message = f'there is one {kind.name} on a console, so metadata.name has to be "{SINGLETON}"'
        return [Finding((), message, "name-mismatch", envelope=NAME)]
    if kind.slots and document.name not in kind.slots:
        hint = did_you_mean(document.name, kind.slots) or f"; want one of {one_of(kind.slots)}"
        return [Finding((), f'no console has {kind.name} "{document.name}"{hint}', "name-mismatch", envelope=NAME)]
    if len(kind.key) != 1:
        return []
    member = kind.key[0]
    value = spec.get(member)
    if _unsaid(value) or str(value) == document.name:
        return []
    message = (
        f'{shown(value)} stands here, and metadata.name is "{document.name}"; want the same in both, or leave it out'
    )
    return [Finding((member,), message, "name-mismatch")]


def _unsaid(value: Any) -> bool:
    return value is None or value == ""


def _typed_name(kind: Kind, name: str) -> Any:
    field = kind.root.properties.get(kind.key[0])
    whole = field is not None and field.types == {"integer"} and name.isdecimal()
    return int(name) if whole else name
