"""Resources that share one name."""

from __future__ import annotations

from collections.abc import Iterator

from policysync.documents.finding import DOCUMENT, Finding
from policysync.documents.stage import Draft
from policysync.documents.together import Found, Together


def same_names(together: Together) -> Iterator[Found]:
    """Yield a finding for each resource whose name another one of the stage has already."""
    taken: dict[tuple[str, str], Draft] = {}
    for draft in together.resources:
        first = taken.setdefault((draft.kind.scope, draft.address.name), draft)
        if first is not draft:
            message = f"{draft.address} and {first.address} ({first.where}) share one space of names; rename one"
            if draft.address == first.address:
                message = f"{draft.address} is described twice, first at {first.where}; keep one"
            yield draft, Finding((), message, "duplicate-resource", envelope=DOCUMENT)
