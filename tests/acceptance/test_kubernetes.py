"""Policies in clusters, through the command line: the whole story of one, from its file to its end."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml
from acceptance.policy_repository import PolicyRepository, Ran, new_repository, run_here
from systems.cluster_hands import Hands
from systems.kube_standin.cluster import Failure
from systems.kube_standin.server import Asked, StandIn
from systems.kubernetes import server as real

from policysync.kinds.load import load_kinds

STAGES = """\
limits: {requests_per_second: 100000}
version: 1
stages:
  - name: dev
    targets: [{name: dev-cluster, backend: kubernetes, options: {kubeconfig: dev.yaml, wait: 20}}]
  - name: nonprod
    targets: [{name: nonprod-cluster, backend: kubernetes, options: {kubeconfig: nonprod.yaml, wait: 20}}]
"""
# As the document that describes the kind has it.
SEED = """\
apiVersion: aqua.security/v1alpha1
kind: CompliancePolicy
metadata:
  name: default-namespace-compliance
spec:
  namespaceSelector:
    matchNames:
      - default
  schedule: "0 * * * *"
  complianceConfig:
    open-cis-benchmark-v1.0.0: true
    open-cis-benchmark-v1.1.0: true
    open-cis-benchmark-v1.2.0: true
"""
ENFORCER = """\
apiVersion: operator.aquasec.com/v1alpha1
kind: AquaKubeEnforcer
metadata:
  name: kube
  namespace: aqua
spec:
  config: {cluster_name: eu, gateway_address: "gw.example:443"}
"""
OVERLAY = """\
apiVersion: operator.aquasec.com/v1alpha1
kind: AquaKubeEnforcer
metadata: {name: kube, namespace: aqua}
spec:
  config: {cluster_name: us}
"""
POLICY = "/apis/aqua.security/v1alpha1/compliancepolicies/default-namespace-compliance"
KUBE = "/apis/operator.aquasec.com/v1alpha1/namespaces/aqua/aquakubeenforcers/kube"
KINDS = load_kinds()
WANTED = ((KINDS["CompliancePolicy"], False), (KINDS["AquaKubeEnforcer"], True))
Start = Callable[[str], StandIn]
Lend = Callable[[str], Hands]


@pytest.fixture
def repository(tmp_path: Path) -> PolicyRepository:
    repository = new_repository(tmp_path / "repository")
    repository.write("policysync.yaml", STAGES)
    repository.write(".gitignore", ".policysync/\n/dev.yaml\n/nonprod.yaml\nplan.json\n")
    repository.write("policies/base/compliance.yaml", SEED)
    repository.commit()
    return repository


@pytest.fixture
def start(repository: PolicyRepository) -> Iterator[Start]:
    """Returns a function that starts a cluster a stage's kubeconfig leads to."""
    with ExitStack() as stack:

        def started(stage: str) -> StandIn:
            server = StandIn().start()
            stack.callback(server.stop)
            server.kubeconfig(repository.root / f"{stage}.yaml", stage)
            return server

        yield started


@pytest.fixture
def hands(repository: PolicyRepository) -> Iterator[Lend]:
    with ExitStack() as stack:

        def made(stage: str) -> Hands:
            hands = Hands(repository.root / f"{stage}.yaml")
            stack.callback(hands.close)
            return hands

        yield made


def ran(repository: PolicyRepository, *args: str, status: int = 0) -> Ran:
    ended = run_here(repository, *args)
    assert ended.status == status, ended.out + ended.err
    return ended


def prepared(hands: Hands) -> Hands:
    hands.install(*WANTED)
    hands.namespace("aqua")
    return hands


