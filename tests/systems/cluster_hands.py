"""Somebody else's hands in a cluster: kubectl edit, another pipeline, an administrator."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from policysync.backends.kubernetes.client import APPLY, MERGE, Client
from policysync.backends.kubernetes.failures import Missing
from policysync.backends.kubernetes.target import connect_client
from policysync.backends.means import Means
from policysync.clock import SystemClock
from policysync.documents.project import Limits, Target
from policysync.kinds.kind import Kind
from policysync.render.crds import definition

DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


class Hands:
    """Writes to a cluster under other names than the product's."""

    def __init__(self, kubeconfig: Path) -> None:
        target = Target("hands", "kubernetes", options={"kubeconfig": str(kubeconfig)})
        limits = Limits(requests_per_second=1_000_000.0, timeout=60.0)
        means = Means({}, lambda _: _none(), lambda call: call(), limits, None, SystemClock(), Path())
        self.client: Client = connect_client(target, means)

    def edit(self, path: str, patch: dict[str, Any], manager: str = "kubectl-edit") -> None:
        """Change an object with an ordinary patch."""
        self.client._write("PATCH", path, patch, MERGE, {"fieldManager": manager})

    def apply(self, path: str, body: dict[str, Any], manager: str, *, force: bool = False) -> None:
        """Apply a part of an object on the server, as another pipeline does."""
        held = self.client.get(path)
        head = {"apiVersion": held["apiVersion"], "kind": held["kind"], "metadata": {"name": held["metadata"]["name"]}}
        query = {"fieldManager": manager, "force": "true" if force else "false"}
        self.client._write("PATCH", path, {**head, **body}, APPLY, query)

    def namespace(self, name: str) -> None:
        """Make a namespace."""
        self.client.post("/api/v1/namespaces", {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def install(self, *wanted: tuple[Kind, bool]) -> None:
        """Install the definitions of kinds, each with whether it has namespaces, and wait until they are served."""
        clock = SystemClock()
        made = [definition(kind, namespaced=namespaced) for kind, namespaced in wanted]
        for each in made:
            self.client.post(DEFINITIONS, each)
        for each in made:
            spec = each["spec"]
            served = f"/apis/{spec['group']}/{spec['versions'][0]['name']}/{spec['names']['plural']}"
            while not self._is_there(served):
                clock.sleep(0.05)

    def _is_there(self, path: str) -> bool:
        try:
            self.client.get(path)
        except Missing:
            return False
        return True

    def close(self) -> None:
        self.client.close()


def _none() -> Any:
    raise AssertionError("no secrets here")
