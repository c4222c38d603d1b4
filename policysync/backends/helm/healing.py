"""Taking back what somebody changed by hand in the objects of a release, before Helm writes them again.

Helm puts back what its manifest states, but it leaves alone what it never stated, and Helm 4 refuses to touch a field
that somebody else wrote. What a person's tool wrote nobody is going to write again: it goes, and so does its claim.
What a controller wrote stays, and Helm says whose it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from policysync.backends.helm.observed import Object, added, keyed
from policysync.backends.helm.places import Places
from policysync.backends.kubernetes.client import Client
from policysync.backends.kubernetes.managed import BY_HAND

_KEPT = "kubectl.kubernetes.io/"


def take_back(client: Client, places: Places, objects: Iterable[Object], namespace: str) -> None:
    """Take out of objects what was added by hand, and let go of all that was changed by hand."""
    wanted = keyed(objects)
    for key, live in places.held(wanted.values(), namespace).items():
        if body := _patch(wanted[key], live):
            client.merge(places.path_of(wanted[key], namespace), body)


def _patch(wanted: Object, live: Object) -> dict[str, Any]:
    about = live["metadata"]
    entries = about.get("managedFields") or []
    others = [entry for entry in entries if not _is_by_hand(entry)]
    if len(others) == len(entries):
        return {}
    body: dict[str, Any] = {"metadata": {"managedFields": others, "resourceVersion": about.get("resourceVersion")}}
    by_hand = {**live, "metadata": {**about, "managedFields": [e for e in entries if _is_by_hand(e)]}}
    for path in _additions(wanted, by_hand):
        _put(body, path, wanted)
    return body


def _is_by_hand(entry: Mapping[str, Any]) -> bool:
    return entry.get("manager") in BY_HAND and entry.get("operation") == "Update"


def _additions(wanted: Object, live: Object) -> Iterator[tuple[str, ...]]:
    yield from (path for path in added(wanted, live) if not path[-1].startswith(_KEPT))


def _put(body: dict[str, Any], path: tuple[str, ...], wanted: Mapping[str, Any]) -> None:
    """Note in a merge patch that what is at a path goes. A list is stated whole, as it should be."""
    last = path.index("*") - 1 if "*" in path else len(path) - 1
    value: Any = wanted
    for step in path[:last]:
        body = body.setdefault(step, {})
        value = value.get(step, {}) if isinstance(value, Mapping) else {}
    body[path[last]] = value.get(path[last]) if "*" in path and isinstance(value, Mapping) else None
