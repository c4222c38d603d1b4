"""A cluster as one target: its objects, and the connectors that are installed into it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policysync.backends.helm.backend import KIND, Connectors
from policysync.backends.helm.engine import Engine
from policysync.backends.helm.probe import IMAGE, Probe
from policysync.backends.helm.way import helm_environ
from policysync.backends.kubernetes.backend import Kubernetes
from policysync.backends.kubernetes.target import kubernetes
from policysync.backends.means import Means
from policysync.backends.port import Backend, Checks, Facts, Sign
from policysync.documents.project import Target
from policysync.errors import Refused
from policysync.kinds.kind import Kind
from policysync.plan.change import Change
from policysync.state.resource import Address, Resource

OPTIONS = ("helm_wait", "probe_image")
"""Options besides those of the API server: seconds an install may take, and the image of `check --probe-cluster`."""

_WAIT = 300


class Cluster:
    """Sends each kind to who serves it; see `port.Backend`."""

    def __init__(self, objects: Kubernetes, connectors: Connectors) -> None:
        self._objects = objects
        self._connectors = connectors

    def probe(self) -> Facts:
        """Say which cluster it is; see `port.Backend`."""
        return self._objects.probe()

    def expect(self, stated: Mapping[Address, Mapping[str, Any]]) -> None:
        """Hear what git states; see `port.Backend`."""
        self._objects.expect(stated)
        self._connectors.expect(stated)

    def read(self, kind: Kind, names: frozenset[str] | None = None) -> Iterator[Resource]:
        """Yield the live resources of a kind; see `port.Backend`."""
        return self._of(kind).read(kind, names)

    def list(self, kind: Kind) -> Iterator[str]:
        """Yield the names of the live resources of a kind."""
        return self._of(kind).list(kind)

    def write(self, change: Change, kind: Kind) -> None:
        """Carry out a change; see `port.Backend`."""
        self._of(kind).write(change, kind)

    def rehearse(self, change: Change, kind: Kind) -> None:
        """Ask the server what it would say of a change to an object; connectors are not asked about."""
        if kind.name != KIND:
            self._objects.rehearse(change, kind)

    def preview(self, change: Change, kind: Kind) -> tuple[str, ...]:
        """Return what a change of an object can do to workloads; see `port.Previews`."""
        return () if kind.name == KIND else self._objects.preview(change, kind)

    def check(self, resource: Resource) -> Iterator[Sign]:
        """Yield what there is to say of a resource; see `port.Checks`."""
        if resource.address.kind == KIND:
            yield from self._connectors.check(resource)
        elif isinstance(self._objects, Checks):
            yield from self._objects.check(resource)

    def check_inside(self, resource: Resource) -> Iterator[Sign]:
        """Yield what there is to say of a resource, seen from a pod as well; see `port.ChecksInside`."""
        if resource.address.kind == KIND:
            yield from self._connectors.check_inside(resource)
        else:
            yield from self.check(resource)

    def close(self) -> None:
        """Let go of connections."""
        self._objects.close()

    def _of(self, kind: Kind) -> Backend:
        return self._connectors if "helm" in kind.backends else self._objects


def cluster(target: Target, means: Means) -> Backend:
    """Return the cluster of a target.

    Raises:
        Refused: the target cannot be used as it is written.
    """
    wait = target.options.get("helm_wait", _WAIT)
    if not isinstance(wait, int) or isinstance(wait, bool) or wait < 0:
        raise Refused(f"options.helm_wait is {wait!r}; want seconds, 0 not to wait")
    image = target.options.get("probe_image", IMAGE)
    if not isinstance(image, str) or not image:
        raise Refused(f"options.probe_image is {image!r}; want the name of an image, such as {IMAGE}")
    objects = kubernetes(target, means, OPTIONS)
    engine = Engine(helm_environ(target, means), wait)
    probe = Probe(objects.client, means.clock, image)
    return Cluster(objects, Connectors(objects.client, engine, means.secrets, means.clock, means.root, probe=probe))
