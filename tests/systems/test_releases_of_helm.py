"""Charts nobody here has seen, histories nobody expects, and an engine that is ended in the middle: a real Helm."""

from __future__ import annotations

import base64
import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from policysync.backends.helm.engine import Chart, Engine, Release
from policysync.errors import OutcomeUnknown, Refused
from policysync.plan.change import Action
from systems.cluster_hands import Hands
from systems.connector_world import CHART, Connectors, certificate, edits, spec, stand_in
from systems.kube_standin.server import Asked, StandIn

NETWORK_POLICIES = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "networkpolicies.networking.k8s.io"},
    "spec": {
        "group": "networking.k8s.io",
        "scope": "Namespaced",
        "names": {"kind": "NetworkPolicy", "plural": "networkpolicies"},
        "versions": [{"name": "v1", "served": True, "storage": True}],
    },
}
OTHER_OBJECTS = """\
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: deny}
spec: {podSelector: {}}
---
apiVersion: v1
kind: List
items:
  - apiVersion: v1
    kind: ConfigMap
    metadata: {name: listed}
    data: {a: "1"}
---
apiVersion: v1
kind: Service
metadata: {name: dated}
spec: {externalName: 2026-01-01, sessionAffinity: 12:30:45}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: a-sidekick}
spec:
  replicas: 1
  selector: {matchLabels: {app: sidekick}}
  template:
    metadata: {labels: {app: sidekick}}
    spec: {containers: [{name: sidekick, image: sidekick.example/s:9}]}
"""
DEPLOYMENT = "/apis/apps/v1/namespaces/aqua/deployments/aqua-cloud-connector"
RELEASE = Release("aqua-cloud-connector", "aqua")


@pytest.fixture
def api(tmp_path: Path) -> Iterator[StandIn]:
    with stand_in(tmp_path) as server:
        yield server


@pytest.fixture
def world(api: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Connectors:
    folders = os.environ["PATH"].split(os.pathsep)
    monkeypatch.setenv("PATH", os.pathsep.join(folder for folder in folders if not (Path(folder) / "helm").exists()))
    # Releases are read from Secrets, whatever somebody's shell says.
    monkeypatch.setenv("HELM_DRIVER", "configmap")
    return Connectors(api.kubeconfig(tmp_path / "kubeconfig", ca=certificate(tmp_path)), "stand-in")


def newest_release(api: StandIn) -> dict[str, Any]:
    return api.cluster.objects[max(key for key in api.cluster.objects if key[3].startswith("sh.helm.release"))]


def mark(held: dict[str, Any], status: str) -> None:
    said = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(held["data"]["release"]))))
    said["info"]["status"] = held["metadata"]["labels"]["status"] = status
    held["data"]["release"] = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(said).encode()))).decode()


def test_objects_of_any_kind_are_found_and_the_connector_is_told_from_what_stands_beside_it(
    world: Connectors, api: StandIn, tmp_path: Path
) -> None:
    api.install(NETWORK_POLICIES)
    shutil.copytree(CHART, tmp_path / "chart")
    (tmp_path / "chart/templates/others.yaml").write_text(OTHER_OBJECTS, encoding="utf-8")
    stated = spec(world.context, chart__localPath=str(tmp_path / "chart"))
    world.apply(stated)
    assert world.plan(stated).changes == ()
    api.cluster.objects.pop(("networking.k8s.io", "networkpolicies", "aqua", "deny"))
    hands = Hands(world.kubeconfig)
    hands.edit(DEPLOYMENT, {"spec": {"replicas": 7}})
    hands.edit("/api/v1/namespaces/aqua/configmaps/listed", {"data": {"a": "2"}})
    hands.close()
    found = edits(world.plan(stated, stated))
    assert found["replicas"] == (7, 2)
    assert found["foreign"][0] == ["ConfigMap listed /data/a", "NetworkPolicy deny is gone"]
    world.apply(stated, stated)
    assert world.plan(stated).changes == ()


