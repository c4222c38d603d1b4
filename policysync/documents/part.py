"""What a run is about that judges some documents only."""

from __future__ import annotations

from typing import NamedTuple

from policysync.documents.catalog import Name
from policysync.documents.references import Reference
from policysync.documents.stage import Draft


class Part(NamedTuple):
    """Part of a catalog: the documents in question, and all that could have to do with them, themselves included.

    `apart` are the kinds whose resources may have no place beside them.
    """

    centre: frozenset[Name]
    near: frozenset[Name]
    apart: frozenset[str]

    def has(self, draft: Draft) -> bool:
        """Whether a draft is in question."""
        document = draft.layers[0].document
        return (document.kind, document.name) in self.centre

    def concerns(self, draft: Draft, references: list[Reference]) -> bool:
        """Whether a draft is in question, has the name of one that is, or refers to one."""
        names = {name for _, name in self.centre}
        document = draft.layers[0].document
        if document.name in names or self.has(draft):
            return True
        if len(draft.kind.key) > 1 and any(kind == document.kind for kind, _ in self.centre):
            return True
        kinds = {kind for kind, _ in self.centre}
        return any(ref.name in names or (ref.paired and kinds.intersection(ref.kinds)) for ref in references)
