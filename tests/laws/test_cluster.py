"""What holds for an object of a cluster however git and people change it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from systems.kube_standin.server import StandIn

from policysync.backends.connect import connect
from policysync.backends.port import Backend
from policysync.clock import SystemClock
from policysync.documents.project import Limits, Target
from policysync.kinds.load import load_kinds
from policysync.plan.build import World, build
from policysync.render.crds import definition
from policysync.secret import Secret
from policysync.state.normalize import desired_spec
from policysync.state.resource import Address, Resource

KIND = load_kinds()["CompliancePolicy"]
PLURAL = "compliancepolicies.aqua.security"
NUMBERS = itertools.count()
NAMES = st.sampled_from(["cis", "nsa", "pss"])
BENCHMARKS = st.dictionaries(NAMES, st.booleans(), min_size=1)
SELECTOR = st.fixed_dictionaries(
    {}, optional={"any": st.booleans(), "matchLabels": st.dictionaries(NAMES, NAMES, min_size=1)}
).filter(bool)
SCHEDULE = st.sampled_from(["0 * * * *", "5 5 * * *"])
STATED = st.fixed_dictionaries(
    {"schedule": SCHEDULE, "complianceConfig": BENCHMARKS}, optional={"namespaceSelector": SELECTOR}
)
BY_HAND = st.fixed_dictionaries(
    {}, optional={"schedule": SCHEDULE, "complianceConfig": BENCHMARKS, "workloadSelector": st.just({"names": ["x"]})}
)
STEPS = st.lists(
    st.one_of(st.tuples(st.just("git"), STATED), st.tuples(st.just("hand"), BY_HAND)), min_size=1, max_size=6
)


@pytest.fixture(scope="module")
def server() -> Iterator[StandIn]:
    server = StandIn().start()
    server.install(definition(KIND, namespaced=False))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def backend(server: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    file: Path = server.kubeconfig(tmp_path_factory.mktemp("cluster") / "config")
    target = Target("dev", "kubernetes", options={"kubeconfig": str(file)})
    limits = Limits(requests_per_second=1_000_000.0)
    opened = connect(
        target, {KIND.name: KIND}, secrets=Secret, again=lambda call: call(), limits=limits, clock=SystemClock()
    )
    yield opened
    opened.close()


def write(backend: Backend, name: str, spec: dict[str, Any]) -> None:
    address = Address(KIND.name, name)
    desired = Resource(address, desired_spec(KIND, {"name": name, **spec}))
    for expected in (True, False):
        live = tuple(backend.read(KIND, frozenset({name})))
        plan = build("dev", "dev", World((desired,), live), {KIND.name: KIND})
        assert expected or not plan.changes, "a second plan has something to do"
        for change in plan.changes:
            backend.write(change, KIND)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=STATED, steps=STEPS)
def test_after_an_apply_the_object_says_what_git_says_and_keeps_the_rest(
    server: StandIn, backend: Backend, first: dict[str, Any], steps: list[tuple[str, dict[str, Any]]]
) -> None:
    name = f"p{next(NUMBERS)}"
    write(backend, name, first)
    sort = server.cluster.sort("aqua.security", "compliancepolicies")
    for who, spec in steps:
        before = server.cluster.get(sort, "", name)["spec"]
        if who == "hand":
            server.edit(PLURAL, name, {"spec": spec}, "kubectl-edit")
            continue
        write(backend, name, spec)
        after = server.cluster.get(sort, "", name)["spec"]
        assert after["complianceConfig"] == spec["complianceConfig"]
        assert {member: after.get(member) for member in before if member not in spec} == {
            member: value for member, value in before.items() if member not in spec
        }
    server.cluster.delete(sort, "", name, "", dry=False)
