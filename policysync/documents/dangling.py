"""References that lead nowhere."""

from __future__ import annotations

from collections.abc import Iterator

from policysync.documents.catalog import Name
from policysync.documents.references import Present
from policysync.documents.together import Found, Together


def dangling(together: Together) -> Iterator[Found]:
    """Yield a finding for each reference that nothing in the stage answers to."""
    present = Present(together.kinds, together.project.external, [*together.names, *_keys(together)])
    for draft in together.drafts:
        for reference in together.refers(draft):
            if not present.has(reference):
                yield draft, present.dangling(reference)


def _keys(together: Together) -> Iterator[Name]:
    """Yield the keys of resources whose key is a pair, for the kinds that drafts refer to by pairs."""
    references = (reference for draft in together.drafts for reference in together.refers(draft))
    kinds = {kind for reference in references if reference.paired for kind in reference.kinds}
    for draft in together.of_kinds(kinds) if kinds else ():
        yield draft.kind.name, draft.address.name
