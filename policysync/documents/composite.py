"""Values that two kinds can state: those of a composite, and those of the documents it is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policysync.documents.finding import Finding
from policysync.documents.together import Found, Together


def stated_twice(together: Together) -> Iterator[Found]:
    """Yield a finding for each value of a composite that the document it belongs to states as well."""
    by_kind = {draft.kind.name: draft for draft in together.drafts if draft.kind.singleton}
    for draft in by_kind.values():
        for part, kind in draft.kind.parts_of.items():
            here, other = draft.spec.get(part), by_kind.get(kind)
            if other is None or not isinstance(here, Mapping):
                continue
            for name in here:
                if other.spec.get(name) is not None:
                    message = f"{other.address} ({other.where}) states {name} as well; keep it in one of the two"
                    yield draft, Finding((part, name), message, "stated-twice")
