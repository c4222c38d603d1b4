"""`check`, `render` and `plan` where something around a connector is missing: a release, a cluster, the connector."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from acceptance.policy_repository import PolicyRepository, new_repository, run_here
from systems.kube_standin.server import Asked, StandIn

STAGES = """\
version: 1
limits: {requests_per_second: 100000}
stages:
  - name: dev
    targets:
      - {name: gone, backend: kubernetes, options: {kubeconfig: nowhere.yaml, context: gone}}
      - {name: cluster, backend: kubernetes, options: {kubeconfig: kube.yaml, context: dev, helm_wait: 0}}
  - name: prod
    targets: [{name: prod-cluster, backend: kubernetes, options: {kubeconfig: kube.yaml, context: prod}}]
"""
CONNECTOR = """\
apiVersion: policysync/v1
kind: AquaCloudConnector
metadata: {name: eu}
spec:
  cluster: {context: dev}
  chart: {version: 2022.4.5}
  gateway: {host: gateway.invalid}
  auth: {method: token, tokenFrom: {kubernetesSecret: {name: aqua-cc-token, key: token}}}
  tunnels: [{type: onprem, host: harbor.corp.example, port: 8443}]
"""
HARBOR = """\
apiVersion: policysync/v1
kind: Registry
metadata: {name: Harbor}
spec: {type: HARBOR, url: https://harbor.corp.example, username: aqua}
"""
CARRIED = "Registry/Harbor (policies/base/harbor.yaml:1:1)"


@pytest.fixture(name="cluster")
def _cluster() -> Iterator[StandIn]:
    server = StandIn()
    server.start()
    yield server
    server.stop()


@pytest.fixture(name="git")
def _git(tmp_path: Path, cluster: StandIn) -> PolicyRepository:
    made = new_repository(tmp_path / "policies")
    made.write("policysync.yaml", STAGES)
    made.write("policies/base/connector.yaml", CONNECTOR)
    made.write("policies/base/harbor.yaml", HARBOR)
    made.write(".gitignore", ".policysync/\n/kube.yaml\n")
    made.commit()
    cluster.kubeconfig(made.root / "kube.yaml", "dev")
    return made


def signs(repository: PolicyRepository, *args: str) -> dict[str, dict[str, str]]:
    said = run_here(repository, "check", *args, "--format", "json").json()
    return {sign["name"]: sign for each in said["checked"] for sign in each["signs"]}


def test_a_connector_that_is_down_names_the_registries_it_carries_with_their_places(git: PolicyRepository) -> None:
    sign = signs(git, "--stage", "dev")["health/registries"]
    assert (sign["level"], sign["reason"]) == ("error", "registries-unreached")
    assert sign["message"] == f"the connector is down (not-installed), and it carries {CARRIED}"
    assert "health/registries" not in signs(git, "--stage", "dev", "--preflight")


def test_stages_without_a_release_are_named_and_left_out(git: PolicyRepository) -> None:
    left_out = "stage prod is left out: nothing is released to it yet"
    checked = run_here(git, "check")
    assert "AquaCloudConnector/eu in cluster of dev" in checked.out
    assert left_out in checked.err
    rendered = run_here(git, "render")
    assert (rendered.status, "# dev/AquaCloudConnector/eu/values.yaml" in rendered.out) == (0, True)
    assert left_out in rendered.err
    assert "nothing is released to prod yet" in run_here(git, "check", "--stage", "prod").err


def test_a_target_that_cannot_be_used_is_a_sign_and_the_others_are_looked_at(git: PolicyRepository) -> None:
    git.replace("policies/base/connector.yaml", "cluster: {context: dev}", "cluster: {context: gone}")
    git.write("policies/base/other.yaml", CONNECTOR.replace("name: eu", "name: us"))
    ran = run_here(git, "check", "--stage", "dev", "--health")
    assert ran.status == 1
    assert "no kubeconfig at" in ran.out
    assert "[target-unusable]" in ran.out
    assert "AquaCloudConnector/us in cluster of dev" in ran.out


def test_hosts_of_tunnels_are_tried_from_the_cluster_when_asked_to(git: PolicyRepository, cluster: StandIn) -> None:
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "aqua"}}
    cluster.cluster.write(cluster.cluster.sort("", "namespaces"), "", "aqua", space, "kubectl")

    def kubelet(asked: Asked) -> None:
        name = asked.path.split("/")[6] if "/pods/policysync-probe-" in asked.path else ""
        if name and asked.method == "GET" and not asked.path.endswith("/log"):
            cluster.edit("pods", name, {"status": {"phase": "Succeeded"}}, "kubelet", namespace="aqua")
            cluster.logs["aqua", name] = "tried\tharbor.corp.example\t8443\t1\tnc: bad address 'harbor.corp.example'\n"

    cluster.meddle = kubelet
    sign = signs(git, "--stage", "dev", "--preflight", "--probe-cluster")["preflight/tunnel/harbor.corp.example"]
    assert (sign["level"], sign["reason"]) == ("error", "tunnel-host-unresolved")
    assert not [key for key in cluster.cluster.objects if key[1] == "pods"]
    ran = run_here(git, "check", "--stage", "dev", "--health", "--probe-cluster")
    assert (ran.status, "add --preflight" in ran.err) == (1, True)


def test_a_plan_says_which_registries_a_connector_carries_that_nobody_can_read(
    git: PolicyRepository, cluster: StandIn
) -> None:
    labels = {"owner": "helm", "name": "aqua-cloud-connector", "version": "1", "status": "pending-install"}
    about = {"name": "sh.helm.release.v1.aqua-cloud-connector.v1", "namespace": "aqua", "labels": labels}
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": about, "data": {"release": "bm90IGEgcmVsZWFzZQ=="}}
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "aqua"}}
    cluster.cluster.write(cluster.cluster.sort("", "namespaces"), "", "aqua", space, "kubectl")
    cluster.cluster.write(cluster.cluster.sort("", "secrets"), "aqua", str(about["name"]), body, "helm")
    ran = run_here(git, "plan", "--stage", "dev", "--target", "cluster")
    assert f"note: AquaCloudConnector/eu carries {CARRIED}, and is unreadable (release-unreadable)" in ran.out
