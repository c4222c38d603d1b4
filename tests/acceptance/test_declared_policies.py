"""Policies of clusters in the declared form: a target, an engine and our own words."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from acceptance.policy_repository import PolicyRepository, Ran, new_repository, run_here
from systems.cluster_hands import Hands
from systems.kube_standin.server import StandIn
from systems.kubernetes import server as real

from policysync.kinds.load import load_kinds
from policysync.state.normalize import live_spec

STAGES = """\
limits: {requests_per_second: 100000}
version: 1
stages:
  - name: prod
    targets:
      - {name: eu, backend: kubernetes, options: {kubeconfig: eu.yaml, context: eks-eu-prod, wait: 20}}
      - {name: us, backend: files, options: {path: deploy/us, context: eks-us-prod}}
"""
TARGET = {"cluster": {"context": "eks-eu-prod"}, "engine": "aqua-connector"}
BENCHMARKS = {"open-cis-benchmark-v1.0.0": True, "open-cis-benchmark-v1.1.0": True, "open-cis-benchmark-v1.2.0": True}
COMPLIANCE = {"namespaceSelector": {"matchNames": ["default"]}, "schedule": "0 * * * *"}
RUNTIME = {
    "namespaceSelector": {"matchNames": ["web"]},
    "labelSelector": {"matchLabels": {"app": "nginx"}},
    "mode": "enforce",
    "rules": {
        "fileAccess": [{"paths": ["/etc/nginx", "/usr/share/nginx/html"], "operations": ["write"], "action": "block"}],
        "processExecution": [{"executables": ["/bin/sh", "/bin/bash"], "action": "audit"}],
        "networkConnections": [{"direction": "outbound", "ports": ["25", "1024-2048"], "action": "block"}],
    },
}
VULNERABILITY = {
    "namespaceSelector": {"matchNames": ["web", "api"]},
    "workloadSelector": {"kinds": ["Deployment", "StatefulSet"]},
    "schedule": "30 2 * * *",
    "scanOnCreate": True,
    "minSeverity": "HIGH",
}
DECLARED: dict[str, tuple[str, dict[str, Any]]] = {
    "CompliancePolicy": ("default-namespace-compliance", {**COMPLIANCE, "benchmarks": BENCHMARKS}),
    "RuntimePolicy": ("nginx-no-config-writes", RUNTIME),
    "VulnerabilityPolicy": ("nightly-image-scan", VULNERABILITY),
}
OBJECTS = {kind: spec for kind, (_, spec) in DECLARED.items()}
OBJECTS["CompliancePolicy"] = {**COMPLIANCE, "complianceConfig": BENCHMARKS}
NAME = "default-namespace-compliance"
POLICY = f"/apis/aqua.security/v1alpha1/compliancepolicies/{NAME}"
REPORTS = "/apis/aquasecurity.github.io/v1alpha1/clustercompliancereports"
COMPLIANCE_OF = {"id": "cis", "title": "CIS", "controls": [{"id": "1", "name": "one", "severity": "LOW"}]}
KINDS = load_kinds()
ALL = tuple((KINDS[kind], False) for kind in (*DECLARED, "ClusterComplianceReport"))
BY_TRIVY = {
    "target": {"cluster": {"context": "eks-eu-prod"}, "engine": "trivy-operator"},
    "schedule": "0 */6 * * *",
    "reports": ["k8s-cis-1.23"],
}


@pytest.fixture
def repository(tmp_path: Path) -> PolicyRepository:
    repository = new_repository(tmp_path / "repository")
    repository.write("policysync.yaml", STAGES)
    repository.write(".gitignore", ".policysync/\n/eu.yaml\n/deploy/\n")
    for kind, (name, spec) in DECLARED.items():
        declare(repository, kind, name, {"target": TARGET, **spec})
    repository.commit()
    return repository


def declare(repository: PolicyRepository, kind: str, name: str, spec: object, version: str = "policysync/v1") -> None:
    body = {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": spec}
    repository.write(f"policies/base/{kind}.yaml", yaml.safe_dump(body, sort_keys=False))


@pytest.fixture
def server(repository: PolicyRepository) -> Iterator[StandIn]:
    """The cluster that the target eu leads to."""
    server = StandIn().start()
    server.kubeconfig(repository.root / "eu.yaml", "eks-eu-prod")
    yield server
    server.stop()


@pytest.fixture
def eu(repository: PolicyRepository, server: StandIn) -> Iterator[Hands]:
    """Hands in that cluster, with everything installed."""
    hands = Hands(repository.root / "eu.yaml")
    hands.install(*ALL)
    yield hands
    hands.close()


def ran(repository: PolicyRepository, *args: str, status: int = 0) -> Ran:
    ended = run_here(repository, *args)
    assert ended.status == status, ended.out + ended.err
    return ended


APPLY = ("apply", "--stage", "prod", "--yes", "--target", "eu")
PLAN = ("plan", "--stage", "prod", "--target", "eu", "--detailed-exitcode")


@pytest.mark.parametrize("kind", DECLARED)
def test_a_declaration_renders_to_the_object(repository: PolicyRepository, kind: str) -> None:
    name = DECLARED[kind][0]
    (made,) = json.loads(ran(repository, "render", f"{kind}/{name}", "--format", "json").out)["artefacts"]
    said = yaml.safe_load(made["text"])
    assert {**said, "spec": live_spec(KINDS[kind], said["spec"])} == {
        "apiVersion": "aqua.security/v1alpha1",
        "kind": kind,
        "metadata": {"name": name, "labels": {"app.kubernetes.io/managed-by": "policysync"}},
        "spec": live_spec(KINDS[kind], OBJECTS[kind]),
    }


def test_a_declaration_for_trivy_operator_renders_to_a_patch_of_each_report(repository: PolicyRepository) -> None:
    declare(repository, "CompliancePolicy", NAME, BY_TRIVY)
    (made,) = json.loads(ran(repository, "render", f"CompliancePolicy/{NAME}", "--format", "json").out)["artefacts"]
    assert (made["kind"], made["name"]) == ("ClusterComplianceReport", "k8s-cis-1.23")
    assert yaml.safe_load(made["text"]) == {
        "method": "PATCH",
        "path": f"{REPORTS}/k8s-cis-1.23",
        "contentType": "application/merge-patch+json",
        "body": {"spec": {"cron": "0 */6 * * *", "reportType": "summary"}},
    }


def story(repository: PolicyRepository, eu: Hands) -> None:
    """Create, plan clean, change the spelling, edit by hand, drift, take it back, heal, delete."""
    ran(repository, *APPLY)
    assert eu.client.get(POLICY)["spec"] == OBJECTS["CompliancePolicy"]
    assert "No changes" in ran(repository, *PLAN).out
    # The other target is another cluster.
    assert "No changes" in ran(repository, "plan", "--stage", "prod", "--target", "us", "--detailed-exitcode").out

    declare(repository, "CompliancePolicy", NAME, OBJECTS["CompliancePolicy"], "aqua.security/v1alpha1")
    assert "No changes" in ran(repository, *PLAN).out
    repository.git("checkout", "--quiet", "policies")

    eu.edit(POLICY, {"spec": {"complianceConfig": {"open-cis-benchmark-v1.0.0": False}}})
    drifted = ran(repository, "drift", "--stage", "prod", "--target", "eu", status=2).out
    assert "complianceConfig.open-cis-benchmark-v1.0.0: true → false" in drifted
    ran(repository, "adopt", "--stage", "prod", "--write-back", "--target", "eu")
    text = (repository.root / "policies/base/CompliancePolicy.yaml").read_text(encoding="utf-8")
    assert yaml.safe_load(text)["spec"]["benchmarks"] == {**BENCHMARKS, "open-cis-benchmark-v1.0.0": False}
    assert "No changes" in ran(repository, *PLAN).out
    repository.git("checkout", "--quiet", "policies")
    ran(repository, *APPLY)
    assert eu.client.get(POLICY)["spec"] == OBJECTS["CompliancePolicy"]

    ran(
        repository,
        "adopt",
        "--stage",
        "prod",
        "--target",
        "eu",
        *(each for kind in DECLARED for each in ("--kind", kind)),
    )
    assert repository.git("status", "--porcelain", "policies") == ""
    repository.git("rm", "--quiet", "policies/base/CompliancePolicy.yaml")
    repository.commit("gone")
    ran(repository, *APPLY, "--prune")
    assert not list(eu.client.list(POLICY.rpartition("/")[0]))


def test_a_declaration_lives_in_a_cluster(repository: PolicyRepository, eu: Hands) -> None:
    story(repository, eu)


@pytest.mark.skipif(not real.is_built(), reason="no kube-apiserver here: make kubernetes builds it")
def test_a_declaration_lives_in_a_real_cluster(
    repository: PolicyRepository, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    folder = tmp_path / "cluster"
    folder.mkdir()
    server = real.Cluster(folder).start()
    try:
        server.kubeconfig(repository.root / "eu.yaml", "eks-eu-prod")
        hands = Hands(repository.root / "eu.yaml")
        hands.install(*ALL)
        workloads_story(repository, hands)
        repository.git("reset", "--quiet", "--hard", "HEAD~2")
        ran(repository, *APPLY)
        story(repository, hands)
        hands.close()
    finally:
        server.stop()
    record_property("system", f"{real.NAME}: the story of a declared policy, on the command line")


def shipped(hands: Hands, name: str) -> None:
    head = {"apiVersion": "aquasecurity.github.io/v1alpha1", "kind": "ClusterComplianceReport"}
    spec = {"cron": "0 0 * * *", "reportType": "all", "compliance": COMPLIANCE_OF}
    hands.client.post(REPORTS, {**head, "metadata": {"name": name}, "spec": spec}, {"fieldManager": "helm"})


def test_reports_of_trivy_operator_take_the_schedule_of_a_policy(repository: PolicyRepository, eu: Hands) -> None:
    for name in ("k8s-cis-1.23", "k8s-nsa-1.0", "eks-cis-1.4"):
        shipped(eu, name)
    declare(repository, "CompliancePolicy", NAME, {**BY_TRIVY, "reports": ["k8s-cis-1.23", "k8s-nsa-1.0"]})
    repository.commit("by trivy")
    ran(repository, *APPLY)
    wanted = {"cron": "0 */6 * * *", "reportType": "summary", "compliance": COMPLIANCE_OF}
    for name in ("k8s-cis-1.23", "k8s-nsa-1.0"):
        held = eu.client.get(f"{REPORTS}/{name}")
        assert held["spec"] == wanted
        assert "labels" not in held["metadata"]
    assert eu.client.get(f"{REPORTS}/eks-cis-1.4")["spec"]["reportType"] == "all"
    assert "No changes" in ran(repository, *PLAN).out
    eu.edit(f"{REPORTS}/k8s-nsa-1.0", {"spec": {"cron": "1 1 * * *"}})
    assert (
        "ClusterComplianceReport/k8s-nsa-1.0"
        in ran(repository, "drift", "--stage", "prod", "--target", "eu", status=2).out
    )
    ran(repository, *APPLY)
    assert eu.client.get(f"{REPORTS}/k8s-nsa-1.0")["spec"] == wanted


def test_a_report_nobody_installed_is_not_made(repository: PolicyRepository, eu: Hands) -> None:
    declare(repository, "CompliancePolicy", NAME, BY_TRIVY)
    repository.commit("by trivy")
    why = "ClusterComplianceReport/k8s-cis-1.23 is not there, and git states no `compliance` to make it of"
    assert why in ran(repository, *PLAN, status=2).out
    assert why in ran(repository, *APPLY, "--on-error", "continue", status=5).out
    assert not list(eu.client.list(REPORTS))


def deployed(hands: Hands, namespace: str, name: str, kind: str = "Deployment", app: str = "nginx") -> None:
    labels = {"app": app}
    pod = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "c", "image": "nginx"}]}}
    spec = {"selector": {"matchLabels": labels}, "template": pod}
    if kind == "StatefulSet":
        spec["serviceName"] = name
    body = {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
    hands.client.post(f"/apis/apps/v1/namespaces/{namespace}/{kind.lower()}s", body)


def workloads_story(repository: PolicyRepository, eu: Hands) -> None:
    """Show what an enforcing policy can stop before it does, and no more of it than fits."""
    for namespace in ("web", "api"):
        eu.namespace(namespace)
    assert "it can stop workloads, and matches none that is there now" in ran(repository, *PLAN, status=2).out
    deployed(eu, "web", "front")
    deployed(eu, "web", "cache", "StatefulSet")
    deployed(eu, "web", "logs", "DaemonSet", app="fluentd")
    deployed(eu, "api", "front")
    said = ran(repository, *PLAN, status=2).out
    name = "RuntimePolicy/nginx-no-config-writes"
    assert f"{name}: it can stop 2 workloads: Deployment web/front, StatefulSet web/cache\n" in said
    assert "it can stop 2 workloads" in ran(repository, *PLAN, "--format", "json", status=2).out
    for number in range(10):
        deployed(eu, "web", f"more-{number}")
    assert "(showing 10 of 12)" in ran(repository, *PLAN, status=2).out

    kind, (policy, spec) = "RuntimePolicy", DECLARED["RuntimePolicy"]
    declare(repository, kind, policy, {"target": TARGET, **spec, "mode": "audit"})
    repository.commit("only audit")
    assert "it can stop" not in ran(repository, *PLAN, status=2).out
    ran(repository, *APPLY)
    apps = {"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["nginx"]}]}
    declare(repository, kind, policy, {"target": TARGET, **spec, "labelSelector": apps})
    repository.commit("what is not nginx")
    # What git said before of labels is released, not taken out, and goes on counting.
    assert "it can stop workloads, and matches none" in ran(repository, *PLAN, status=2).out


def test_the_plan_names_the_workloads_an_enforcing_policy_can_stop(repository: PolicyRepository, eu: Hands) -> None:
    workloads_story(repository, eu)


def test_a_plan_goes_on_where_the_cluster_does_not_show_its_workloads(
    repository: PolicyRepository, server: StandIn, eu: Hands
) -> None:
    server.cluster.forbidden |= {("list", "deployments")}
    said = ran(repository, *PLAN, status=2).out
    assert "it can stop workloads, and the cluster does not say which: " in said


def test_check_says_what_a_policy_misses(repository: PolicyRepository, server: StandIn, eu: Hands) -> None:
    def signs(status: int = 0) -> dict[str, tuple[str, str]]:
        said = ran(
            repository,
            "check",
            "RuntimePolicy/nginx-no-config-writes",
            "--stage",
            "prod",
            "--format",
            "json",
            status=status,
        )
        return {
            sign["name"]: (sign["level"], sign["reason"])
            for each in json.loads(said.out)["checked"]
            for sign in each["signs"]
        }

    assert signs()["preflight/namespaces"] == ("warning", "no-namespace")
    assert signs()["preflight/workloads"] == ("warning", "no-match")
    eu.namespace("web")
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "labels": {"app": "nginx"}}, "spec": {}}
    eu.client.post("/api/v1/namespaces/web/pods", pod)
    assert signs()["preflight/namespaces"] == ("ok", "")
    assert signs()["preflight/workloads"] == ("ok", "")
    assert signs()["preflight/permission"] == ("ok", "")
    server.cluster.forbidden |= {("patch", "runtimepolicies")}
    assert signs(status=1)["preflight/permission"] == ("error", "forbidden")


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({**COMPLIANCE, "benchmarks": BENCHMARKS, "complianceConfig": BENCHMARKS}, "/spec/benchmarks: `benchmarks` is"),
        ({**COMPLIANCE}, "`benchmarks` is missing"),
        ({**COMPLIANCE, "benchmarks": {"cis": "yes"}}, "/spec/benchmarks/cis: "),
        ({**COMPLIANCE, "benchmarks": BENCHMARKS, "reports": ["k8s-cis-1.23"]}, "belong to the engine trivy-operator"),
        ({"schedule": "0 * * * *", "benchmarks": BENCHMARKS}, "no selector at all would mean every namespace"),
        ({**BY_TRIVY, "schedule": "0,30 * * * *"}, "/spec/schedule: want five fields of cron, each *, */n"),
        ({**BY_TRIVY, "schedule": "0 0 1-5 * *"}, "trivy-operator takes no lists and no ranges"),
        ({**BY_TRIVY, "namespaceSelector": {"any": True}}, "trivy-operator checks the whole cluster"),
        ({**BY_TRIVY, "benchmarks": BENCHMARKS}, "trivy-operator checks the whole cluster"),
        ({"target": BY_TRIVY["target"], "schedule": "0 0 * * *"}, "name its `reports`"),
        ({**BY_TRIVY, "reports": ["k8s-cis"]}, "/spec/reports/0: "),
        ({**COMPLIANCE, "benchmarks": BENCHMARKS, "target": {"engine": "aqua-connector"}}, "`cluster` is missing"),
    ],
)
def test_a_declaration_that_says_too_little_or_too_much_is_refused(
    repository: PolicyRepository, spec: object, said: str
) -> None:
    declare(repository, "CompliancePolicy", NAME, spec)
    lines = ran(repository, "validate", status=1).out.splitlines()
    found = [line for line in lines if "CompliancePolicy.yaml:" in line]
    assert any(said in line for line in found), lines


def test_two_policies_for_one_report_are_refused(repository: PolicyRepository) -> None:
    declare(repository, "CompliancePolicy", NAME, BY_TRIVY)
    repository.write(
        "policies/base/report.yaml",
        yaml.safe_dump(
            {
                "apiVersion": "policysync/v1",
                "kind": "ClusterComplianceReport",
                "metadata": {"name": "k8s-cis-1.23"},
                "spec": {"cron": "1 1 * * *"},
            }
        ),
    )
    assert "ClusterComplianceReport/k8s-cis-1.23 is described twice" in ran(repository, "validate", status=1).out


def test_an_overlay_may_use_the_other_name(repository: PolicyRepository) -> None:
    for spec in (
        {"benchmarks": {"open-cis-benchmark-v1.2.0": False}},
        {"complianceConfig": {"open-cis-benchmark-v1.2.0": False}},
    ):
        body = {"apiVersion": "policysync/v1", "kind": "CompliancePolicy", "metadata": {"name": NAME}, "spec": spec}
        repository.write("policies/stages/prod/compliance.yaml", yaml.safe_dump(body))
        (made,) = json.loads(ran(repository, "render", f"CompliancePolicy/{NAME}", "--format", "json").out)["artefacts"]
        wanted = {**BENCHMARKS, "open-cis-benchmark-v1.2.0": False}
        assert yaml.safe_load(made["text"])["spec"]["complianceConfig"] == wanted


def test_the_namespace_of_a_target_is_that_of_the_object(repository: PolicyRepository) -> None:
    spec = {"target": {**TARGET, "namespace": "aqua"}, **COMPLIANCE, "benchmarks": BENCHMARKS}
    declare(repository, "CompliancePolicy", NAME, spec)
    (made,) = json.loads(ran(repository, "render", f"CompliancePolicy/aqua/{NAME}", "--format", "json").out)[
        "artefacts"
    ]
    assert yaml.safe_load(made["text"])["metadata"]["namespace"] == "aqua"


def test_a_policy_for_a_cluster_nobody_has_is_told(repository: PolicyRepository) -> None:
    spec = {"target": {"cluster": {"context": "elsewhere"}}, **COMPLIANCE, "benchmarks": BENCHMARKS}
    declare(repository, "CompliancePolicy", NAME, spec)
    said = ran(repository, "validate")
    assert "no target serves it; want one with backend kubernetes with context elsewhere" in said.out
