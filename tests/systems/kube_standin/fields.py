"""Who owns which field: server-side apply, on trees whose leaves are values and whole lists."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

Path = tuple[str, ...]
Owner = tuple[str, str]
"""A manager, and Apply or Update."""

Managed = dict[Owner, set[Path]]

_UNOWNED = {
    ("apiVersion",),
    ("kind",),
    *(
        ("metadata", name)
        for name in (
            "name",
            "namespace",
            "uid",
            "resourceVersion",
            "generation",
            "creationTimestamp",
            "managedFields",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
        )
    ),
}
_MISSING = object()


def leaves(value: Any, at: Path = ()) -> set[Path]:
    """Return the path of every value that can be owned."""
    if at in _UNOWNED:
        return set()
    if isinstance(value, Mapping) and value:
        return {path for name, below in value.items() for path in leaves(below, (*at, name))}
    return {at} if at else set()


def at(value: Any, path: Path) -> Any:
    for step in path:
        if not isinstance(value, Mapping) or step not in value:
            return _MISSING
        value = value[step]
    return value


def _remove(value: dict[str, Any], path: Path) -> None:
    for step in path[:-1]:
        if not isinstance(value.get(step), dict):
            return
        value = value[step]
    value.pop(path[-1], None)


def merged(base: Any, over: Any) -> Any:
    """Lay one tree over another; what is no mapping replaces."""
    if not (isinstance(base, Mapping) and isinstance(over, Mapping)):
        return copy.deepcopy(over)
    return {**base, **{name: merged(base.get(name), below) for name, below in over.items()}}


def conflicts(
    live: Mapping[str, Any], body: Mapping[str, Any], managed: Managed, me: Owner
) -> list[tuple[Owner, Path]]:
    """Return the fields of others that an apply would change."""
    found = []
    for path in sorted(leaves(body)):
        if at(live, path) == at(body, path):
            continue
        for owner, paths in sorted(managed.items()):
            if owner != me and any(path[: len(p)] == p or p[: len(path)] == path for p in paths):
                found.append((owner, path))
    return found


def apply(live: dict[str, Any], body: dict[str, Any], managed: Managed, me: Owner) -> tuple[dict[str, Any], Managed]:
    """Return an object after an apply without conflicts, and who owns what of it."""
    mine = leaves(body)
    result = copy.deepcopy(live)
    others = {path for owner, paths in managed.items() if owner != me for path in paths}
    for path in managed.get(me, set()) - mine - others:
        _remove(result, path)
    return merged(result, body), {**{o: set(p) for o, p in managed.items() if o != me}, me: mine}


def changed(before: Mapping[str, Any], after: Mapping[str, Any], managed: Managed, me: Owner) -> Managed:
    """Return who owns what after an ordinary write: who changes a field owns it, alone."""
    now = leaves(after)
    moved = {path for path in now if at(before, path) != at(after, path)}
    owned = {owner: (paths - moved) & now for owner, paths in managed.items()}
    owned[me] = owned.get(me, set()) | moved
    return {owner: paths for owner, paths in owned.items() if paths}


def tree(paths: Iterable[Path]) -> dict[str, Any]:
    """Return a set of fields as `fieldsV1` spells it."""
    result: dict[str, Any] = {}
    for path in sorted(paths):
        node = result
        for step in path:
            node = node.setdefault(f"f:{step}", {})
    return result
