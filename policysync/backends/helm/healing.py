"""Taking out what somebody added to the objects of a release by hand.

Helm puts back what its manifest states. What it never stated it leaves alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policysync.backends.helm.observed import added, keyed
from policysync.backends.helm.places import held, path_of
from policysync.backends.helm.release import Release
from policysync.backends.kubernetes.client import Client

_KEPT = "kubectl.kubernetes.io/"


def take_out(client: Client, release: Release) -> None:
    """Take out of the objects of a release what others wrote and its manifest does not have."""
    there = held(client, release.manifest, release.namespace)
    for key, wanted in keyed(release.manifest).items():
        live = there.get(key)
        paths = [path for path in added(wanted, live) if not path[-1].startswith(_KEPT)] if live else []
        if paths:
            body: dict[str, Any] = {}
            for path in paths:
                _put(body, path, wanted)
            client.merge(path_of(wanted, release.namespace), body)


def _put(body: dict[str, Any], path: tuple[str, ...], wanted: Mapping[str, Any]) -> None:
    """Note in a merge patch that what is at a path goes. A list is stated whole, as it should be."""
    last = path.index("*") - 1 if "*" in path else len(path) - 1
    value: Any = wanted
    for step in path[:last]:
        body = body.setdefault(step, {})
        value = value.get(step, {}) if isinstance(value, Mapping) else {}
    body[path[last]] = value.get(path[last]) if "*" in path and isinstance(value, Mapping) else None
