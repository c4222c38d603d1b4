"""Taking back what somebody changed by hand in the objects of a release, before Helm writes them again.

Helm puts back what its manifest states, but it leaves alone what it never stated, and Helm 4 refuses to touch a field
that somebody else wrote. What a person's tool wrote nobody is going to write again: it goes, and so does its claim.
What a controller wrote stays, and Helm says whose it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from policysync.backends.helm.additions import added, is_element
from policysync.backends.helm.observed import Object, keyed
from policysync.backends.helm.places import Places
from policysync.backends.kubernetes.client import MANAGER, Client
from policysync.backends.kubernetes.managed import BY_HAND

_KEPT = "kubectl.kubernetes.io/"


def take_back(client: Client, places: Places, objects: Iterable[Object], namespace: str) -> None:
    """Take out of objects what was added by hand, and let go of all that was changed by hand."""
    wanted = keyed(objects)
    for key, live in places.held(wanted.values(), namespace).items():
        if body := _patch(wanted[key], live):
            path = places.path_of(wanted[key], namespace)
            after = client.merge(path, body)
            # What was put back is ours by that; whoever applies next must not meet our own claim.
            if claims := _without(after, lambda entry: entry.get("manager") == MANAGER and _is_update(entry)):
                client.merge(path, claims)


def _without(live: Object, gone: Callable[[Mapping[str, Any]], bool]) -> dict[str, Any]:
    """Return a patch that takes claims to fields away; nothing where there are none."""
    about = live["metadata"]
    entries = about.get("managedFields") or []
    kept = [entry for entry in entries if not gone(entry)]
    if len(kept) == len(entries):
        return {}
    return {"metadata": {"managedFields": kept, "resourceVersion": about.get("resourceVersion")}}


def _patch(wanted: Object, live: Object) -> dict[str, Any]:
    body = _without(live, _is_by_hand)
    if not body:
        return {}
    about = live["metadata"]
    by_hand = {**live, "metadata": {**about, "managedFields": [e for e in about["managedFields"] if _is_by_hand(e)]}}
    for path in _additions(wanted, by_hand):
        _put(body, path, wanted)
    return body


def _is_by_hand(entry: Mapping[str, Any]) -> bool:
    return entry.get("manager") in BY_HAND and _is_update(entry)


def _is_update(entry: Mapping[str, Any]) -> bool:
    return entry.get("operation") == "Update"


def _additions(wanted: Object, live: Object) -> Iterator[tuple[str, ...]]:
    yield from (path for path in added(wanted, live) if not path[-1].startswith(_KEPT))


def _put(body: dict[str, Any], path: tuple[str, ...], wanted: Mapping[str, Any]) -> None:
    """Note in a merge patch that what is at a path goes. A list is stated whole, as it should be."""
    element = next((at for at, step in enumerate(path) if is_element(step)), 0)
    last = element - 1 if element else len(path) - 1
    value: Any = wanted
    for step in path[:last]:
        body = body.setdefault(step, {})
        value = value.get(step, {}) if isinstance(value, Mapping) else {}
    body[path[last]] = value.get(path[last]) if element and isinstance(value, Mapping) else None
