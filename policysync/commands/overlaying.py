"""What a stage has otherwise than git says → overlays of that stage.

A resource that policysync once applied there is not looked at: where that one differs somebody edited it by hand or
git moved, and a plan says which.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from policysync.commands.adopting import Adopted, Found, Writer
from policysync.commands.sound import differences
from policysync.commands.surveying import Survey
from policysync.commands.wish import Wish
from policysync.documents.project import Stage
from policysync.documents.stage import Draft
from policysync.state.normalize import desired_spec
from policysync.state.resource import Address


@dataclass
class Overlays:
    """The documents, the resources they are about, and what was left alone and why."""

    documents: list[Adopted] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Known:
    """What git says of a stage.

    Attributes:
        drafts: every resource git has, those of the stage with its overlay.
        absent: those that an overlay takes out of the stage.
        applied: those that policysync once applied to a target of the stage.
    """

    stage: Stage
    drafts: Mapping[Address, Draft]
    absent: Collection[Address]
    applied: Collection[Address]

    def targets(self, draft: Draft) -> tuple[str, ...]:
        """Return the targets of the stage for which git has a resource."""
        named = next((layer.document.targets for layer in reversed(draft.layers) if layer.document.targets), ())
        return tuple(target.name for target in self.stage.targets if not named or target.name in named)


def overlays(known: Known, found: Mapping[Address, Found], seen: Survey, wish: Wish, writer: Writer) -> Overlays:
    """Return the overlays that make git say what the targets of a stage have."""
    result = Overlays()
    for address in sorted(known.drafts):
        draft = known.drafts[address]
        if address in known.applied or not seen.knows(address):
            continue
        live = found.get(address)
        if live is None and not (wish.names_it(address) and known.targets(draft)):
            continue
        document = _overlay(known, draft, live, writer)
        if document is None:
            continue
        if len(draft.layers) > 1:
            result.left.append(f"{address} differs, and {draft.layers[-1].document.where} states it; a plan shows it")
            continue
        result.documents.append(document)
        result.found += [live] if live else []
    result.left += [f"{a} is in git, but not for this stage" for a in sorted(known.absent) if a in found]
    return result


def differing(known: Known, found: Mapping[Address, Found]) -> Iterator[str]:
    """Yield what git and live disagree about, where no overlay is to be written."""
    for address in sorted(found):
        draft = known.drafts.get(address)
        if address in known.absent or (draft and not set(known.targets(draft)) & set(found[address].targets)):
            yield f"{address} is in git, but not for this stage"
        elif draft and address not in known.applied:
            stated = desired_spec(draft.kind, draft.spec)
            if differences(draft.kind, stated, found[address].live):
                yield f"{address} differs from what git states; a plan shows it"


def _overlay(known: Known, draft: Draft, live: Found | None, writer: Writer) -> Adopted | None:
    if live is None:
        return None if draft.kind.singleton else writer.absence(draft)
    return writer.overlay(draft, live, known.targets(draft))
