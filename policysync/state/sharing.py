"""Holding once what git, a backend and the ledger say alike; with thousands of resources that is most of it."""

from __future__ import annotations

from operator import is_
from typing import Any

from policysync.pointer import MISSING


def sharing(value: Any, other: Any) -> Any:
    """Return `value`, made of the parts of `other` wherever those say exactly the same; neither is changed.

    1, 1.0 and true are three values here, though Python takes them for one, and so are 0.0 and -0.0.
    """
    kind = type(value)
    if kind is not type(other):
        return value
    if kind is dict:
        return _sharing_members(value, other)
    if kind is list:
        return _sharing_elements(value, other)
    same = kind in (str, int, float) and value == other and (kind is not float or value != 0)
    return other if same else value


def _sharing_members(value: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    beside = ((name, below, other.get(name, MISSING)) for name, below in value.items())
    mixed = {name: below if below is theirs else sharing(below, theirs) for name, below, theirs in beside}
    alike = mixed.keys() == other.keys() and all(map(is_, mixed.values(), map(other.get, mixed)))
    return other if alike else mixed


def _sharing_elements(value: list[Any], other: list[Any]) -> list[Any]:
    # Long lists are mostly texts, and those need not be walked.
    if value == other and all(type(item) is str for item in value):
        return other
    mixed = [sharing(*pair) for pair in zip(value, other, strict=False)]
    alike = len(value) == len(other) and all(map(is_, mixed, other))
    return other if alike else mixed + value[len(mixed) :]
