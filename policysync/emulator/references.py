"""Which objects name which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import orjson

from policysync.emulator.exchange import refuse
from policysync.emulator.store import Store, Stored
from policysync.kinds.field import Field
from policysync.kinds.kind import Kind

_ALL = 1 << 40


def check_unused(gone: Stored, kind: Kind, kinds: Iterable[Kind], store: Store) -> None:
    """Refuse to delete an object that another one names.

    Raises:
        Answered: 400 with the first that does (guess: real consoles differ in what they refuse).
    """
    for other in kinds:
        if kind.name not in other.refs:
            continue
        for raw in store.page([other.name], "", 0, _ALL):
            body = orjson.loads(raw)
            if gone.key in named(other.root, body, kind.name):
                raise refuse(400, f"{gone.key} is in use by {other.name} {other.name_of(body)}")


def named(field: Field, value: Any, kind: str) -> Iterator[str]:
    """Yield the names of objects of `kind` that `value` holds."""
    if kind in field.ref and isinstance(value, str):
        yield value
    if isinstance(value, dict):
        for name, below in value.items():
            inner = field.properties.get(name) or field.values
            if inner is not None:
                yield from named(inner, below, kind)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            inner = field.positions[index] if index < len(field.positions) else field.each
            if inner is not None:
                yield from named(inner, item, kind)
