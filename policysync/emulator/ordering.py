"""The order a list is asked for.

Source: reference, policies 3.2 and platform 2.2: `order_by` takes the name of a field, a leading `-` reverses it; older
lists take `orderby=id asc`. A field nobody knows leaves the order of creation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from policysync.emulator.store import Store
from policysync.kinds.kind import Kind

_ALL = 1 << 40
_KEYS = ("name", "title")
"""What any kind can be sorted by, whatever its key is called."""


def order_of(query: Mapping[str, str]) -> str:
    """Return the field a query sorts by, after a `-` when it is reversed; "" when it asks for no order."""
    words = (query.get("order_by") or query.get("orderby") or "").split()
    if not words:
        return ""
    down = words[0].startswith("-") or words[1:] == ["desc"]
    return f"{'-' if down else ''}{words[0].lstrip('-')}"


def kept_order(order: str, kind: Kind) -> str | None:
    """Return what the store calls an order; None when only the bodies can tell."""
    down, member = order[:1] == "-", order.lstrip("-")
    if kind.key[:1] == (member,) or (member in _KEYS and member not in kind.root.properties):
        return "-name" if down else "name"
    return None if member in kind.root.properties else order[:1] if down else ""


def ordered(store: Store, names: Sequence[str], order: str, kind: Kind) -> list[bytes]:
    """Return what a list shows of all objects of these kinds, in an order."""
    kept = kept_order(order, kind)
    if kept is not None:
        return store.page(names, kept, 0, _ALL)
    # What is alike stays in the order of creation, or in its reverse.
    return _sorted(store.page(names, order[:1] if order.startswith("-") else "", 0, _ALL), order)


def _sorted(items: list[bytes], order: str) -> list[bytes]:
    member = order.lstrip("-")
    return sorted(items, key=lambda item: rank(orjson.loads(item).get(member)), reverse=order.startswith("-"))


def rank(value: Any) -> tuple[float, str]:
    """Return what sorts values of any type: nothing first, then numbers, then texts."""
    if isinstance(value, int | float):
        return float(value), ""
    return 0.0, value if isinstance(value, str) else orjson.dumps(value).decode() if value else ""
