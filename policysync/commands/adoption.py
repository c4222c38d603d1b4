"""One adoption: a stage is read, held against git, and told as documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from policysync.commands.adopting import Found, Manner, Writer, in_git, together
from policysync.commands.overlaying import Known, differing, overlays
from policysync.commands.session import Session
from policysync.commands.sound import Sound, judged
from policysync.commands.supplying import Supplies, names_in
from policysync.commands.surveying import Survey, survey
from policysync.commands.wish import Wish
from policysync.documents.catalog import Catalog, load
from policysync.documents.desired import desired_state
from policysync.documents.project import Stage
from policysync.documents.source import Source
from policysync.documents.stage import Staging
from policysync.errors import InvalidInput
from policysync.state.resource import Address


@dataclass(frozen=True, slots=True)
class Options:
    """How it was asked to be done."""

    out: Path | None
    full: bool
    builtins: bool
    secrets: str
    overlaid: bool | None


@dataclass
class Adoption:
    """What came of it."""

    sound: Sound
    found: list[Found]
    seen: Survey
    left: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Adopting:
    """One stage of one policy repository, as git has it before."""

    session: Session
    stage: Stage
    targets: Sequence[str]
    options: Options

    def adopt(self, wish: Wish) -> Adoption:
        """Return the documents for what is live, judged."""
        session, stage = self.session, self.stage
        source = session.source()
        catalog = load(source, session.project, session.kinds)
        known = self._known(source, catalog)
        wish = Wish(wish.selection, wish.kinds, wish.builtins, frozenset({*known.drafts, *known.absent}))
        targets = session.targets(stage, self.targets)
        seen = survey(session, targets, wish)
        found = {one.live.address: one for one in together(seen.live)}
        whole = len(targets) == len(stage.targets)
        overlaid = (not stage.first if self.options.overlaid is None else self.options.overlaid) and whole
        writer = self._writer(catalog, narrow=overlaid and bool(catalog.base))
        taken = _stated_by_views(session, known)
        new = [one for address, one in found.items() if address not in wish.in_git]
        made = [writer.document(session.kinds[f.live.address.kind], f, taken.get(f.live.address, ())) for f in new]
        documents = [document for document in made if document]
        adopted = {document.address for document in documents}
        new = [one for one in new if one.live.address in adopted]
        left = list(differing(known, found))
        if overlaid:
            over = overlays(known, found, seen, wish, writer)
            documents, new, left = [*documents, *over.documents], [*new, *over.found], over.left
        sound = judged(documents, source, session.project, stage, session.kinds)
        live = {str(resource.address) for _, resource in seen.live}
        return Adoption(sound, new, seen, left, sorted(wish.missing(live)))

    def _known(self, source: Source, catalog: Catalog) -> Known:
        """Return what git says of the stage.

        Raises:
            InvalidInput: a document is wrong.
        """
        session, stage = self.session, self.stage
        desired = desired_state(source, session.project, stage, session.kinds)
        if desired.errors:
            raise InvalidInput(desired.errors)
        staging = Staging(catalog, session.kinds)
        drafts = {draft.address: draft for draft in staging.resources(stage, staging.names(stage))}
        everything = in_git(catalog, session.kinds, desired.resources)
        ledger = session.ledger(stage)
        applied = {address for target in stage.targets for address in ledger.last_applied(target.name)}
        return Known(stage, drafts, everything - drafts.keys(), applied)

    def _writer(self, catalog: Catalog, *, narrow: bool) -> Writer:
        options = self.options
        documents = [*catalog.base.values(), *(d for over in catalog.overlays.values() for d in over.values())]
        said = names_in(text for document in documents for text in _texts(document.spec))
        supplies = Supplies(said) if options.secrets == "reference" else None
        folder = options.out.absolute() if options.out else None
        manner = Manner(options.full, supplies, narrow)
        return Writer(self.session.project, self.stage, folder, set(catalog.base), manner)


def _stated_by_views(session: Session, known: Known) -> Mapping[Address, tuple[str, ...]]:
    """Return the members of settings that a view over them states in git already."""
    stated = {}
    for draft in known.drafts.values():
        for part, kind in draft.kind.parts_of.items():
            if kind in session.kinds and isinstance(draft.spec.get(part), Mapping):
                stated[Address(kind, draft.address.name)] = tuple(draft.spec[part])
    return stated


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for below in value.values():
            yield from _texts(below)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
