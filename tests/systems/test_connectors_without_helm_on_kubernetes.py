"""Connectors as plain objects and as the operator's resource, checks of connectors, and artefacts in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from policysync.backends.connect import connect
from policysync.backends.port import Level
from policysync.clock import FakeClock, SystemClock
from policysync.documents.project import Limits, Target
from policysync.errors import Refused
from policysync.plan.build import World, build
from policysync.plan.change import Action
from policysync.state.normalize import desired_spec
from policysync.state.resource import Address, Resource
from systems.cluster_hands import Hands
from systems.connector_world import ADDRESS, KIND, KINDS, OPERATOR, Connectors, certificate, edits, spec, stand_in
from systems.kube_standin.server import StandIn

DEPLOYMENT = "/apis/apps/v1/namespaces/aqua/deployments/aqua-cloud-connector"
FILE = "/api/v1/namespaces/aqua/configmaps/aqua-cloud-connector-conf"
SECRET = "/api/v1/namespaces/aqua/secrets/user-secret"
AZURE = {"type": "azure", "host": "one.azurecr.io", "port": 443}
TWO = [AZURE, {**AZURE, "host": "two.azurecr.io", "port": 8443}]
CONNECTED = "connection established with remote server"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[StandIn]:
    with stand_in(tmp_path) as server:
        yield server


@pytest.fixture
def world(api: StandIn, tmp_path: Path) -> Connectors:
    return Connectors(
        api.kubeconfig(tmp_path / "kubeconfig", ca=certificate(tmp_path)),
        "stand-in",
        {"AQUA_TOKEN": "tk-first-4411"},
        FakeClock(datetime(2026, 1, 1, 12, tzinfo=UTC)),
    )


def plainly(world: Connectors, **members: Any) -> dict[str, Any]:
    token = {"method": "token", "tokenFrom": {"env": "AQUA_TOKEN"}}
    return spec(world.context, install={"method": "manifests"}, auth=token, **members)


def test_plain_objects_take_several_tunnels_of_a_class_and_read_back_as_they_were_stated(world: Connectors) -> None:
    stated = plainly(world, tunnels=[*TWO, *spec("x")["tunnels"][1:]])
    world.apply(stated)
    assert world.plan(stated).changes == ()


def test_edits_by_hand_show_in_the_words_of_the_document_and_are_taken_back(world: Connectors) -> None:
    stated = plainly(world)
    world.apply(stated)
    hands = Hands(world.kubeconfig)
    hands.edit(DEPLOYMENT, {"spec": {"replicas": 9, "template": {"spec": {"hostNetwork": True}}}})
    file = yaml.safe_dump({"tunnels": [{"host": "evil.example"}]})
    hands.edit(FILE, {"data": {"aqua-cloud-connector-config": file}})
    found = edits(world.plan(stated, stated))
    assert found["replicas"] == (9, 2)
    assert "tunnels/type=onprem,host=evil.example,port=443" in found
    assert "Deployment aqua-cloud-connector /spec/template/spec/hostNetwork" in found["foreign"][0]
    world.apply(stated, stated)
    assert world.plan(stated).changes == ()
    hands.close()


def generation(api: StandIn) -> int:
    found = api.cluster.get(api.cluster.sort("apps", "deployments"), "aqua", "aqua-cloud-connector")
    return int(found["metadata"]["generation"])


def test_another_token_is_a_change_and_a_missing_one_is_refused(world: Connectors, api: StandIn) -> None:
    stated = plainly(world)
    world.apply(stated)
    before = generation(api)
    world.environ["AQUA_TOKEN"] = "tk-second-5522"
    assert "auth/tokenFrom/env" in edits(world.plan(stated))
    world.apply(stated)
    # Variables from a Secret are read when a pod starts, and never again.
    assert generation(api) == before + 1
    assert world.plan(stated).changes == ()
    world.environ.clear()
    with pytest.raises(Refused, match="AQUA_TOKEN is not set"):
        world.apply({**stated, "replicas": 3})


def test_what_is_wanted_no_more_goes_and_the_namespace_stays(world: Connectors, api: StandIn) -> None:
    stated = plainly(world)
    world.apply(stated)
    world.apply({**stated, "replicas": 1})
    names = {key[3] for key in api.cluster.objects if key[2] == "aqua"}
    assert "aqua-cloud-connector-pdb" not in names
    assert world.apply(None, stated).changes[0].action is Action.DELETE
    assert not [key for key in api.cluster.objects if key[2] == "aqua"]
    assert ("", "namespaces", "", "aqua") in api.cluster.objects


def test_objects_of_somebody_else_are_never_touched(world: Connectors) -> None:
    stated = plainly(world)
    world.apply(stated)
    hands = Hands(world.kubeconfig)
    hands.edit(DEPLOYMENT, {"metadata": {"labels": {"app.kubernetes.io/managed-by": "another"}}})
    plan = world.plan({**stated, "replicas": 4})
    assert plan.changes == ()
    assert plan.blocked[0].hindrance.reason == "other-owner"
    hands.close()


def test_another_way_to_install_replaces_what_the_first_one_made(world: Connectors, api: StandIn) -> None:
    stated = plainly(world)
    world.apply(stated)
    by_helm = {**stated, "install": {"method": "helm"}}
    (change,) = world.plan(by_helm, stated).changes
    assert (change.replace, "install/method" in {"/".join(edit.path) for edit in change.edits}) == (True, True)
    world.apply(by_helm, stated)
    names = {key[3] for key in api.cluster.objects if key[2] == "aqua"}
    assert "aqua-cloud-connector-conf" not in names
    assert "sh.helm.release.v1.aqua-cloud-connector.v1" in names
    assert world.plan(by_helm).changes == ()


def test_a_document_that_was_renamed_keeps_the_connector(world: Connectors, api: StandIn) -> None:
    stated = plainly(world)
    world.apply(stated)
    new = Resource(Address(KIND.name, "eu-2"), desired_spec(KIND, {**stated, "name": "eu-2"}))
    applied = {ADDRESS: desired_spec(KIND, stated)}
    with world.backend() as backend:
        backend.expect({**applied, new.address: new.spec})
        live = tuple(backend.read(KIND, frozenset({ADDRESS.name, "eu-2"})))
        assert [resource.address for resource in live] == [new.address]
        assert build("dev", "cluster", World((new,), live, applied), KINDS, prune=True).changes == ()
        assert list(backend.list(KIND)) in ([], ["eu-2"])


@pytest.mark.parametrize(
    "file",
    [
        "tunnels:\n- host: 999999999999.dkr.ecr.us-east-1.amazonaws.com\n",
        "tunnels: [a, b]",
        "tunnels:\n- host: a.example\n- port: abc\n",
        "",
        None,
    ],
)
def test_whatever_somebody_made_of_the_file_of_tunnels_is_a_difference(world: Connectors, file: str | None) -> None:
    stated = plainly(world)
    world.apply(stated)
    hands = Hands(world.kubeconfig)
    hands.edit(FILE, {"data": {"aqua-cloud-connector-config": file}})
    hands.close()
    assert world.plan(stated, stated).changes
    world.apply(stated, stated)
    assert world.plan(stated).changes == ()


def test_without_its_operator_a_resource_is_blocked_and_with_it_the_resource_is_kept(
    world: Connectors, api: StandIn
) -> None:
    stated = plainly(world, tunnels=[*TWO, spec("x")["tunnels"][1]], proxy={}) | {"install": {"method": "operator"}}
    assert world.plan(stated).blocked[0].hindrance.reason == "engine-not-installed"
    api.install(OPERATOR)
    hands = Hands(world.kubeconfig)
    hands.namespace("aqua")
    world.apply(stated)
    assert world.plan(stated).changes == ()
    hands.edit(
        "/apis/operator.aquasec.com/v1alpha1/namespaces/aqua/aquacloudconnectors/aqua-cloud-connector",
        {"spec": {"login": {"tlsNoVerify": True}}},
    )
    hands.close()
    assert edits(world.plan(stated))["tlsVerify"] == (False, True)
    assert world.apply(None, stated).changes[0].action is Action.DELETE


def pod(started: str, restarted: str = "") -> dict[str, Any]:
    status: dict[str, Any] = {"state": {"running": {"startedAt": started}}, "restartCount": int(bool(restarted))}
    if restarted:
        status["lastState"] = {"terminated": {"finishedAt": restarted}}
    return {
        "metadata": {"labels": {"app": "aqua-cloud-connector"}},
        "spec": {"containers": [{"name": "aqua-cloud-connector"}]},
        "status": {"containerStatuses": [status]},
    }


def put(api: StandIn, plural: str, name: str, body: dict[str, Any], group: str = "") -> None:
    api.cluster.write(api.cluster.sort(group, plural), "aqua", name, body, "test")


def test_a_connector_that_is_not_there_lacks_what_it_needs(world: Connectors, api: StandIn) -> None:
    api.cluster.forbidden.add(("patch", "secrets"))
    stated = spec(world.context, release={"createNamespace": False}, serviceAccount={"create": False}, proxy={})
    stated["gateway"] = {"host": "127.0.0.1", "port": 9}
    signs = world.signs(stated)
    wanted = {
        "preflight/gateway-name": (Level.WARNING, "unusual-host"),
        "preflight/gateway": (Level.ERROR, "tcp"),
        "preflight/namespace": (Level.ERROR, "missing"),
        "preflight/service-account": (Level.ERROR, "missing"),
        "preflight/auth.tokenFrom": (Level.ERROR, "missing"),
        "preflight/permissions": (Level.ERROR, "forbidden"),
        "preflight/budget": (Level.OK, ""),
        "preflight/names": (Level.OK, ""),
        "preflight/tunnels": (Level.UNKNOWN, "seen-from-the-cluster"),
        "health/available": (Level.ERROR, "not-installed"),
    }
    assert {name: (sign.level, sign.reason) for name, sign in signs.items()} == wanted
    assert "patch secrets" in signs["preflight/permissions"].message


def test_a_connector_is_well_when_its_newest_pod_has_a_session(world: Connectors, api: StandIn) -> None:
    stated = plainly(world, proxy={})
    world.apply(stated)
    api.edit(
        "deployments.apps",
        "aqua-cloud-connector",
        {"status": {"updatedReplicas": 2, "conditions": [{"type": "Available", "status": "True"}]}},
        "kube-controller-manager",
        namespace="aqua",
    )
    put(api, "pods", "old", pod("2026-01-01T10:00:00Z"))
    put(api, "pods", "new", pod("2026-01-01T11:00:00Z"))
    api.answers["aqua", "new:8080/proxy/health"] = (200, "ok")
    api.logs["aqua", "old"] = CONNECTED
    signs = world.signs(stated)
    # The line of an older pod proves nothing.
    assert (signs["health/session"].level, signs["health/session"].reason) == (Level.ERROR, "no-session")
    api.logs["aqua", "new"] = f"starting\n{CONNECTED}\n"
    signs = world.signs(stated)
    assert {n: s.level for n, s in signs.items() if n.startswith("health/")} == dict.fromkeys(
        ("health/available", "health/restarts", "health/answer", "health/session"), Level.OK
    )
    asked = next(each for each in api.asked[::-1] if each.path.endswith("/new/log"))
    assert asked.query["sinceTime"] == "2026-01-01T11:00:00Z"


def test_a_connector_that_restarts_or_just_started_is_told_apart(world: Connectors, api: StandIn) -> None:
    stated = plainly(world, proxy={})
    world.apply(stated)
    put(api, "pods", "new", pod("2026-01-01T11:59:30Z", "2026-01-01T11:59:20Z"))
    signs = world.signs(stated)
    assert signs["health/available"].reason == "not-available"
    assert (signs["health/restarts"].level, signs["health/restarts"].reason) == (Level.WARNING, "restarting")
    assert (signs["health/answer"].level, signs["health/answer"].reason) == (Level.ERROR, "unwell")
    assert (signs["health/session"].level, signs["health/session"].reason) == (Level.UNKNOWN, "progressing")


def test_a_folder_of_artefacts_is_a_target_whose_edits_by_hand_show(tmp_path: Path) -> None:
    target = Target("folder", "files", options={"path": "deploy/dev"})
    backend = connect(
        target,
        KINDS,
        secrets=lambda _: pytest.fail("no secrets"),
        again=lambda call: call(),
        limits=Limits(),
        clock=SystemClock(),
        root=tmp_path,
    )

    def plan(stated: dict[str, Any] | None) -> Any:
        wanted = (Resource(ADDRESS, desired_spec(KIND, stated)),) if stated else ()
        applied: dict[Any, Any] = {} if stated else {ADDRESS: {}}
        return build("dev", "folder", World(wanted, tuple(backend.read(KIND)), applied), KINDS, prune=True).changes

    def apply(stated: dict[str, Any] | None) -> None:
        for change in plan(stated):
            backend.write(change, KIND)

    stated = spec("eks")
    assert [change.action for change in plan(stated)] == [Action.CREATE]
    apply(stated)
    file = tmp_path / "deploy/dev/AquaCloudConnector/eu-prod/values.yaml"
    assert yaml.safe_load(file.read_text())["replicaCount"] == 2
    assert plan(stated) == ()
    file.write_text(file.read_text().replace("replicaCount: 2", "replicaCount: 3"))
    ((edit,),) = (change.edits for change in plan(stated))
    assert (edit.path, edit.before) == (("foreign",), ["file values.yaml"])
    apply(stated)
    assert plan(stated) == ()
    with pytest.raises(Refused, match="would hold a secret"):
        apply(spec("eks", auth={"method": "token", "tokenFrom": {"env": "AQUA_TOKEN"}}))
    assert file.exists()
    apply(None)
    assert not file.parent.exists()