def story(repository: PolicyRepository, dev: Hands, nonprod: Hands) -> None:
    """Create, plan clean, edit by hand, drift, heal, conflict, promote, delete."""
    apply = ("apply", "--stage", "dev", "--yes")
    missing = ran(repository, "plan", "--stage", "dev", "--detailed-exitcode", status=2).out
    assert "! CompliancePolicy/default-namespace-compliance: blocked: engine-not-installed" in missing
    assert "policysync render crds" in missing
    prepared(dev)
    repository.write("policies/base/enforcer.yaml", ENFORCER)
    repository.write("policies/stages/nonprod/enforcer.yaml", OVERLAY)
    repository.commit("the enforcer")

    rehearsed = ran(repository, "plan", "--stage", "dev", "--server-side").out
    assert rehearsed.count("the server would accept it") == 2
    ran(repository, *apply)
    assert dev.client.get(POLICY)["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "policysync"}
    assert "No changes" in ran(repository, "plan", "--stage", "dev", "--detailed-exitcode").out

    dev.edit(POLICY, {"spec": {"schedule": "5 5 * * *", "complianceConfig": {"by-hand": True}}})
    drifted = ran(repository, "drift", "--stage", "dev", status=2).out
    assert '~ schedule: "0 * * * *" → "5 5 * * *"' in drifted
    ran(repository, *apply)
    assert dev.client.get(POLICY)["spec"]["schedule"] == "0 * * * *"
    assert "No changes" in ran(repository, "plan", "--stage", "dev", "--detailed-exitcode").out

    dev.apply(POLICY, {"spec": {"schedule": "7 7 * * *"}}, "argocd-controller", force=True)
    refused = ran(repository, "plan", "--stage", "dev", "--server-side", status=1).out
    assert "the server would refuse it: .spec.schedule belongs to argocd-controller" in refused
    assert ".spec.schedule belongs to argocd-controller" in ran(repository, *apply, status=1).out
    dev.apply(POLICY, {"spec": {"schedule": "0 * * * *"}}, "argocd-controller")
    ran(repository, *apply)

    ran(repository, "promote", "--to", "nonprod", "--commit")
    prepared(nonprod)
    ran(repository, "apply", "--stage", "nonprod", "--yes")
    assert nonprod.client.get(KUBE)["spec"]["config"] == {"cluster_name": "us", "gateway_address": "gw.example:443"}
    assert dev.client.get(KUBE)["spec"]["config"]["cluster_name"] == "eu"

    for file in ("base", "stages/nonprod"):
        repository.git("rm", "--quiet", f"policies/{file}/enforcer.yaml")
    repository.commit("without the enforcer")
    assert "- AquaKubeEnforcer/aqua/kube" in ran(repository, "plan", "--stage", "dev", "--prune").out
    ran(repository, *apply, "--prune")
    left = [held["metadata"]["name"] for held in dev.client.list(KUBE.rpartition("/")[0])]
    assert left == []


def test_a_policy_lives_in_clusters(repository: PolicyRepository, start: Start, hands: Lend) -> None:
    start("dev")
    start("nonprod")
    story(repository, hands("dev"), hands("nonprod"))


@pytest.mark.skipif(not real.is_built(), reason="no kube-apiserver here: make kubernetes builds it")
def test_a_policy_lives_in_a_real_cluster(
    repository: PolicyRepository,
    start: Start,
    hands: Lend,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    folder = tmp_path / "cluster"
    folder.mkdir()
    server = real.Cluster(folder).start()
    try:
        server.kubeconfig(repository.root / "dev.yaml", "dev")
        start("nonprod")
        story(repository, hands("dev"), hands("nonprod"))
    finally:
        server.stop()
    record_property("system", f"{real.NAME}: the story from create to delete, on the command line")


def test_what_may_not_be_read_is_unreadable_and_never_made_anew(
    repository: PolicyRepository, start: Start, hands: Lend
) -> None:
    server = start("dev")
    hands("dev").install(*WANTED)
    server.cluster.forbidden |= {("get", "compliancepolicies")}
    said = ran(repository, "plan", "--stage", "dev", "--only", "CompliancePolicy/*").out
    assert "! CompliancePolicy/default-namespace-compliance: unreadable: forbidden" in said
    assert "0 to add" in said


def test_an_answer_that_never_came_is_looked_for_before_it_is_sent_again(
    repository: PolicyRepository, start: Start, hands: Lend
) -> None:
    server = start("dev")
    hands("dev").install(*WANTED)
    lost: list[str] = []

    def lose(asked: Asked) -> str | None:
        if asked.method == "PATCH" and not lost:
            lost.append(asked.path)
            return "drop"
        return None

    server.meddle = lose
    ran(repository, "apply", "--stage", "dev", "--yes")
    assert lost == [POLICY]
    assert [asked.path for asked in server.asked if asked.method == "PATCH"] == [POLICY]


def test_what_the_server_refuses_is_said_with_its_reasons(
    repository: PolicyRepository, start: Start, hands: Lend
) -> None:
    server = start("dev")
    hands("dev").install(*WANTED)

    def refuse(asked: Asked) -> str | None:
        if asked.method == "PATCH":
            raise Failure(422, "Invalid", "the webhook says no", [{"field": "spec.schedule", "message": "too often"}])
        return None

    server.meddle = refuse
    assert (
        "the webhook says no; spec.schedule: too often"
        in ran(repository, "apply", "--stage", "dev", "--yes", status=1).out
    )


def applied(repository: PolicyRepository, start: Start, hands: Lend) -> Hands:
    """Apply the policy to a cluster that serves it, and return somebody else's hands there."""
    start("dev")
    dev = hands("dev")
    dev.install(*WANTED)
    ran(repository, "apply", "--stage", "dev", "--yes")
    return dev


def test_an_object_somebody_else_took_over_is_not_deleted(
    repository: PolicyRepository, start: Start, hands: Lend
) -> None:
    dev = applied(repository, start, hands)
    dev.edit(POLICY, {"metadata": {"labels": {"app.kubernetes.io/managed-by": "Helm"}}})
    repository.git("rm", "--quiet", "policies/base/compliance.yaml")
    repository.commit("gone")
    said = ran(repository, "apply", "--stage", "dev", "--yes", "--prune", "--allow", "empty-desired", status=1)
    assert "does not carry the label app.kubernetes.io/managed-by=policysync" in said.out
    assert dev.client.get(POLICY)["metadata"]["name"] == "default-namespace-compliance"


def test_a_mark_taken_off_by_hand_is_drift_and_comes_back(
    repository: PolicyRepository, start: Start, hands: Lend
) -> None:
    start("dev")
    dev = hands("dev")
    dev.install(*WANTED)
    # Labels of a document are its own, for --select.
    repository.replace("policies/base/compliance.yaml", "metadata:\n", "metadata:\n  labels: {team: web}\n")
    repository.commit("a label")
    ran(repository, "apply", "--stage", "dev", "--yes")
    mark = {"app.kubernetes.io/managed-by": "policysync"}
    assert dev.client.get(POLICY)["metadata"]["labels"] == mark
    dev.edit(
        POLICY, {"metadata": {"labels": {**dict.fromkeys(mark), "team": "api"}}, "spec": {"schedule": "9 9 * * *"}}
    )
    assert "managedBy" in ran(repository, "drift", "--stage", "dev", status=2).out
    ran(repository, "apply", "--stage", "dev", "--yes")
    held = dev.client.get(POLICY)
    assert held["metadata"]["labels"] == {"team": "api", **mark}
    assert held["spec"]["schedule"] == "0 * * * *"
    dev.edit(POLICY, {"metadata": {"labels": dict.fromkeys(mark)}})
    ran(repository, "apply", "--stage", "dev", "--yes")
    repository.git("rm", "--quiet", "policies/base/compliance.yaml")
    repository.commit("gone")
    ran(repository, "apply", "--stage", "dev", "--yes", "--prune", "--allow", "empty-desired")
    assert not list(dev.client.list(POLICY.rpartition("/")[0]))


def test_an_object_taken_over_is_marked_by_the_first_apply(
    repository: PolicyRepository, start: Start, hands: Lend
) -> None:
    start("dev")
    dev = hands("dev")
    dev.install(*WANTED)
    body = yaml.safe_load(SEED)
    dev.client.post(POLICY.rpartition("/")[0], body, {"fieldManager": "kubectl-create"})
    repository.git("rm", "--quiet", "policies/base/compliance.yaml")
    repository.commit("nothing yet")
    ran(repository, "adopt", "--stage", "dev", "--kind", "CompliancePolicy")
    (file,) = (repository.root / "policies" / "base").rglob("*.yaml")
    text = file.read_text(encoding="utf-8")
    assert "complianceConfig" in text
    assert "managedBy" not in text
    repository.commit("adopted")
    assert "1 to change" in ran(repository, "plan", "--stage", "dev").out
    ran(repository, "apply", "--stage", "dev", "--yes")
    assert dev.client.get(POLICY)["metadata"]["labels"] == {"app.kubernetes.io/managed-by": "policysync"}
    assert "No changes" in ran(repository, "plan", "--stage", "dev", "--detailed-exitcode").out


def test_who_may_work_in_one_namespace_only_plans_there(
    repository: PolicyRepository, start: Start, hands: Lend
) -> None:
    server = start("dev")
    dev = prepared(hands("dev"))
    dev.namespace("other")
    repository.replace("policysync.yaml", "kubeconfig: dev.yaml", "kubeconfig: dev.yaml, namespace: aqua")
    repository.git("rm", "--quiet", "policies/base/compliance.yaml")
    repository.write("policies/base/enforcer.yaml", ENFORCER.replace("  namespace: aqua\n", ""))
    repository.commit("only the enforcer, where the target says")

    def confine(asked: Asked) -> str | None:
        if (
            asked.path.endswith("/v1alpha1/aquakubeenforcers")
            and asked.method == "GET"
            and "namespaces" not in asked.path
        ):
            raise Failure(403, "Forbidden", "cannot list at the cluster scope")
        return None

    server.meddle = confine
    ran(repository, "apply", "--stage", "dev", "--yes")
    assert dev.client.get(KUBE)["spec"]["config"]["cluster_name"] == "eu"
    clean = ran(repository, "plan", "--stage", "dev", "--detailed-exitcode", "--show-unmanaged").out
    assert "No changes" in clean
    assert "unmanaged" not in clean


def test_of_a_report_that_the_operator_ships_only_the_schedule_is_ours(
    repository: PolicyRepository, start: Start, hands: Lend
) -> None:
    server = start("dev")
    dev = hands("dev")
    dev.install((KINDS["ClusterComplianceReport"], False))
    path = "/apis/aquasecurity.github.io/v1alpha1/clustercompliancereports"
    compliance = {"id": "cis", "title": "CIS", "controls": [{"id": "1", "name": "one", "severity": "LOW"}]}
    shipped = {"apiVersion": "aquasecurity.github.io/v1alpha1", "kind": "ClusterComplianceReport"}
    spec = {"cron": "0 */6 * * *", "reportType": "summary", "compliance": compliance}
    dev.client.post(path, {**shipped, "metadata": {"name": "k8s-cis-1.23"}, "spec": spec}, {"fieldManager": "helm"})
    repository.git("rm", "--quiet", "policies/base/compliance.yaml")
    document = {**shipped, "metadata": {"name": "k8s-cis-1.23"}, "spec": {"cron": "30 2 * * *"}}
    repository.write("policies/base/report.json", json.dumps(document))
    repository.commit("the report")
    ran(repository, "apply", "--stage", "dev", "--yes")
    held = dev.client.get(f"{path}/k8s-cis-1.23")
    assert held["spec"] == {**spec, "cron": "30 2 * * *"}
    assert "labels" not in held["metadata"]
    (sent,) = [asked for asked in server.asked if asked.method == "PATCH"]
    assert json.loads(sent.body) == {"spec": {"cron": "30 2 * * *"}}
    assert "No changes" in ran(repository, "plan", "--stage", "dev", "--detailed-exitcode").out


def test_a_token_is_sent_compared_and_never_shown(repository: PolicyRepository, start: Start, hands: Lend) -> None:
    start("dev")
    dev = prepared(hands("dev"))
    repository.environ["KUBE_TOKEN"] = "enforcer-token-canary"
    repository.write("policies/base/enforcer.yaml", ENFORCER + '  token: "${env:KUBE_TOKEN}"\n')
    repository.commit("a token")
    said = [
        ran(repository, "plan", "--stage", "dev", "--server-side"),
        ran(repository, "apply", "--stage", "dev", "--yes"),
    ]
    assert dev.client.get(KUBE)["spec"]["token"] == "enforcer-token-canary"
    said.append(ran(repository, "plan", "--stage", "dev", "--detailed-exitcode"))
    dev.edit(KUBE, {"spec": {"token": "someone-elses-canary"}})
    said.append(ran(repository, "drift", "--stage", "dev", status=2))
    said.append(ran(repository, "plan", "--stage", "dev", "--format", "json", "--out", "plan.json"))
    assert "token" in said[-1].out
    texts = [each.out + each.err for each in said] + [(repository.root / "plan.json").read_text(encoding="utf-8")]
    assert not [text for text in texts if "canary" in text]


def test_what_is_being_deleted_is_blocked_until_it_is_gone(
    repository: PolicyRepository, start: Start, hands: Lend
) -> None:
    dev = applied(repository, start, hands)
    dev.edit(POLICY, {"metadata": {"finalizers": ["aqua.example/jobs"]}}, "some-operator")
    dev.client.delete(POLICY)
    said = ran(repository, "plan", "--stage", "dev").out
    assert "blocked: being-deleted" in said
    assert "it waits for aqua.example/jobs" in said
    assert "0 to add, 0 to change" in said
    dev.edit(POLICY, {"metadata": {"finalizers": None}}, "some-operator")
    assert "1 to add" in ran(repository, "plan", "--stage", "dev").out


def test_a_namespace_on_what_is_cluster_wide_is_refused(
    repository: PolicyRepository, start: Start, hands: Lend
) -> None:
    start("dev")
    hands("dev").install(*WANTED)
    repository.replace("policies/base/compliance.yaml", "metadata:\n", "metadata:\n  namespace: web\n")
    repository.commit("in a namespace")
    said = ran(repository, "plan", "--stage", "dev", status=1)
    assert "take metadata.namespace out" in said.err
