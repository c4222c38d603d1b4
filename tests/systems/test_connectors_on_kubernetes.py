"""Connectors by a real Helm engine: on the stand-in always, on a real API server where one was built."""

from __future__ import annotations

import base64
import gzip
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from policysync.backends.helm.engine import Chart, Engine, Release
from policysync.backends.helm.release import decode
from policysync.errors import Refused
from policysync.plan.change import Action, Cause
from policysync.pointer import MISSING
from policysync.render.aqua_helm import helm_values
from policysync.state.normalize import desired_spec
from systems.cluster_hands import Hands
from systems.connector_world import (
    ADDRESS,
    CHART,
    EXAMPLES,
    KIND,
    OPERATOR,
    Connectors,
    certificate,
    edits,
    spec,
    stand_in,
)
from systems.kube_standin.server import StandIn
from systems.kubernetes import server as real

OURS = Chart("cloud-connector", "2022.4.5", "", str(CHART))
RELEASE = Release("aqua-cloud-connector", "aqua")
DEPLOYMENT = "/apis/apps/v1/namespaces/aqua/deployments/aqua-cloud-connector"
SETTINGS = "/api/v1/namespaces/aqua/configmaps/aqua-cloud-connector-configmap"
PACKAGE = "helm-python-sdk"
# The program of the machine serves as well, where there is one.
ENGINES = [PACKAGE, *(["helm"] if shutil.which("helm") else [])]


def path_without_helm() -> str:
    folders = os.environ["PATH"].split(os.pathsep)
    return os.pathsep.join(folder for folder in folders if not (Path(folder) / "helm").exists())


@pytest.fixture(params=ENGINES)
def helm(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == PACKAGE:
        monkeypatch.setenv("PATH", path_without_helm())
    return str(request.param)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[StandIn]:
    with stand_in(tmp_path) as server:
        yield server


@pytest.fixture
def world(api: StandIn, tmp_path: Path, helm: str) -> Connectors:
    return Connectors(api.kubeconfig(tmp_path / "kubeconfig", ca=certificate(tmp_path)), "stand-in")


def hands(world: Connectors) -> Hands:
    return Hands(world.kubeconfig)


def example_values() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((EXAMPLES / "aqua-cloud-connector.values.yaml").read_text(encoding="utf-8"))
    return found


def render(values: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    text = Engine({**os.environ}).render(RELEASE, OURS, values)
    return {(o["kind"], o["metadata"]["name"]): o for o in yaml.safe_load_all(text) if o}


def test_helm_makes_of_our_values_the_objects_of_the_reference(helm: str) -> None:
    wanted = {
        (o["kind"], o["metadata"]["name"]): o
        for o in yaml.safe_load_all((EXAMPLES / "aqua-cloud-connector.objects.yaml").read_text(encoding="utf-8"))
    }
    values = helm_values(desired_spec(KIND, spec("eks-eu-prod")), str)
    found = render(values)
    tunnels = found["ConfigMap", "aqua-tunnels-cloud-connector-conf"]["data"]
    dialects = yaml.safe_load((EXAMPLES / "aqua-cloud-connector.connector-config.yaml").read_text(encoding="utf-8"))
    assert yaml.safe_load(tunnels["aqua-tunnels-cloud-connector-config"]) == dialects["chart_flat"]
    marks = found["Deployment", "aqua-cloud-connector"]["spec"]["template"]["metadata"]["annotations"]
    assert len(marks["checksum/config"]) == 64
    # What the reference only describes is compared above.
    tunnels["aqua-tunnels-cloud-connector-config"] = wanted["ConfigMap", "aqua-tunnels-cloud-connector-conf"]["data"][
        "aqua-tunnels-cloud-connector-config"
    ]
    meant = wanted["Deployment", "aqua-cloud-connector"]["spec"]["template"]["metadata"]["annotations"]
    marks["checksum/config"] = meant["checksum/config"]
    assert found == wanted


def test_an_affinity_breaks_the_chart(helm: str) -> None:
    nested: dict[str, Any] = {
        "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": []}}
    }
    with pytest.raises(Refused, match="helm"):
        render({**example_values(), "affinity": nested})


def test_without_its_api_version_a_budget_is_of_one_that_clusters_no_longer_serve(helm: str) -> None:
    values = example_values()
    del values["pdbApiVersion"]
    assert render(values)["PodDisruptionBudget", "aqua-cloud-connector-pdb"]["apiVersion"] == "policy/v1beta1"


