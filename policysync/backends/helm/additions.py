"""What somebody added to an object of a cluster: `metadata.managedFields`, read beside the object as it should be.

Source: Kubernetes, server-side apply, "Field management".
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from policysync.pointer import join

Path = tuple[str, ...]

_NOT_OURS = re.compile(r"kube-controller-manager|kube-scheduler|kubelet|helm|policysync|\Aaqua", re.IGNORECASE)
_SERVERS = frozenset({"metadata", "status", "stringData"})
"""Members that a server writes, or turns into another one."""


def added(wanted: Mapping[str, Any], live: Mapping[str, Any]) -> Iterator[Path]:
    """Yield the paths that somebody other than Helm and the cluster itself wrote, and that are not wanted.

    An element of a list stands as in managed fields: `k:{"name":"A"}` by its key, `v:1` by its value, `i:0` by where
    it is.
    """
    found: dict[Path, None] = {}
    for entry in live["metadata"].get("managedFields") or ():
        if entry.get("subresource") == "status" or _NOT_OURS.search(str(entry.get("manager", ""))):
            continue
        for path in _owned(entry.get("fieldsV1") or {}):
            if path[0] not in _SERVERS and (lacking := _lacking(wanted, path)):
                found[path[:lacking]] = None
    yield from found


def is_element(step: str) -> bool:
    """Return whether a step of such a path is an element of a list."""
    return step.startswith(("k:", "v:", "i:"))


def _owned(fields: Mapping[str, Any], path: Path = ()) -> Iterator[Path]:
    """Yield the paths of a set of managed fields."""
    below = {name: sub for name, sub in fields.items() if name != "."}
    if not below and path:
        yield path
    for name, sub in below.items():
        yield from _owned(sub, (*path, name.removeprefix("f:")))


def _lacking(value: Any, path: Path) -> int:
    """Return how many steps of a path lead to the first thing that is not there; 0 where all is."""
    for depth, step in enumerate(path, 1):
        index = _index(value, step) if is_element(step) else None
        if index is not None:
            value = value[index]
        elif isinstance(value, Mapping) and step in value:
            value = value[step]
        else:
            return depth
    return 0


def _index(items: Any, step: str) -> int | None:
    """Return which element of a list a step means; None where there is none."""
    if not isinstance(items, list):
        return None
    try:
        said = json.loads(step[2:])
    except ValueError:
        return None
    if step[0] == "i":
        return said if isinstance(said, int) and said < len(items) else None
    fits = (lambda item: item == said) if step[0] == "v" else partial(_bears, said)
    return next((index for index, item in enumerate(items) if fits(item)), None)


def _bears(key: Mapping[str, Any], item: Any) -> bool:
    """Return whether an element has a key; a member it leaves out is one the server fills in, such as a protocol."""
    return isinstance(item, Mapping) and all(item.get(name, value) == value for name, value in key.items())


def shown_at(path: Path, wanted: Any) -> str:
    """Return a path as a pointer into what is wanted; an element that is not there stands by its key."""
    steps = []
    for step in path:
        index = _index(wanted, step) if is_element(step) else None
        steps.append(str(index) if index is not None else step.partition(":")[2] if is_element(step) else step)
        wanted = wanted[index] if index is not None else wanted.get(step) if isinstance(wanted, Mapping) else None
    return join(steps)
