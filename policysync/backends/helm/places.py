"""Where the objects of a connector are in a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from policysync.backends.helm.observed import Key, Object
from policysync.backends.kubernetes.client import Client, segment
from policysync.backends.kubernetes.discovery import group_path
from policysync.backends.kubernetes.failures import Forbidden, Missing

# Everything else has the plural one expects.
_PLURALS = {"SecurityContextConstraints": "securitycontextconstraints"}
_CLUSTER_WIDE = frozenset({"Namespace", "SecurityContextConstraints", "ClusterRole", "ClusterRoleBinding"})


def path_of(thing: Mapping[str, Any], namespace: str) -> str:
    """Return the path of an object; one that names no namespace is in `namespace`."""
    about, kind = thing["metadata"], thing["kind"]
    group, _, version = str(thing["apiVersion"]).rpartition("/")
    inside = "" if kind in _CLUSTER_WIDE else f"/namespaces/{segment(about.get('namespace') or namespace)}"
    plural = _PLURALS.get(kind, f"{kind.lower()}s")
    return f"{group_path(group, version)}{inside}/{plural}/{segment(about['name'])}"


def held(client: Client, wanted: Iterable[Object], namespace: str) -> dict[Key, Object]:
    """Return the objects of a cluster that are wanted and there; one we may not see counts as it should be."""
    found: dict[Key, Object] = {}
    for thing in wanted:
        try:
            found[thing["kind"], thing["metadata"]["name"]] = client.get(path_of(thing, namespace))
        except Missing:
            continue
        except Forbidden:
            found[thing["kind"], thing["metadata"]["name"]] = thing
    return found