def test_an_empty_port_is_a_null_in_the_file(helm: str) -> None:
    values = example_values()
    values["tunnels"]["azure"]["registryPort"] = ""
    file = render(values)["ConfigMap", "aqua-tunnels-cloud-connector-conf"]["data"]
    assert {"port": None} in yaml.safe_load(file["aqua-tunnels-cloud-connector-config"])["tunnels"]


def test_the_port_of_the_probe_does_not_follow_by_itself(helm: str) -> None:
    pod = render({**example_values(), "healthPort": {"port": "9090"}})["Deployment", "aqua-cloud-connector"]
    container = pod["spec"]["template"]["spec"]["containers"][0]
    assert container["livenessProbe"]["httpGet"]["port"] == 8080
    ours = helm_values(desired_spec(KIND, spec("here", healthPort=9090)), str)
    pod = render(ours)["Deployment", "aqua-cloud-connector"]
    assert pod["spec"]["template"]["spec"]["containers"][0]["livenessProbe"]["httpGet"]["port"] == 9090


def story(world: Connectors, replicas: int) -> None:
    """Create, plan clean, edit by hand, see drift, heal, move with git, delete."""
    stated = spec(world.context, replicas=replicas)
    assert [change.action for change in world.apply(stated).changes] == [Action.CREATE]
    assert world.plan(stated).changes == ()
    hand = hands(world)
    hand.edit(DEPLOYMENT, {"spec": {"replicas": 7, "template": {"spec": {"hostNetwork": True}}}})
    hand.edit(SETTINGS, {"data": {"AQUA_TLS_VERIFY": "0"}})
    (container,) = hand.client.get(DEPLOYMENT)["spec"]["template"]["spec"]["containers"]
    added = [
        {**container, "env": [*container["env"], {"name": "BY_HAND", "value": "1"}]},
        {"name": "s", "image": "s:1"},
    ]
    hand.edit(DEPLOYMENT, {"spec": {"template": {"spec": {"containers": added}}}})
    found = edits(world.plan(stated, stated))
    assert found["replicas"] == (7, replicas)
    assert found["extraEnv/BY_HAND"] == ("1", MISSING)
    assert found["tlsVerify"] == (False, True)
    strange = ("hostNetwork", "containers")
    assert {f"Deployment aqua-cloud-connector /spec/template/spec/{name}" for name in strange} <= {*found["foreign"][0]}
    world.apply(stated, stated)
    assert world.plan(stated).changes == ()
    assert "hostNetwork" not in hand.client.get(DEPLOYMENT)["spec"]["template"]["spec"]
    moved = spec(world.context, replicas=replicas, image__tag="2022.4.759", proxy={})
    assert set(edits(world.plan(moved))) == {"image/tag", "proxy/https", "proxy/noProxy"}
    world.apply(moved, stated)
    assert world.plan(moved).changes == ()
    hand.close()
    assert [change.action for change in world.apply(None, moved).changes] == [Action.DELETE]
    assert world.plan(moved).changes[0].action is Action.CREATE


def test_the_story_of_a_connector(world: Connectors) -> None:
    story(world, replicas=2)


@pytest.mark.skipif(not real.is_built(), reason="no kube-apiserver here: make kubernetes builds it")
def test_the_story_of_a_connector_on_a_real_api_server(
    tmp_path: Path, helm: str, record_property: Callable[[str, object], None]
) -> None:
    cluster = real.Cluster(tmp_path).start()
    try:
        # What is built serves no policy/v1, so there is one replica.
        story(Connectors(cluster.kubeconfig(tmp_path / "kubeconfig"), "real"), replicas=1)
    finally:
        cluster.stop()
    record_property("system", f"a connector by {helm} against {real.NAME}")


NAME = "aqua-cloud-connector"


def generation(api: StandIn) -> int:
    found = api.cluster.get(api.cluster.sort("apps", "deployments"), "aqua", "aqua-cloud-connector")
    return int(found["metadata"]["generation"])


def test_a_change_of_tunnels_alone_starts_the_pods_again_because_of_the_mark(world: Connectors, api: StandIn) -> None:
    stated = spec(world.context)
    world.apply(stated)
    before = generation(api)
    stated["tunnels"][2]["port"] = 9443
    world.apply(stated)
    assert generation(api) == before + 1


