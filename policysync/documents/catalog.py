"""Every document of a source, sorted into base and overlays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from policysync.documents.cache import NoCache, ParseCache
from policysync.documents.declared import addresses
from policysync.documents.document import Document
from policysync.documents.envelope import Envelopes
from policysync.documents.parse import collector_off
from policysync.documents.placing import Placing
from policysync.documents.project import Project
from policysync.documents.source_file import Composite, Source, as_of
from policysync.documents.suggest import did_you_mean
from policysync.errors import Location, Problem
from policysync.kinds.kind import Kind
from policysync.state.resource import Address

Name = tuple[str, str]
"""Kind, and the document's own name."""


class Catalog(NamedTuple):
    """The documents of a source. An overlay without a base is in `problems`, not in `overlays`."""

    base: Mapping[Name, Document]
    overlays: Mapping[str, Mapping[Name, Document]]
    problems: tuple[Problem, ...]
    documents: int
    placing: Placing


def load(source: Source, project: Project, kinds: Mapping[str, Kind], cache: ParseCache | None = None) -> Catalog:
    """Read every document below policies/. A release takes single resources from other revisions."""
    catalog = _load(source, project, kinds, cache)
    if not isinstance(source, Composite):
        return catalog
    for revision, other in source.singles.items():
        catalog = _with(catalog, _load(other, project, kinds, cache), revision, source.resources_of(revision), kinds)
    return catalog


def names_of(catalog: Catalog, addresses: Iterable[Address], kinds: Mapping[str, Kind]) -> frozenset[Name]:
    """Return the documents that describe some resources; a resource nobody describes has none."""
    wanted = frozenset(addresses)
    return frozenset(
        name
        for name, document in catalog.base.items()
        if document.kind in kinds and not wanted.isdisjoint(_addresses(document, kinds[document.kind]))
    )


def _addresses(document: Document, kind: Kind) -> frozenset[Address]:
    if len(kind.key) > 1:
        return frozenset({Address(kind.name, kind.name_of(document.spec))})
    return addresses(kind, document.name, document.spec)


def _with(
    catalog: Catalog, other: Catalog, revision: str, addresses: frozenset[Address], kinds: Mapping[str, Kind]
) -> Catalog:
    """Return a catalog in which some resources are as another one has them, or gone where it has none."""
    going, coming = names_of(catalog, addresses, kinds), names_of(other, addresses, kinds)

    def mixed(mine: Mapping[Name, Document], theirs: Mapping[Name, Document]) -> dict[Name, Document]:
        kept = {name: document for name, document in mine.items() if name not in going}
        taken = {name: document for name, document in theirs.items() if name in coming}
        return kept | {name: replace(d, where=_as_of(d.where, revision)) for name, d in taken.items()}

    problems = (problem._replace(where=_as_of(problem.where, revision)) for problem in other.problems)
    return catalog._replace(
        base=mixed(catalog.base, other.base),
        overlays={stage: mixed(mine, other.overlays.get(stage, {})) for stage, mine in catalog.overlays.items()},
        problems=(*catalog.problems, *problems),
    )


def _as_of(where: Location, revision: str) -> Location:
    return where._replace(file=as_of(where.file, revision))


def _load(source: Source, project: Project, kinds: Mapping[str, Kind], cache: ParseCache | None = None) -> Catalog:
    placing = Placing(source)
    envelopes = Envelopes(project, kinds, placing)
    problems: list[Problem] = []
    documents: list[Document] = []
    parses = cache or NoCache()
    with collector_off():
        for file in source.files("policies"):
            if file.problem:
                problems.append(file.problem)
                continue
            parsed, refusals = parses.parse(file)
            problems += refusals
            documents += envelopes.of_file(file.path, parsed)
    base = _unique([document for document in documents if not document.stage], problems)
    overlays = {}
    for stage in project.stages:
        own = _unique([document for document in documents if document.stage == stage.name], problems)
        overlays[stage.name] = {name: over for name, over in own.items() if _has_base(name, over, base, problems)}
    return Catalog(base, overlays, (*problems, *envelopes.problems), len(documents), placing)


def _unique(documents: list[Document], problems: list[Problem]) -> dict[Name, Document]:
    found: dict[Name, Document] = {}
    for document in documents:
        first = found.setdefault((document.kind, document.name), document)
        if first is not document:
            message = f"{document} is described twice, first at {first.where}; keep one"
            problems.append(Problem(document.where, "", message, "duplicate-resource"))
    return found


def _has_base(name: Name, over: Document, base: Mapping[Name, Document], problems: list[Problem]) -> bool:
    if name in base:
        return True
    same = [document for (_, other), document in base.items() if other == over.name]
    if same:
        message = f"policies/base calls it {same[0]} ({same[0].where}); an overlay cannot change the kind"
    else:
        hint = did_you_mean(over.name, [other for kind, other in base if kind == over.kind])
        message = f"overlay for nothing: policies/base has no {over}{hint}"
    problems.append(Problem(over.where, "", message, "overlay-for-nothing"))
    return False
