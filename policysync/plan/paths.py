"""Paths of edits inside values: elements of keyed lists are named by their keys there, and stand at positions here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from policysync.kinds.field import Field
from policysync.pointer import MISSING

Path = tuple[str, ...]


def position(field: Field, items: list[Any], step: str) -> int | None:
    """Return where the element stands that a step names; the elements need not be in normal form."""
    if not field.key:
        return int(step) if step.isdecimal() and int(step) < len(items) else None
    for index, item in enumerate(items):
        parts = [f"{m}={item[m]}" for m in field.key if item.get(m) not in (None, "")] if isinstance(item, dict) else []
        if (",".join(parts) or f"{field.key[0]}=") == step:
            return index
    return None


def member(field: Field, step: str) -> Field:
    """Return the field of a member; one that says nothing where the schema does not know it."""
    return field.properties.get(step) or field.values or _UNKNOWN


def indices(field: Field, value: Any, path: Iterable[str]) -> Path | None:
    """Return a path with positions in place of keys; None when it leads nowhere in the value."""
    steps: list[str] = []
    for step in path:
        if isinstance(value, Mapping) and step in value:
            steps.append(step)
            value, field = value[step], member(field, step)
        elif isinstance(value, list):
            index = position(field, value, step)
            if index is None:
                return None
            steps.append(str(index))
            value, field = value[index], field.each or _UNKNOWN
        else:
            return None
    return tuple(steps)


def at(value: Any, steps: Iterable[str]) -> Any:
    """Return what a path with positions leads to; MISSING when that is nothing."""
    for step in steps:
        if isinstance(value, Mapping):
            value = value.get(step, MISSING)
        elif isinstance(value, list) and int(step) < len(value):
            value = value[int(step)]
        else:
            return MISSING
    return value


def found(field: Field, value: Any, path: Iterable[str]) -> Any:
    """Return what the path of an edit leads to; MISSING when that is nothing."""
    steps = indices(field, value, path)
    return MISSING if steps is None else at(value, steps)


def related(one: Path, other: Path) -> bool:
    """Return whether one of two paths lies inside the other."""
    length = min(len(one), len(other))
    return one[:length] == other[:length]


_UNKNOWN = Field()