def test_without_the_mark_it_would_leave_them_running(world: Connectors, api: StandIn) -> None:
    world.apply(spec(world.context))
    engine = Engine({**os.environ, "KUBECONFIG": str(world.kubeconfig)}, wait=0)
    values = {**example_values(), "podAnnotations": {}}
    engine.upgrade(RELEASE, OURS, values)
    before, asked = generation(api), len(api.asked)
    values["tunnels"]["onprem"]["registryPort"] = "9443"
    engine.upgrade(RELEASE, OURS, values)
    assert generation(api) == before
    patched = [each.path for each in api.asked[asked:] if each.method == "PATCH"]
    assert any(path.endswith("aqua-tunnels-cloud-connector-conf") for path in patched)


def test_another_token_starts_the_pods_again_and_shows_as_a_change(world: Connectors, api: StandIn) -> None:
    stated = spec(world.context, auth={"method": "token", "tokenFrom": {"env": "AQUA_TOKEN"}})
    world.environ["AQUA_TOKEN"] = "tk-first-4411"
    world.apply(stated)
    assert world.plan(stated).changes == ()
    before = generation(api)
    world.environ["AQUA_TOKEN"] = "tk-second-5522"
    plan = world.apply(stated)
    assert edits(plan) == {"auth/tokenFrom/env": ("AQUA_TOKEN (another value)", "AQUA_TOKEN")}
    assert generation(api) == before + 1
    assert world.plan(stated).changes == ()
    # Where the token cannot be read, nobody can say that it differs.
    world.environ.clear()
    assert world.plan(stated).changes == ()
    assert "tk-" not in repr(plan)


def rotate(world: Connectors, api: StandIn, value: str) -> None:
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "aqua-cc-token", "namespace": "aqua"}}
    body["data"] = {"token": base64.b64encode(value.encode()).decode()}
    api.cluster.write(api.cluster.sort("", "secrets"), "aqua", "aqua-cc-token", body, "kubectl")


PULL = {"create": True, "name": "pull", "usernameFrom": {"env": "PULLER"}, "passwordFrom": {"env": "PULLS_WITH"}}


@pytest.mark.parametrize("method", ["helm", "manifests", "operator"])
def test_a_secret_that_was_rotated_at_its_place_is_pending_and_one_that_was_changed_here_is_drift(
    world: Connectors, api: StandIn, method: str
) -> None:
    world.environ |= {"AQUA_TOKEN": "tk-first-4411", "PULLER": "puller-77", "PULLS_WITH": "pw-first-88"}
    stated = spec(world.context, auth={"tokenFrom": {"env": "AQUA_TOKEN"}}, install={"method": method}, proxy={})
    if method == "operator":
        api.install(OPERATOR)
        make_namespace(world)
    else:
        stated["imagePullSecret"] = PULL
    world.apply(stated)
    world.environ |= {"AQUA_TOKEN": "tk-second-5522", "PULLS_WITH": "pw-second-99"}
    (rotated,) = world.plan(stated, stated).changes
    wanted = {"auth/tokenFrom/env", *(["imagePullSecret/passwordFrom/env"] if method != "operator" else [])}
    assert {"/".join(edit.path) for edit in rotated.edits} == wanted
    assert {edit.cause for edit in rotated.edits} == {Cause.PENDING}
    world.apply(stated, stated)
    assert world.plan(stated, stated).changes == ()
    given_by_hand(world, stated, method, "tk-by-hand-6633")
    assert [each.cause for each in world.plan(stated, stated).changes] == [Cause.DRIFT]
    world.apply(stated, stated)
    assert world.plan(stated, stated).changes == ()


def make_namespace(world: Connectors) -> None:
    hand = hands(world)
    hand.namespace("aqua")
    hand.close()


def given_by_hand(world: Connectors, stated: dict[str, Any], method: str, token: str) -> None:
    """Give a connector another token where it is installed, as `helm upgrade --set` or `kubectl edit` does."""
    hand = hands(world)
    if method == "helm":
        (held,) = [each for each in release_configs(hand) if each["revision"] == 2]
        Engine({**os.environ, "KUBECONFIG": str(world.kubeconfig)}, wait=0).upgrade(
            RELEASE, OURS, {**held["config"], "token": token}
        )
    elif method == "manifests":
        hand.edit("/api/v1/namespaces/aqua/secrets/user-secret", {"data": {"token": encoded(token)}})
    else:
        place = "/apis/operator.aquasec.com/v1alpha1/namespaces/aqua/aquacloudconnectors/aqua-cloud-connector"
        hand.edit(place, {"spec": {"login": {"token": token}}})
    hand.close()