def test_a_chart_that_makes_nothing_is_a_release_like_another(world: Connectors, tmp_path: Path) -> None:
    (tmp_path / "chart/templates").mkdir(parents=True)
    about = "apiVersion: v2\nname: cloud-connector\nversion: v2022.4.5\n"
    (tmp_path / "chart/Chart.yaml").write_text(about, encoding="utf-8")
    (tmp_path / "chart/templates/NOTES.txt").write_text("nothing", encoding="utf-8")
    stated = spec(world.context, chart__localPath=str(tmp_path / "chart"))
    world.apply(stated)
    assert world.plan(stated).changes == ()


def test_another_chart_than_the_document_names_is_not_installed(world: Connectors, api: StandIn) -> None:
    with pytest.raises(Refused, match=r"is version 2022\.4\.5, and chart\.version says 2022\.4\.3"):
        world.apply(spec(world.context, chart__version="2022.4.3"))
    assert not [key for key in api.cluster.objects if key[2] == "aqua"]


@pytest.mark.parametrize("status", ["superseded", "uninstalled"])
def test_a_history_in_which_nothing_is_deployed_is_taken_up(world: Connectors, api: StandIn, status: str) -> None:
    stated = spec(world.context)
    world.apply(stated)
    mark(newest_release(api), status)
    if status == "uninstalled":
        for key in [key for key in api.cluster.objects if key[2] == "aqua" and not key[3].startswith("sh.helm")]:
            del api.cluster.objects[key]
    (change,) = world.plan(stated, stated).changes
    assert change.action is (Action.CREATE if status == "uninstalled" else Action.UPDATE)
    world.apply(stated, stated)
    assert world.plan(stated).changes == ()


def test_the_namespace_of_somebody_elses_release_is_left_alone_and_says_whose_it_is(world: Connectors) -> None:
    chart = Chart("cloud-connector", "2022.4.5", "", str(CHART))
    with world.backend():
        hands = Hands(world.kubeconfig)
        hands.namespace("aqua")
        hands.close()
    environ = {name: value for name, value in os.environ.items() if name != "HELM_DRIVER"}
    Engine({**environ, "KUBECONFIG": str(world.kubeconfig)}, wait=0).upgrade(Release("somebody", "aqua"), chart, {})
    plan = world.plan(spec(world.context))
    assert (plan.changes, plan.blocked[0].hindrance.reason) == ((), "other-owner")
    assert "belongs to release somebody" in plan.blocked[0].hindrance.message


def child() -> int:
    """Return the process of the engine that this process started."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        if b"policysync.backends.helm.child" in command and int(parent) == os.getpid():
            return int(process.name)
    raise AssertionError("no engine is running")


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc to find the engine")
@pytest.mark.parametrize("verb", ["rollback", "uninstall"])
def test_what_an_engine_that_was_killed_leaves_is_named_and_its_remedy_leads_on(
    world: Connectors, api: StandIn, verb: str
) -> None:
    first, stated = spec(world.context), spec(world.context, replicas=5)
    if verb == "rollback":
        world.apply(first)

    def kill(asked: Asked) -> None:
        if asked.method != "GET" and "/deployments" in asked.path and "policysync" not in _agent(asked):
            os.kill(child(), signal.SIGKILL)

    api.meddle = kill
    with pytest.raises(OutcomeUnknown, match="ended by signal 9"):
        world.apply(stated, first)
    api.meddle = lambda _asked: None
    plan = world.plan(stated, first)
    assert (plan.changes, plan.blocked[0].hindrance.reason) == ((), "release-locked")
    assert f"`helm {verb} aqua-cloud-connector -n aqua`" in plan.blocked[0].hindrance.message
    remedy = f"helm_python.Config(kubeconfig_path={str(world.kubeconfig)!r}, namespace='aqua').{verb}"
    # In a process of its own: there is Go inside, which must not be forked around.
    subprocess.run([sys.executable, "-c", f"import helm_python; {remedy}('aqua-cloud-connector')"], check=True)
    world.apply(stated, first)
    assert world.plan(stated).changes == ()


def _agent(asked: Asked) -> str:
    headers: Mapping[str, str] = asked.headers
    return headers.get("user-agent", "")
