"""Which cluster it is, and which of the kinds it serves, asked once a run."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from policysync.backends.kubernetes.client import Client, segment
from policysync.backends.kubernetes.failures import Forbidden, Missing, not_served
from policysync.backends.port import Facts
from policysync.kinds.kind import Kind


@dataclass(frozen=True, slots=True)
class Served:
    """One kind as the cluster serves it. `content` is the member that a document's spec stands for, empty for all."""

    kind: str
    group: str
    version: str
    plural: str
    namespaced: bool
    content: str = "spec"

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "") -> str:
        """Return where objects of the kind are: all of them, those of a namespace, or one."""
        inside = f"/namespaces/{segment(namespace)}" if namespace and self.namespaced else ""
        return f"{group_path(self.group, self.version)}{inside}/{self.plural}" + (f"/{segment(name)}" if name else "")


def facts_of(client: Client) -> Facts:
    """Return which cluster it is: by the id of its first namespace, which no two clusters share."""
    version = str(client.get("/version").get("gitVersion", ""))
    try:
        about = client.get("/api/v1/namespaces/kube-system").get("metadata") or {}
    except (Missing, Forbidden):
        about = {}
    return Facts(version=version, identity=str(about.get("uid") or ""))


class Discovery:
    """Asks the cluster. What it says wins over the schema: plural, and whether the kind has namespaces."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._served: dict[tuple[str, str], dict[str, Served]] = {}

    def served(self, kind: Kind) -> Served:
        """Return how the cluster serves a kind.

        Raises:
            NotServed: it does not.
        """
        group, version = str(kind.api.get("group", "")), str(kind.api.get("version", "v1"))
        found = self.named(group, version, kind.name)
        if found is None:
            raise not_served(f"{kind.name} of {group or 'core'}/{version}", self._other_versions(group, version))
        content = str(kind.api.get("content", "spec"))
        return Served(found.kind, group, version, found.plural, found.namespaced, content)

    def named(self, group: str, version: str, kind: str) -> Served | None:
        """Return how the cluster serves what is called `kind`; None where it does not."""
        with self._lock:
            if (group, version) not in self._served:
                self._served[group, version] = self._ask(group, version)
            return self._served[group, version].get(kind)

    def _ask(self, group: str, version: str) -> dict[str, Served]:
        try:
            said = self._client.get(group_path(group, version))
        except Missing:
            return {}
        return {
            each["kind"]: Served(each["kind"], group, version, each["name"], bool(each.get("namespaced")))
            for each in said.get("resources") or ()
            if "/" not in each.get("name", "/")
        }

    def _other_versions(self, group: str, version: str) -> str:
        if not group:
            return ""
        try:
            said = self._client.get(f"/apis/{segment(group)}")
        except Missing:
            return ""
        others = [v["version"] for v in said.get("versions") or () if v.get("version") not in ("", version, None)]
        return f"it serves {', '.join(others)} of the group" if others else ""


def group_path(group: str, version: str) -> str:
    """Return the root of a group in one version; the core has no name."""
    return f"/apis/{segment(group)}/{segment(version)}" if group else f"/api/{segment(version)}"
