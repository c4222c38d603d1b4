"""Connectors in a cluster, driven through the backend: what git states, what a plan of it says, and carrying it out."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from policysync.backends.connect import connect
from policysync.backends.port import Backend, Checks, Sign
from policysync.clock import Clock, SystemClock
from policysync.documents.project import Limits, Target
from policysync.errors import Refused
from policysync.kinds.load import load_kinds
from policysync.plan.build import World, build
from policysync.plan.change import Plan
from policysync.plan.rotated import as_held
from policysync.secret import Secret
from policysync.state.normalize import desired_spec
from policysync.state.resource import Address, Resource
from systems.kube_standin import protobuf
from systems.kube_standin.server import StandIn

CHART = Path(__file__).parent / "charts" / "cloud-connector"
EXAMPLES = Path(__file__).parents[1] / "unit" / "render" / "examples"
KINDS = load_kinds()
KIND = KINDS["AquaCloudConnector"]
ADDRESS = Address(KIND.name, "eu-prod")
OPERATOR = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "aquacloudconnectors.operator.aquasec.com"},
    "spec": {
        "group": "operator.aquasec.com",
        "scope": "Namespaced",
        "names": {"kind": "AquaCloudConnector", "plural": "aquacloudconnectors"},
        "versions": [{"name": "v1alpha1", "served": True, "storage": True}],
    },
}
"""The definition of the resource that the 2022.4.0 operator serves."""


@contextmanager
def stand_in(folder: Path) -> Iterator[StandIn]:
    """Yield a stand-in that Helm can speak to: over TLS, because Go sends no token without it."""
    key, certificate, both = (folder / name for name in ("key.pem", "certificate.pem", "both.pem"))
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30")
    subject = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    command = ["openssl", "req", "-x509", *curve, *subject, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    both.write_text(key.read_text() + certificate.read_text(), encoding="utf-8")
    server = StandIn(both)
    server.decoders[protobuf.CONTENT] = protobuf.secret
    server.start()
    try:
        yield server
    finally:
        server.stop()


def certificate(folder: Path) -> str:
    """Return what a kubeconfig says of the certificate of the stand-in."""
    return base64.b64encode((folder / "certificate.pem").read_bytes()).decode()


def spec(context: str, **members: Any) -> dict[str, Any]:
    """Return the example's spec for our chart; `a__b` is a member of a member."""
    document = yaml.safe_load((EXAMPLES / "aqua-cloud-connector.yaml").read_text(encoding="utf-8"))
    said: dict[str, Any] = {"name": ADDRESS.name, **document["spec"], "cluster": {"context": context}}
    said["chart"]["localPath"] = str(CHART)
    for path, value in members.items():
        *above, name = path.split("__")
        owner = said
        for step in above:
            owner = owner.setdefault(step, {})
        owner[name] = value
    return said


@dataclass
class Connectors:
    """One cluster and its connector. `environ` is what references to variables find."""

    kubeconfig: Path
    context: str
    environ: dict[str, str] = field(default_factory=dict)
    clock: Clock = field(default_factory=SystemClock)

    @contextmanager
    def backend(self) -> Iterator[Backend]:
        options = {"kubeconfig": str(self.kubeconfig), "context": self.context, "helm_wait": 0}
        target = Target("cluster", "kubernetes", options=options)
        limits = Limits(requests_per_second=1_000_000.0, timeout=20.0)
        opened = connect(
            target, KINDS, secrets=self._secret, again=lambda call: call(), limits=limits, clock=self.clock
        )
        try:
            yield opened
        finally:
            opened.close()

    def _secret(self, reference: str) -> Secret:
        name = reference.removeprefix("${env:").removesuffix("}")
        if name not in self.environ:
            raise Refused(f"{name} is not set")
        return Secret(self.environ[name], reference)

    def plan(self, stated: Mapping[str, Any] | None, last: Mapping[str, Any] | None = None) -> Plan:
        """Return what makes the cluster match what is stated; without it the connector goes."""
        with self.backend() as backend:
            return self._plan(backend, stated, last)

    def _plan(self, backend: Backend, stated: Mapping[str, Any] | None, last: Mapping[str, Any] | None) -> Plan:
        wanted = (Resource(ADDRESS, desired_spec(KIND, stated)),) if stated else ()
        applied = {ADDRESS: desired_spec(KIND, last)} if last else {}
        backend.expect(applied | {resource.address: resource.spec for resource in wanted})
        live = tuple(backend.read(KIND, frozenset({ADDRESS.name})))
        return build("dev", "cluster", World(wanted, live, as_held(applied, live)), KINDS, prune=True)

    def apply(self, stated: Mapping[str, Any] | None, last: Mapping[str, Any] | None = None) -> Plan:
        """Carry out what `plan` says, and return it."""
        with self.backend() as backend:
            plan = self._plan(backend, stated, last)
            for change in plan.changes:
                backend.write(change, KIND)
            return plan

    def signs(self, stated: Mapping[str, Any]) -> dict[str, Sign]:
        """Return what a check says, by name."""
        with self.backend() as backend:
            assert isinstance(backend, Checks)
            return {sign.name: sign for sign in backend.check(Resource(ADDRESS, desired_spec(KIND, stated)))}


def edits(plan: Plan) -> dict[str, tuple[Any, Any]]:
    """Return what a plan changes, by path."""
    return {"/".join(edit.path): (edit.before, edit.after) for change in plan.changes for edit in change.edits}