def release_configs(hand: Hands) -> list[dict[str, Any]]:
    found = [decode(each) for each in hand.client.list("/api/v1/namespaces/aqua/secrets", labels="owner=helm")]
    return [{"revision": each.revision, "config": each.config} for each in found]


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize("method", ["helm", "manifests"])
def test_another_token_in_a_secret_of_the_cluster_starts_the_pods_again(
    world: Connectors, api: StandIn, method: str
) -> None:
    stated = spec(world.context, install={"method": method})
    world.apply(stated)
    rotate(world, api, "tk-first-4411")
    assert world.plan(stated).changes == ()
    world.apply({**stated, "replicas": 3}, stated)
    stated["replicas"] = 3
    before = generation(api)
    rotate(world, api, "tk-second-5522")
    plan = world.apply(stated)
    assert edits(plan) == {"auth/tokenFrom/kubernetesSecret/key": ("token (another value)", "token")}
    assert {change.cause for change in plan.changes} == {Cause.PENDING}
    assert generation(api) == before + 1
    assert world.plan(stated).changes == ()
    assert "tk-" not in repr(plan) + repr(api.cluster.get(api.cluster.sort("apps", "deployments"), "aqua", NAME))


def release_secrets(api: StandIn) -> list[tuple[str, ...]]:
    return sorted(key for key in api.cluster.objects if key[3].startswith("sh.helm.release"))


def mark_release(api: StandIn, status: str) -> None:
    """Write another status into the newest revision of the release, as a run that died leaves it."""
    key = release_secrets(api)[-1]
    held = api.cluster.objects[key]  # type: ignore[index]
    said = json.loads(gzip.decompress(base64.b64decode(base64.b64decode(held["data"]["release"]))))
    said["info"]["status"] = status
    packed = base64.b64encode(base64.b64encode(gzip.compress(json.dumps(said).encode()))).decode()
    held["data"]["release"] = packed
    held["metadata"]["labels"]["status"] = status


@pytest.mark.parametrize("status", ["pending-install", "pending-upgrade", "pending-rollback", "uninstalling"])
def test_a_release_that_somebody_holds_is_unreadable_and_never_changed(
    api: StandIn, tmp_path: Path, status: str
) -> None:
    world = Connectors(api.kubeconfig(tmp_path / "kubeconfig", ca=certificate(tmp_path)), "stand-in")
    stated = spec(world.context)
    world.apply(stated)
    mark_release(api, status)
    plan = world.plan(spec(world.context, replicas=5))
    assert plan.changes == ()
    (blocked,) = plan.blocked
    assert blocked.address == ADDRESS
    assert (blocked.hindrance.state, blocked.hindrance.reason) == ("unreadable", "release-locked")
    assert status in blocked.hindrance.message


def test_a_failed_release_is_a_difference_and_is_upgraded(world: Connectors, api: StandIn) -> None:
    stated = spec(world.context)
    world.apply(stated)
    mark_release(api, "failed")
    assert edits(world.plan(stated))["foreign"] == (["release is failed"], [])
    world.apply(stated)
    assert world.plan(stated).changes == ()


def test_old_tokens_do_not_pile_up_in_old_revisions(world: Connectors, api: StandIn) -> None:
    for number in range(6):
        world.apply(spec(world.context, replicas=2 + number))
    assert len(release_secrets(api)) == 5


def test_a_secret_that_is_no_release_is_unreadable(api: StandIn, tmp_path: Path) -> None:
    world = Connectors(api.kubeconfig(tmp_path / "kubeconfig", ca=certificate(tmp_path)), "stand-in")
    stated = spec(world.context)
    world.apply(stated)
    api.cluster.objects[release_secrets(api)[-1]]["data"]["release"] = "bm90aGluZw=="  # type: ignore[index]
    (blocked,) = world.plan(stated).blocked
    assert blocked.hindrance.reason == "release-unreadable"


def test_who_may_not_read_secrets_is_told_so_and_nothing_is_created(api: StandIn, tmp_path: Path) -> None:
    world = Connectors(api.kubeconfig(tmp_path / "kubeconfig", ca=certificate(tmp_path)), "stand-in")
    api.cluster.forbidden.add(("list", "secrets"))
    plan = world.plan(spec(world.context))
    assert (plan.changes, plan.blocked[0].hindrance.reason) == ((), "forbidden")
