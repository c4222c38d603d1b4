"""`check --probe-cluster` against an API server; the test plays the kubelet."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from policysync.backends.connect import connect
from policysync.backends.port import Backend, ChecksInside, Level, Sign
from policysync.clock import FakeClock
from policysync.documents.project import Limits, Target
from policysync.errors import Refused
from policysync.state.normalize import desired_spec
from policysync.state.resource import Resource
from systems.connector_world import ADDRESS, KIND, KINDS, spec
from systems.kube_standin.cluster import Failure
from systems.kube_standin.server import Asked, StandIn, running

PODS = "/api/v1/namespaces/aqua/pods"
TUNNELS: list[dict[str, Any]] = [
    {"type": "onprem", "host": "harbor.corp.example", "port": 8443},
    {"type": "jfrog", "host": "jfrog.corp.example"},
    {"type": "gcp", "host": "gone.corp.example"},
]
HARBOR, JFROG, GONE = (f"preflight/tunnel/{each['host']}" for each in TUNNELS)


@pytest.fixture(name="api")
def _api() -> Iterator[StandIn]:
    for server in running():
        space = server.cluster.sort("", "namespaces")
        server.cluster.write(space, "", "aqua", {"metadata": {"name": "aqua"}}, "setup")
        yield server


@pytest.fixture(name="target")
def _target(api: StandIn, tmp_path: Path) -> Target:
    kubeconfig = api.kubeconfig(tmp_path / "kubeconfig")
    return Target("cluster", "kubernetes", options={"kubeconfig": str(kubeconfig), "context": "stand-in"})


def opened(target: Target, clock: FakeClock | None = None) -> Backend:
    return connect(
        target,
        KINDS,
        secrets=lambda _: pytest.fail("no secrets"),
        again=lambda call: call(),
        limits=Limits(requests_per_second=0, timeout=60.0),
        clock=clock or FakeClock(),
    )


def looked(backend: Backend) -> dict[str, Sign]:
    stated = spec("stand-in", install={"method": "manifests"}, tunnels=TUNNELS, proxy={})
    stated["gateway"] = {"host": "127.0.0.1", "port": 9}
    assert isinstance(backend, ChecksInside)
    return {sign.name: sign for sign in backend.check_inside(Resource(ADDRESS, desired_spec(KIND, stated)))}


def signs(target: Target) -> dict[str, Sign]:
    backend = opened(target)
    try:
        return looked(backend)
    finally:
        backend.close()


def kubelet(api: StandIn, status: dict[str, Any], log: str = "") -> None:
    """Give each pod of a probe a status when it is looked at, and a log."""

    def meddle(asked: Asked) -> None:
        if asked.method == "GET" and asked.path.startswith(f"{PODS}/policysync-probe-"):
            name = asked.path.split("/")[6]
            if not asked.path.endswith("/log"):
                api.edit("pods", name, {"status": status}, "kubelet", namespace="aqua")
            api.logs["aqua", name] = log

    api.meddle = meddle


def left(api: StandIn) -> list[Any]:
    return [key for key in api.cluster.objects if key[1] == "pods"]


def made(api: StandIn) -> list[dict[str, Any]]:
    return [json.loads(asked.body) for asked in api.asked if (asked.method, asked.path) == ("POST", PODS)]


def test_each_host_is_told_as_the_pod_saw_it_and_the_pod_goes(api: StandIn, target: Target) -> None:
    lines = (
        "tried\tharbor.corp.example\t8443\t0\t",
        "tried\tjfrog.corp.example\t443\t1\tnc: jfrog.corp.example (192.0.2.7:443): Connection refused",
        "tried\tgone.corp.example\t443\t1\tnc: bad address 'gone.corp.example'",
    )
    kubelet(api, {"phase": "Succeeded"}, "\n".join(lines))
    found = signs(target)
    assert {name: (found[name].level, found[name].reason) for name in (HARBOR, JFROG, GONE)} == {
        HARBOR: (Level.OK, ""),
        JFROG: (Level.ERROR, "tunnel-port-closed"),
        GONE: (Level.ERROR, "tunnel-host-unresolved"),
    }
    assert "preflight/tunnels" not in found
    assert not left(api)
    (pod,) = made(api)
    (container,) = pod["spec"]["containers"]
    hosts, ports = container["args"][::2], container["args"][1::2]
    wanted = {"harbor.corp.example": "8443", "jfrog.corp.example": "443", "gone.corp.example": "443"}
    assert dict(zip(hosts, ports, strict=True)) == wanted
    assert pod["metadata"]["labels"]["app.kubernetes.io/managed-by"] == "policysync"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (
            {
                "phase": "Pending",
                "containerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no busybox"}}}],
            },
            "ImagePullBackOff: no busybox",
        ),
        ({"phase": "Failed", "reason": "DeadlineExceeded"}, "DeadlineExceeded"),
        ({"phase": "Pending"}, "has not ended after 60 seconds"),
    ],
)
def test_a_pod_that_cannot_say_it_leaves_the_hosts_unknown_with_the_cause(
    api: StandIn, target: Target, status: dict[str, Any], said: str
) -> None:
    kubelet(api, status)
    found = signs(target)
    assert {(found[name].level, found[name].reason) for name in (HARBOR, JFROG, GONE)} == {
        (Level.UNKNOWN, "probe-failed")
    }
    assert said in found[HARBOR].message
    assert not left(api)


def test_no_pod_is_made_that_could_not_be_deleted(api: StandIn, target: Target) -> None:
    api.cluster.forbidden.add(("delete", "pods"))
    found = signs(target)
    assert (found[HARBOR].level, found[HARBOR].reason) == (Level.UNKNOWN, "probe-failed")
    assert "may not delete pods" in found[HARBOR].message
    assert not made(api)


def test_what_admission_refuses_is_the_cause(api: StandIn, target: Target) -> None:
    def meddle(asked: Asked) -> None:
        if (asked.method, asked.path) == ("POST", PODS):
            raise Failure(403, "Forbidden", "exceeded quota: compute")

    api.meddle = meddle
    assert "exceeded quota: compute" in signs(target)[HARBOR].message


def test_a_log_that_may_not_be_read_is_the_cause(api: StandIn, target: Target) -> None:
    kubelet(api, {"phase": "Succeeded"})
    played = api.meddle

    def meddle(asked: Asked) -> str | None:
        if asked.path.endswith("/log"):
            raise Failure(403, "Forbidden", "cannot get pods/log")
        return played(asked)

    api.meddle = meddle
    assert "cannot get pods/log" in signs(target)[HARBOR].message
    assert not left(api)


def test_a_pod_that_nobody_said_was_made_goes_too(api: StandIn, target: Target) -> None:
    api.meddle = lambda asked: "drop" if (asked.method, asked.path) == ("POST", PODS) else None
    assert signs(target)[HARBOR].reason == "probe-failed"
    assert made(api)
    assert not left(api)


class Impatient(FakeClock):
    """Interrupts the first wait for a pod as Ctrl-C does: connections are closed first."""

    def __init__(self, api: StandIn) -> None:
        super().__init__()
        self.api = api
        self.backend: Backend | None = None

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self.backend and left(self.api):
            self.backend.close()
            raise KeyboardInterrupt


def test_an_interrupt_that_closes_the_connections_leaves_no_pod(api: StandIn, target: Target) -> None:
    kubelet(api, {"phase": "Running"})
    clock = Impatient(api)
    clock.backend = backend = opened(target, clock)
    with pytest.raises(KeyboardInterrupt):
        looked(backend)
    assert len(made(api)) == 1
    assert not left(api)


def test_another_image_is_an_option_of_the_target(api: StandIn, target: Target) -> None:
    kubelet(api, {"phase": "Succeeded"})
    mirrored = Target("cluster", "kubernetes", options={**target.options, "probe_image": "mirror.example/busybox:1.36"})
    assert signs(mirrored)[HARBOR].reason == "probe-failed"
    assert made(api)[0]["spec"]["containers"][0]["image"] == "mirror.example/busybox:1.36"
    wrong = Target("cluster", "kubernetes", options={**target.options, "probe_image": 3})
    with pytest.raises(Refused, match=r"options\.probe_image is 3"):
        opened(wrong)


def test_a_check_that_was_not_asked_to_makes_no_pod(api: StandIn, target: Target) -> None:
    backend = opened(target)
    stated = desired_spec(KIND, spec("stand-in", tunnels=TUNNELS, proxy={}))
    try:
        found = {sign.name: sign for sign in backend.check(Resource(ADDRESS, stated))}  # type: ignore[attr-defined]
    finally:
        backend.close()
    assert found["preflight/tunnels"].reason == "seen-from-the-cluster"
    assert not made(api)
