"""The part of a kind's tree where something is to be done, so that a walk skips everything else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from policysync.kinds.field import Field

Wanted = Callable[[Field], bool]


def branches(field: Field, wanted: Wanted, whole: Wanted | None = None) -> Field | None:
    """Return the tree without the fields that are not wanted and have nothing wanted below; None when that is all.

    A field that is wanted `whole` keeps everything below it.
    """
    if whole is not None and whole(field):
        return field
    properties = {name: kept for name, sub in field.properties.items() if (kept := branches(sub, wanted, whole))}
    values = branches(field.values, wanted, whole) if field.values else None
    each = branches(field.each, wanted, whole) if field.each else None
    if not (properties or values or each or wanted(field)):
        return None
    return replace(field, properties=properties, values=values, each=each)


def field_at(field: Field | None, path: tuple[str, ...]) -> Field | None:
    """Return the field a path inside a value leads to; None where the schema knows nothing.

    For messages about single values only: whole values are walked beside their fields.
    """
    for step in path:
        if field is None:
            return None
        if field.each is not None and step.isdecimal() and not field.properties:
            field = field.each
        else:
            field = field.properties.get(step) or field.values
    return field
