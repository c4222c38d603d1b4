"""Connectors of one cluster, as a backend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from policysync.backends.helm.chart import check_copy
from policysync.backends.helm.checks import Checkup
from policysync.backends.helm.engine import Chart, Engine
from policysync.backends.helm.engine import Release as Named
from policysync.backends.helm.found import named_release
from policysync.backends.helm.healing import take_back
from policysync.backends.helm.installed import Reader
from policysync.backends.helm.objects import Objects
from policysync.backends.helm.places import Places
from policysync.backends.helm.probe import Probe
from policysync.backends.helm.secrets import Vault
from policysync.backends.kubernetes.client import Client
from policysync.backends.kubernetes.discovery import facts_of
from policysync.backends.means import Secrets
from policysync.backends.port import Facts, Sign
from policysync.clock import Clock
from policysync.errors import NotServed, Refused
from policysync.kinds.kind import Kind
from policysync.plan.change import Action, Change
from policysync.pointer import resolve
from policysync.render.aqua_helm import LOGINS, helm_values
from policysync.state.normalize import live_spec, new_spec
from policysync.state.resource import Address, Resource
from policysync.state.wire import plain

KIND = "AquaCloudConnector"
Spec = Mapping[str, Any]


class Connectors:
    """The connectors of one cluster; see `port.Backend`.

    Helm's own record says what a release is made of, and the objects of the cluster say what became of it.
    """

    def __init__(
        self, client: Client, engine: Engine, secrets: Secrets, clock: Clock, root: Path, *, probe: Probe
    ) -> None:
        self.client = client
        self._engine = engine
        self._secrets = secrets
        self._places = Places(client)
        self._clock = clock
        self._root = root
        self._probe = probe
        self._declared: dict[str, Spec] = {}
        self._holders: dict[tuple[str, str], str] = {}

    def probe(self) -> Facts:
        """Say which cluster it is; see `port.Backend`."""
        return facts_of(self.client)

    def expect(self, stated: Mapping[Address, Spec]) -> None:
        """Learn where the connectors are that git knows: their namespaces and releases."""
        self._declared = {address.name: spec for address, spec in stated.items() if address.kind == KIND}
        # A document that was renamed is known by both names, the new one last: what is there is the new one's.
        self._holders = {named_release(spec): name for name, spec in self._declared.items()}

    def read(self, kind: Kind, names: frozenset[str] | None = None) -> Iterator[Resource]:
        """Yield the connectors that are there; see `port.Backend`."""
        _check(kind)
        for name in sorted(names if names is not None else {*self._declared, *self.list(kind)}):
            found = self._find(kind, name)
            if found is not None:
                yield found

    def list(self, kind: Kind) -> Iterator[str]:
        """Yield the names of the connectors of every namespace; git's own name where it has one."""
        _check(kind)
        for held in self.client.list("/apis/apps/v1/deployments", labels="heritage=Helm", names_only=True):
            about = held.get("metadata") or {}
            labels = about.get("labels") or {}
            if str(labels.get("chart", "")).startswith("cloud-connector-"):
                place = (str(labels.get("release", "")), str(about.get("namespace", "")))
                yield self._holders.get(place) or "/".join(reversed(place))

    def write(self, change: Change, kind: Kind) -> None:
        """Carry out a change; see `port.Backend`. A replacement is a delete and a create."""
        _check(kind)
        if change.before is not None and (change.action is Action.DELETE or change.replace):
            self._delete(change.before.spec)
        if change.action is Action.DELETE:
            return
        if change.after is None:
            raise Refused(f"{change.id}: the change lacks the resource it is about; make the plan again")
        spec = plain(new_spec(kind, change.after.spec))
        if spec["install"]["method"] == "helm":
            self._upgrade(spec)
        else:
            vault = self._vault(spec)
            marks = _marks(vault, spec, self._reader(spec).marks(spec))
            self._objects().apply(spec, partial(_reveal, vault), marks)

    def check(self, resource: Resource) -> Iterator[Sign]:
        """Yield how a connector is, and whether it could be installed; see `port.Checks`."""
        yield from self._checkup(resource).signs()

    def check_inside(self, resource: Resource) -> Iterator[Sign]:
        """Yield the same, with the hosts of tunnels as a pod of the cluster sees them; see `port.ChecksInside`."""
        yield from self._checkup(resource, self._probe).signs()

    def close(self) -> None:
        """Let go of connections."""
        self.client.close()

    def _find(self, kind: Kind, name: str) -> Resource | None:
        declared = self._declared.get(name) or _unmanaged(name)
        if self._holders.get(named_release(declared), name) != name:
            return None
        found = self._reader(declared).find(declared)
        if found is None:
            return None
        body = {**found.spec, "name": name}
        spec = {} if found.hindrance else live_spec(kind, body)
        return Resource(Address(kind.name, name), spec, raw=body, hindrance=found.hindrance, rotated=found.rotated)

    def _vault(self, spec: Spec) -> Vault:
        return Vault(self.client, self._secrets, named_release(spec)[1])

    def _reader(self, spec: Spec) -> Reader:
        return Reader(self.client, self._places, self._vault(spec))

    def _checkup(self, resource: Resource, probe: Probe | None = None) -> Checkup:
        return Checkup(self.client, self._vault(resource.spec), self._clock, resource.spec, probe)

    def _objects(self) -> Objects:
        return Objects(self.client, self._places, self._clock)

    def _upgrade(self, spec: Spec) -> None:
        name, namespace = named_release(spec)
        chart = self._chart(spec)
        if chart.local:
            check_copy(chart)
        vault = self._vault(spec)
        before = self._reader(spec).release(spec)
        values = helm_values(spec, partial(_reveal, vault))
        # The chart leaves pods running with the old secrets otherwise.
        values["podAnnotations"] |= _marks(vault, spec, before.annotations if before else {})
        if before is not None:
            take_back(self.client, self._places, before.manifest, namespace)
        if spec["release"]["createNamespace"]:
            # Not left to Helm, which looks at it with the OpenAPI description of the cluster in any case.
            self._objects().make_namespace(namespace)
        self._engine.upgrade(Named(name, namespace), chart, values)

    def _chart(self, spec: Spec) -> Chart:
        chart = spec["chart"]
        local = str(self._root / chart["localPath"]) if chart.get("localPath") else ""
        return Chart(chart["name"], chart["version"], chart["repository"], local)

    def _delete(self, spec: Spec) -> None:
        if resolve(spec, "/install/method") == "helm":
            name, namespace = named_release(spec)
            self._engine.uninstall(Named(name, namespace))
        else:
            self._objects().delete(spec)


def _check(kind: Kind) -> None:
    if kind.name != KIND:
        raise NotServed(f"nothing here installs {kind.name} into a cluster", "not-served")


def _reveal(vault: Vault, source: Spec) -> str:
    return vault.find(source).reveal()


def _marks(vault: Vault, spec: Spec, held: Mapping[str, Any]) -> dict[str, str]:
    """Return the fingerprints of what a connector is going to use, by annotation; `held` are those it has."""
    found = {}
    for login, mark in LOGINS.items():
        if login == "auth" or spec[login]["create"]:
            found[mark] = vault.mark(spec[login], str(held.get(mark) or ""))
    return {mark: text for mark, text in found.items() if text}


def _unmanaged(name: str) -> Spec:
    """Return what is known of a connector that git does not have: `namespace/release`."""
    namespace, _, release = name.rpartition("/")
    return {"release": {"namespace": namespace, "name": release}}
