"""One connector on the command line: rendered, installed by a real Helm, watched, healed, promoted, checked, gone."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml
from acceptance.policy_repository import PolicyRepository, Ran, new_repository, run_here
from systems.cluster_hands import Hands
from systems.connector_world import CHART, EXAMPLES, certificate, spec, stand_in
from systems.kube_standin.server import StandIn

STAGES = """\
version: 1
limits: {requests_per_second: 100000}
stages:
  - name: dev
    targets: [{name: dev-cluster, backend: kubernetes, options: {kubeconfig: dev.yaml, context: dev, helm_wait: 0}}]
  - name: nonprod
    targets:
      - {name: nonprod-cluster, backend: helm, options: {kubeconfig: nonprod.yaml, context: nonprod, helm_wait: 0}}
"""
OVERLAY = """\
apiVersion: policysync/v1
kind: AquaCloudConnector
metadata: {name: eu}
spec:
  cluster: {context: nonprod}
  gateway: {host: 1a2b3c4d5e-d-gw.cloud.aquasec.com}
"""
SETTINGS = "/api/v1/namespaces/aqua/configmaps/aqua-cloud-connector-configmap"
CONNECTOR = "AquaCloudConnector/eu"


@pytest.fixture
def repository(tmp_path: Path) -> PolicyRepository:
    repository = new_repository(tmp_path / "repository", AQUA_TOKEN="tk-clear-93f1")
    shutil.copytree(CHART, repository.root / "charts/cloud-connector")
    said = spec("dev", chart__localPath="charts/cloud-connector", auth={"tokenFrom": {"env": "AQUA_TOKEN"}}, proxy={})
    del said["name"]
    document = {"apiVersion": "policysync/v1", "kind": "AquaCloudConnector", "metadata": {"name": "eu"}, "spec": said}
    repository.write("policysync.yaml", STAGES)
    repository.write(".gitignore", ".policysync/\n/dev.yaml\n/nonprod.yaml\n")
    repository.write("policies/base/connector.yaml", yaml.safe_dump(document, sort_keys=False))
    repository.write("policies/stages/nonprod/connector.yaml", OVERLAY)
    repository.commit()
    return repository


@pytest.fixture
def clusters(repository: PolicyRepository, tmp_path: Path) -> Iterator[dict[str, StandIn]]:
    with ExitStack() as stack:
        found = {}
        for stage in ("dev", "nonprod"):
            (tmp_path / stage).mkdir()
            found[stage] = stack.enter_context(stand_in(tmp_path / stage))
            found[stage].kubeconfig(repository.root / f"{stage}.yaml", stage, ca=certificate(tmp_path / stage))
        yield found


def ran(repository: PolicyRepository, *args: str, status: int = 0) -> Ran:
    ended = run_here(repository, *args)
    assert ended.status == status, ended.out + ended.err
    assert "tk-clear" not in ended.out + ended.err
    return ended


def server_of(cluster: StandIn) -> str:
    found = cluster.cluster.get(cluster.cluster.sort("", "configmaps"), "aqua", SETTINGS.rpartition("/")[2])
    return str(found["data"]["AQUA_SERVER"])


def test_a_connector_from_its_file_to_its_end(repository: PolicyRepository, clusters: dict[str, StandIn]) -> None:
    apply = ("apply", "--stage", "dev", "--yes")
    ran(repository, "validate")
    ran(repository, *apply)
    assert "No changes" in ran(repository, "plan", "--stage", "dev", "--detailed-exitcode").out
    hands = Hands(repository.root / "dev.yaml")
    hands.edit(SETTINGS, {"data": {"AQUA_TLS_VERIFY": "0"}})
    hands.close()
    drifted = ran(repository, "drift", "--stage", "dev", status=2).out
    assert "~ tlsVerify: true → false  (drift, looser)" in drifted
    ran(repository, *apply)
    assert "No changes" in ran(repository, "plan", "--stage", "dev", "--detailed-exitcode").out

    ran(repository, "promote", "--to", "nonprod", "--commit")
    ran(repository, "apply", "--stage", "nonprod", "--yes")
    assert server_of(clusters["nonprod"]) == "1a2b3c4d5e-d-gw.cloud.aquasec.com:443"
    assert server_of(clusters["dev"]) == "ab12cd34ef-gw.cloud.aquasec.com:443"

    said = ran(repository, "check", CONNECTOR, "--stage", "dev", "--preflight", "--format", "json", status=1).json()
    signs = {sign["name"]: sign for sign in said["checked"][0]["signs"]}
    assert said["format_version"] == 1
    assert signs["preflight/auth.tokenFrom"]["level"] == "ok"
    assert not any(name.startswith("health/") for name in signs)
    text = ran(repository, "check", "--stage", "dev", "--health", status=1)
    assert f"{CONNECTOR} in dev-cluster of dev" in text.out
    assert "[not-available]" in text.out

    repository.git("rm", "--quiet", "-r", "policies")
    repository.commit("without the connector")
    ran(repository, *apply, "--prune", "--allow", "empty-desired")
    assert not [key for key in clusters["dev"].cluster.objects if key[2] == "aqua"]


def test_it_is_rendered_offline_for_every_stage_with_a_placeholder_for_the_token(
    repository: PolicyRepository, tmp_path: Path
) -> None:
    out = tmp_path / "build"
    assert "wrote 2 files" in ran(repository, "render", "--stage", "dev", "--out", str(out)).err
    values = yaml.safe_load((out / CONNECTOR / "values.yaml").read_text(encoding="utf-8"))
    assert values["token"] == "<secret>"
    assert values["tunnels"] == yaml.safe_load((EXAMPLES / "aqua-cloud-connector.values.yaml").read_text())["tunnels"]
    said = ran(repository, "render", CONNECTOR, "--stage", "dev", "--format", "json").json()
    assert [each["path"] for each in said["artefacts"]] == [f"{CONNECTOR}/values.yaml", f"{CONNECTOR}/commands.txt"]
    text = ran(repository, "render", CONNECTOR, "--revision", "HEAD").out
    assert f"# dev/{CONNECTOR}/values.yaml" in text
    assert f"# nonprod/{CONNECTOR}/values.yaml" in text
    assert "1a2b3c4d5e-d-gw.cloud.aquasec.com" in text
    assert (
        "there is nothing to render for Label/x" in ran(repository, "render", "Label/x", "--stage", "dev", status=1).err
    )


def test_what_is_wrong_is_said_with_its_place_and_never_with_the_secret(repository: PolicyRepository) -> None:
    file = "policies/base/connector.yaml"
    repository.replace(file, "tokenFrom:\n      env: AQUA_TOKEN", "tokenFrom: tk-clear-93f1")
    said = ran(repository, "validate", status=1).out
    assert f"{file}:" in said
    assert "/spec/auth/tokenFrom: a secret stands here in clear text" in said
    repository.replace(file, "tokenFrom: tk-clear-93f1", "tokenFrom: {env: AQUA_TOKEN}")
    repository.replace(file, "version: 2022.4.5", "version: 2022.4.0")
    said = ran(repository, "validate", status=1).out
    assert "charts before 2022.4.1 silently drop the token; want chart.version 2022.4.1 or newer [chart-drops]" in said


def test_two_connectors_of_one_release_and_two_tunnels_of_one_host_are_told(repository: PolicyRepository) -> None:
    file = repository.root / "policies/base/connector.yaml"
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    document["metadata"]["name"] = "twin"
    document["spec"]["tunnels"].append({"type": "azure", "host": "acme.azurecr.io"})
    repository.write("policies/base/twin.yaml", yaml.safe_dump(document, sort_keys=False))
    said = ran(repository, "validate", status=1).out
    assert "AquaCloudConnector/eu (policies/base/connector.yaml:1:1) is the same release of the same namespace" in said
    document["spec"]["install"] = {"method": "manifests"}
    document["spec"]["release"] = {"namespace": "twin"}
    repository.write("policies/base/twin.yaml", yaml.safe_dump(document, sort_keys=False))
    said = ran(repository, "validate", status=1).out
    assert "stands in this list twice, first as element 0; keep one [duplicate-item]" in said
    assert "[same-release]" not in said


def test_a_kubeconfig_that_a_variable_names_is_that_of_the_documents_which_name_it(
    repository: PolicyRepository, clusters: dict[str, StandIn]
) -> None:
    repository.replace("policysync.yaml", "kubeconfig: dev.yaml", "kubeconfig_env: KUBE_DEV")
    repository.replace(
        "policies/base/connector.yaml", "    context: dev\n", "    context: dev\n    kubeconfigEnv: KUBE_DEV\n"
    )
    repository.commit()
    repository.environ["KUBE_DEV"] = str(repository.root / "dev.yaml")
    assert "+ AquaCloudConnector/eu" in ran(repository, "plan", "--stage", "dev").out
    repository.replace("policysync.yaml", "kubeconfig_env: KUBE_DEV", "kubeconfig_env: KUBE_US")
    assert "no target serves it" in ran(repository, "validate").out


def test_definitions_are_rendered_without_a_repository_of_connectors(repository: PolicyRepository) -> None:
    found = list(yaml.safe_load_all(ran(repository, "render", "crds").out))
    assert {each["kind"] for each in found if each} == {"CustomResourceDefinition"}
    assert json.loads(ran(repository, "render", "crds", "--format", "json").out)["artefacts"]
