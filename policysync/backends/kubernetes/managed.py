"""Who owns which field of an object: `metadata.managedFields`, read.

Source: Kubernetes, server-side apply, "Field management"; a set of fields is a tree whose `f:name` is a member,
`k:{…}`, `v:…` and `i:…` are elements of a list, and `.` the value itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from policysync.backends.kubernetes.failures import Owned

BY_HAND = frozenset(
    {
        "Mozilla",
        "k9s",
        "kubectl-annotate",
        "kubectl-create",
        "kubectl-edit",
        "kubectl-label",
        "kubectl-patch",
        "kubectl-replace",
        "kubectl-scale",
        "kubectl-set",
    }
)
"""What people's tools call themselves. Nobody repeats what they wrote, so what they took can be taken back."""


def owners(held: Mapping[str, Any], path: Sequence[str]) -> list[Owned]:
    """Return who owns a field of an object, or anything below it. `path` is of names of members."""
    return [
        Owned(str(entry.get("manager", "")), str(entry.get("operation", "")), "." + ".".join(path))
        for entry in _entries(held)
        if _has(entry.get("fieldsV1"), path)
    ]


def _has(tree: Any, path: Sequence[str]) -> bool:
    for name in path:
        if not isinstance(tree, Mapping) or f"f:{name}" not in tree:
            # A list that is owned as a whole is a leaf, and so is a mapping without rules.
            return False
        tree = tree[f"f:{name}"]
    return True


def applied(held: Mapping[str, Any], manager: str, member: str) -> dict[str, Any]:
    """Return the part of a member of an object that a manager owns by applying, as it is now."""
    result: dict[str, Any] = {}
    for entry in _entries(held):
        if entry.get("manager") == manager and entry.get("operation") == "Apply" and not entry.get("subresource"):
            tree = entry.get("fieldsV1") or {}
            if isinstance(tree.get(f"f:{member}"), Mapping) and isinstance(held.get(member), Mapping):
                result = _part(tree[f"f:{member}"], held[member])
    return result


def _part(tree: Mapping[str, Any], value: Mapping[str, Any]) -> dict[str, Any]:
    part = {}
    for step, below in tree.items():
        name = step.removeprefix("f:")
        if step == name or name not in value:
            continue
        members = isinstance(below, Mapping) and any(inner.startswith("f:") for inner in below)
        part[name] = _part(below, value[name]) if members and isinstance(value[name], Mapping) else value[name]
    return part


def _entries(held: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for entry in (held.get("metadata") or {}).get("managedFields") or ():
        if isinstance(entry, Mapping):
            yield entry
