"""Where the objects of a connector are in a cluster."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from policysync.backends.helm.observed import Key, Object
from policysync.backends.kubernetes.client import Client, segment
from policysync.backends.kubernetes.discovery import Discovery, group_path
from policysync.backends.kubernetes.failures import Forbidden, Missing

_KNOWN: Mapping[str, tuple[str, bool]] = {
    "AquaCloudConnector": ("aquacloudconnectors", True),
    "ConfigMap": ("configmaps", True),
    "Deployment": ("deployments", True),
    "Namespace": ("namespaces", False),
    "PodDisruptionBudget": ("poddisruptionbudgets", True),
    "Secret": ("secrets", True),
    "SecurityContextConstraints": ("securitycontextconstraints", False),
    "ServiceAccount": ("serviceaccounts", True),
}
"""Plural, and whether the kind has namespaces: what the cluster need not be asked about."""


class Places:
    """Finds objects of one cluster."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._discovery = Discovery(client)

    def path_of(self, thing: Mapping[str, Any], namespace: str) -> str:
        """Return the path of an object; one that names no namespace is in `namespace`."""
        about = thing["metadata"]
        group, _, version = str(thing["apiVersion"]).rpartition("/")
        plural, namespaced = _KNOWN.get(thing["kind"]) or self._asked(group, version, thing["kind"])
        inside = f"/namespaces/{segment(about.get('namespace') or namespace)}" if namespaced else ""
        return f"{group_path(group, version)}{inside}/{plural}/{segment(about['name'])}"

    def _asked(self, group: str, version: str, kind: str) -> tuple[str, bool]:
        try:
            found = self._discovery.named(group, version, kind)
        except Forbidden:
            found = None
        # Of what nobody serves there is nothing, wherever one looks.
        return (found.plural, found.namespaced) if found else (f"{kind.lower()}s", True)

    def held(self, wanted: Iterable[Object], namespace: str) -> dict[Key, Object]:
        """Return the objects of a cluster that are wanted and there; one we may not see counts as it should be."""
        found: dict[Key, Object] = {}
        for thing in wanted:
            try:
                found[thing["kind"], thing["metadata"]["name"]] = self._client.get(self.path_of(thing, namespace))
            except Missing:
                continue
            except Forbidden:
                found[thing["kind"], thing["metadata"]["name"]] = thing
        return found
