"""What documents of cluster kinds may say, and what they are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from policysync.documents.desired import desired_state
from policysync.documents.project import Project, load_project
from policysync.documents.source import WorkTree
from policysync.documents.validate import validate
from policysync.kinds.load import load_kinds

FILE = "policies/base/a.yaml"
PROJECT = "version: 1\nstages:\n  - {name: dev, targets: [{name: dev, backend: kubernetes}]}\n"
AQUA = "aqua.security/v1alpha1"
ALL = "namespaceSelector: {any: true}"


def document(kind: str, name: str, spec: str, version: str = AQUA, more: str = "") -> str:
    return f"apiVersion: {version}\nkind: {kind}\nmetadata: {{name: {name}{more}}}\nspec: {{{spec}}}\n"


def compliance(schedule: str = "0 * * * *", benchmarks: str = "{cis: true}", selector: str = ALL) -> str:
    spec = f'schedule: "{schedule}", complianceConfig: {benchmarks}'
    return document("CompliancePolicy", "p", f"{selector}, {spec}" if selector else spec)


def runtime(name: str, mode: str, selector: str = ALL) -> str:
    rules = "rules: {processExecution: [{executables: [/bin/sh], action: audit}]}"
    return document("RuntimePolicy", name, f"{selector}, mode: {mode}, {rules}")


def told(root: Path, *documents: str) -> list[str]:
    project = written(root, *documents)
    found = validate(WorkTree(root), project, project.stages, load_kinds())
    return [f"{problem.pointer}: {problem.message} [{problem.code}]" for problem in found.problems]


def written(root: Path, *documents: str) -> Project:
    (root / "policysync.yaml").write_text(PROJECT)
    (root / FILE).parent.mkdir(parents=True, exist_ok=True)
    (root / FILE).write_text("---\n".join(documents))
    return load_project(root, {})


@pytest.mark.parametrize(
    "schedule", ["0 * * * *", "*/5 0-6,22 1,15 jan-mar mon-fri", "59 23 31 12 7", "0 */2 * * 1-5/2"]
)
def test_five_fields_of_cron_are_a_schedule(tmp_path: Path, schedule: str) -> None:
    assert told(tmp_path, compliance(schedule)) == []


@pytest.mark.parametrize(
    "schedule", ["0 * * *", "0 * * * * *", "60 * * * *", "@daily", "0 24 * * *", "0 0 0 * *", "* * * foo *"]
)
def test_anything_else_is_none(tmp_path: Path, schedule: str) -> None:
    (problem,) = told(tmp_path, compliance(schedule))
    assert problem.startswith("/spec/schedule: want five fields of cron")


@pytest.mark.parametrize("cron", ["0 * * * *", "0 */6 * * *", "30 2 * * 1", "0 0 * okt *"])
def test_the_report_operator_takes_less(tmp_path: Path, cron: str) -> None:
    assert (
        told(tmp_path, document("ClusterComplianceReport", "r", f'cron: "{cron}"', "aquasecurity.github.io/v1alpha1"))
        == []
    )


@pytest.mark.parametrize("cron", ["0,30 * * * *", "0 0 1-5 * *", "0 0 * oct *"])
def test_the_report_operator_takes_no_lists_ranges_or_october(tmp_path: Path, cron: str) -> None:
    (problem,) = told(
        tmp_path, document("ClusterComplianceReport", "r", f'cron: "{cron}"', "aquasecurity.github.io/v1alpha1")
    )
    assert problem.endswith("[cron]")


@pytest.mark.parametrize("selector", ["", "namespaceSelector: {}", "namespaceSelector: {matchNames: []}"])
def test_every_namespace_has_to_be_said(tmp_path: Path, selector: str) -> None:
    assert len(told(tmp_path, compliance(selector=selector))) == 1


def test_no_selector_says_what_to_write(tmp_path: Path) -> None:
    (problem,) = told(tmp_path, compliance(selector=""))
    assert "namespaceSelector: {any: true}" in problem


def test_a_policy_without_a_benchmark_does_nothing(tmp_path: Path) -> None:
    (problem,) = told(tmp_path, compliance(benchmarks="{cis: false, other: false}"))
    assert problem.endswith("so it does nothing; set one, or delete this [does-nothing]")


@pytest.mark.parametrize(
    ("one", "other", "clash"),
    [
        (ALL, ALL, True),
        (ALL, "namespaceSelector: {matchNames: [web]}", True),
        ("namespaceSelector: {matchNames: [web, api]}", "namespaceSelector: {matchNames: [web]}", True),
        ("namespaceSelector: {matchNames: [api]}", "namespaceSelector: {matchNames: [web]}", False),
        ("labelSelector: {matchLabels: {app: a}}", "labelSelector: {matchLabels: {app: a, tier: web}}", True),
        ("labelSelector: {matchLabels: {app: a}}", "labelSelector: {matchLabels: {tier: web}}", False),
        ("workloadSelector: {kinds: [Pod]}", "workloadSelector: {kinds: [Job]}", False),
    ],
)
def test_two_modes_for_the_same_workloads_are_reported(tmp_path: Path, one: str, other: str, *, clash: bool) -> None:
    problems = told(tmp_path, runtime("a", "audit", one), runtime("b", "enforce", other))
    assert [problem.endswith("[clash]") for problem in problems] == [True] * clash
    assert told(tmp_path, runtime("a", "audit", one), runtime("b", "audit", other)) == []


def test_both_versions_are_accepted_and_a_third_is_not(tmp_path: Path) -> None:
    ours = compliance().replace(AQUA, "policysync/v1")
    assert told(tmp_path, ours) == []
    (problem,) = told(tmp_path, compliance().replace(AQUA, "aqua.security/v2"))
    assert "want aqua.security/v1alpha1" in problem


def test_a_namespace_is_part_of_the_name(tmp_path: Path) -> None:
    version = "operator.aquasec.com/v1alpha1"
    two = [document("AquaKubeEnforcer", "kube", "config: {}", version, f", namespace: {space}") for space in "ab"]
    project = written(tmp_path, *two)
    state = desired_state(WorkTree(tmp_path), project, project.stages[0], load_kinds())
    assert [str(resource.address) for resource in state.resources] == [
        "AquaKubeEnforcer/a/kube",
        "AquaKubeEnforcer/b/kube",
    ]
    (problem,) = told(tmp_path, document("Label", "x", "", "policysync/v1", ", namespace: a"))
    assert "unknown key `namespace`" in problem


def test_a_secret_of_the_operator_is_a_reference(tmp_path: Path) -> None:
    version = "operator.aquasec.com/v1alpha1"
    plain = document("AquaKubeEnforcer", "kube", "config: {}, token: clear-text", version)
    (problem,) = told(tmp_path, plain)
    assert problem.startswith("/spec/token")
    assert "clear-text" not in problem
