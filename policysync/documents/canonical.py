"""The one way to write a document: members in the order of their schema, texts quoted only where they have to be.

Comments, empty lines and the layout of values stay as their author left them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from policysync.documents.canonical_yaml import laid_out
from policysync.documents.document import Document
from policysync.documents.envelope import MEMBERS, METADATA
from policysync.documents.overlay import below
from policysync.documents.parse import language, parse
from policysync.errors import PolicySyncError
from policysync.kinds.field import Field
from policysync.kinds.kind import Kind

_MARK = "\ufeff"


class Order(NamedTuple):
    """How the members of a mapping, and of everything below it, are ordered; elements of a list keep their order.

    `names` come first, then the properties of the field; `whole` says that empty lines part nothing.
    """

    names: tuple[str, ...] = ()
    members: Mapping[str, Any] = {}
    field: Field | None = None
    whole: bool = False

    def sorted(self, names: Iterable[str]) -> list[str]:
        """Return names in order; those that are not known stay behind the others as they were."""
        known = dict.fromkeys([*self.names, *(self.field.properties if self.field else ())])
        rank = {name: index for index, name in enumerate(known)}
        return sorted(names, key=lambda name: rank.get(name, len(rank)))

    def below(self, name: str) -> Order:
        """Return the order inside a member."""
        if name in self.members:
            found: Order = self.members[name]
            return found
        return Order(field=below(self.field, name)) if self.field else Order()

    def each(self) -> Order:
        """Return the order inside an element."""
        return Order(self.field.key, field=self.field.each) if self.field and self.field.each else Order()


class WouldChange(PolicySyncError):
    """Written in the one way, the file would mean something else; it is better left alone."""


def order_of(document: Document, kind: Kind) -> Order:
    """Return the order of a document's members: the envelope's, and the schema's inside `spec`."""
    spec = Order(field=kind.root)
    metadata = Order(METADATA, whole=True)
    return Order(MEMBERS, {"metadata": metadata, "spec": spec}, whole=True) if document.below else spec


def canonical(content: bytes, file: str, orders: Mapping[int, Order]) -> bytes:
    """Return a file, whose documents are in order, written in the one way.

    Args:
        orders: by the position of the document among those `parse` gives back.

    Raises:
        WouldChange: it cannot be written so and mean the same.
    """
    text = content.decode("utf-8-sig")
    mark = _MARK if content.decode("utf-8").startswith(_MARK) else ""
    new = (mark + (_json(text, orders) if language(file) == "json" else laid_out(text, orders))).encode()
    meaning = _meaning(content, file)
    # A block of text that ends the file would get the last line's end as a part of it.
    for written in (new, new.removesuffix(b"\n")):
        if _meaning(written, file) == meaning:
            return written
    raise WouldChange(f"{file}: left as it is: it could not be written in order without changing what it says")


def _meaning(content: bytes, file: str) -> str:
    """Return what a file says, as text that tells true from 1 and 1 from 1.0."""
    documents, problems = parse(content, file)
    said = [document.value for document in documents]
    return json.dumps([said, [str(problem) for problem in problems]], sort_keys=True)


def _json(text: str, orders: Mapping[int, Order]) -> str:
    value = _ordered(json.loads(text), orders.get(0, Order()))
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _ordered(value: Any, order: Order) -> Any:
    if isinstance(value, dict):
        return {name: _ordered(value[name], order.below(name)) for name in order.sorted(value)}
    return [_ordered(item, order.each()) for item in value] if isinstance(value, list) else value
