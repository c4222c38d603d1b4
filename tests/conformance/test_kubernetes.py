"""The promises of the port, kept by a cluster: by the stand-in always, by a real API server where one was built."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conformance.conftest import once
from conformance.kubernetes_samples import NAMESPACED, SAMPLES, definitions, kinds_of_clusters
from conformance.samples import delete, desired, differences, update
from systems.cluster_hands import Hands
from systems.kube_standin.server import StandIn
from systems.kubernetes import server as real

from policysync.backends.connect import connect
from policysync.backends.memory import Memory
from policysync.backends.port import Backend
from policysync.clock import SystemClock
from policysync.documents.project import Limits, Target
from policysync.errors import NotServed, Refused
from policysync.kinds.kind import Kind
from policysync.plan.change import Action, Change
from policysync.state.resource import Resource

Kinds = dict[str, Kind]
KINDS = kinds_of_clusters()


def connected(kubeconfig: Path, **options: Any) -> Backend:
    target = Target("dev", "kubernetes", options={"kubeconfig": str(kubeconfig), "wait": 30, **options})
    limits = Limits(requests_per_second=1_000_000.0, timeout=60.0)
    return connect(
        target, KINDS, secrets=lambda _: pytest.fail("no secrets"), again=once, limits=limits, clock=SystemClock()
    )


@pytest.fixture
def stand_in() -> Iterator[StandIn]:
    server = StandIn().start()
    server.install(*definitions())
    spaces = server.cluster.sort("", "namespaces")
    server.cluster.write(spaces, "", "aqua", {"metadata": {"name": "aqua"}}, "setup")
    yield server
    server.stop()


@pytest.fixture(params=["memory", "stand-in"])
def backend(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Backend]:
    if request.param == "memory":
        yield Memory(KINDS)
        return
    server: StandIn = request.getfixturevalue("stand_in")
    opened = connected(server.kubeconfig(tmp_path / "kubeconfig"))
    yield opened
    opened.close()


def creation(kind: Kind, spec: dict[str, Any]) -> Change:
    """Return the change that makes an object, as a plan has it: with what git states and nothing else."""
    after = desired(kind, spec)
    return Change(Action.CREATE, after.address, None, after)


def find(backend: Backend, kind: Kind, name: str) -> Resource:
    (resource,) = backend.read(kind, frozenset({name}))
    return resource


def comes_and_goes(name: str, backend: Backend) -> None:
    kind = KINDS[name]
    called, stated, further = SAMPLES[name]
    spec = {"name": called, **stated}
    before = set(backend.list(kind))
    change = creation(kind, spec)
    backend.write(change, kind)
    live = find(backend, kind, called)
    assert differences(kind, spec, live) == []
    assert set(backend.list(kind)) == before | {called}
    assert live in list(backend.read(kind))
    backend.write(change, kind)

    backend.write(update(kind, live, {**stated, **further}), kind)
    changed = find(backend, kind, called)
    assert differences(kind, {**spec, **further}, changed) == []
    if differences(kind, spec, changed):
        with pytest.raises(Refused, match="exists already"):
            backend.write(creation(kind, spec), kind)

    backend.write(delete(changed), kind)
    backend.write(delete(changed), kind)
    assert set(backend.list(kind)) == before
    assert list(backend.read(kind, frozenset({called}))) == []


def test_every_kind_of_a_cluster_has_a_sample() -> None:
    assert set(SAMPLES) == set(KINDS)


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_an_object_is_created_read_changed_and_deleted(name: str, backend: Backend) -> None:
    comes_and_goes(name, backend)


EDITS: tuple[dict[str, Any], ...] = (
    {"spec": {"schedule": "5 5 * * *"}},
    {"spec": {"complianceConfig": {"by-hand": True}}},
)
NAME = SAMPLES["CompliancePolicy"][0]
PATH = f"/apis/aqua.security/v1alpha1/compliancepolicies/{NAME}"
SPEC = {"name": NAME, **SAMPLES["CompliancePolicy"][1]}


def heal(backend: Backend) -> None:
    kind = KINDS["CompliancePolicy"]
    backend.write(update(kind, find(backend, kind, NAME), SPEC), kind)


def heals_and_meets_another_manager(backend: Backend, hands: Hands) -> None:
    """Edits by hand are taken back; what another manager applies stays with it."""
    kind = KINDS["CompliancePolicy"]
    backend.write(creation(kind, SPEC), kind)
    for what in EDITS:
        hands.edit(PATH, what)
        assert differences(kind, SPEC, find(backend, kind, NAME)) != []
        heal(backend)
        assert differences(kind, SPEC, find(backend, kind, NAME)) == []
    hands.edit(PATH, {"spec": {"schedule": "1 1 * * *"}}, "some-operator")
    with pytest.raises(Refused, match=r"\.spec\.schedule belongs to some-operator"):
        heal(backend)
    hands.edit(PATH, {"spec": {"schedule": SPEC["schedule"]}})
    heal(backend)
    hands.apply(PATH, {"spec": {"complianceConfig": {"theirs": True}}}, "argocd-controller")
    with pytest.raises(Refused, match=r"complianceConfig\.theirs belongs to argocd-controller"):
        heal(backend)


@pytest.fixture
def backend_there(stand_in: StandIn, tmp_path: Path) -> Iterator[Backend]:
    opened = connected(stand_in.kubeconfig(tmp_path / "kubeconfig"))
    yield opened
    opened.close()


def test_an_edit_by_hand_is_taken_back_and_what_others_apply_is_not(
    stand_in: StandIn, backend_there: Backend, tmp_path: Path
) -> None:
    hands = Hands(stand_in.kubeconfig(tmp_path / "hands"))
    heals_and_meets_another_manager(backend_there, hands)
    hands.close()
    assert not any(asked.query.get("force") == "true" for asked in stand_in.asked)


def test_a_cluster_is_known_by_its_first_namespace(stand_in: StandIn, backend_there: Backend) -> None:
    facts = backend_there.probe()
    spaces = stand_in.cluster.sort("", "namespaces")
    assert facts.identity == stand_in.cluster.get(spaces, "", "kube-system")["metadata"]["uid"]
    assert facts.version.startswith("v1")


def test_what_nobody_serves_is_said_with_what_to_do(tmp_path: Path) -> None:
    server = StandIn().start()
    backend = connected(server.kubeconfig(tmp_path / "kubeconfig"))
    try:
        with pytest.raises(NotServed, match="policysync render crds") as refused:
            list(backend.read(KINDS["RuntimePolicy"]))
        assert refused.value.reason == "engine-not-installed"
    finally:
        backend.close()
        server.stop()


@pytest.mark.skipif(not real.is_built(), reason="no kube-apiserver here: make kubernetes builds it")
def test_a_real_api_server(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    server = real.Cluster(tmp_path).start()
    hands = Hands(server.kubeconfig(tmp_path / "hands"))
    backend = connected(server.kubeconfig(tmp_path / "kubeconfig"))
    try:
        with pytest.raises(NotServed):
            list(backend.read(KINDS["RuntimePolicy"]))
        backend.close()
        backend = connected(tmp_path / "kubeconfig")
        hands.install(*((kind, name in NAMESPACED) for name, kind in KINDS.items()))
        hands.namespace("aqua")
        for name in sorted(SAMPLES):
            comes_and_goes(name, backend)
        heals_and_meets_another_manager(backend, hands)
        assert len(backend.probe().identity) == 36
    finally:
        backend.close()
        hands.close()
        server.stop()
    record_property("system", f"{real.NAME}: {len(SAMPLES)} kinds, edits by hand, conflicts")
