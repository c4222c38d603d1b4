"""Kinds whose lists keep the order of the documents: for what people hold beside them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from policysync.kinds.field import Field
from policysync.kinds.kind import Kind


@cache
def as_written(kind: Kind) -> Kind:
    """Return a kind in whose normal form nothing is sorted. It is not for comparing."""
    return replace(kind, root=_kept(kind.root))


def _kept(field: Field) -> Field:
    return replace(
        field,
        unordered=False,
        key=(),
        properties={name: _kept(member) for name, member in field.properties.items()},
        values=_kept(field.values) if field.values else None,
        each=_kept(field.each) if field.each else None,
        positions=tuple(map(_kept, field.positions)),
    )
