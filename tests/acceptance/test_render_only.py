"""`--render-only`: another tool installs, and the artefacts in git are what live is."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from acceptance.policy_repository import PolicyRepository, new_repository

PROJECT = """\
version: 1
stages:
  - name: dev
    targets:
      - {name: console, backend: aqua, url: "embedded:dev"}
      - {name: cluster-eu, backend: kubernetes, options: {context: eks-eu, kubeconfig: nowhere.yaml}}
      - {name: cluster-us, backend: helm, options: {context: eks-us, kubeconfig: nowhere.yaml}}
"""
CONNECTOR = """\
apiVersion: policysync/v1
kind: AquaCloudConnector
metadata: {name: eu}
spec:
  cluster: {context: eks-eu}
  chart: {version: 2022.4.5}
  gateway: {host: ab12cd34ef-gw.cloud.aquasec.com}
  auth: {tokenFrom: {kubernetesSecret: {name: aqua-cc-token, key: token}}}
  tunnels: [{type: azure, host: acme.azurecr.io}]
"""
LABEL = "apiVersion: policysync/v1\nkind: Label\nmetadata: {name: pci}\nspec: {description: cards}\n"
ONLY = ("--stage", "dev", "--render-only", "deploy")


@pytest.fixture(name="git")
def _git(tmp_path: Path) -> PolicyRepository:
    made = new_repository(tmp_path / "policies")
    made.write("policysync.yaml", PROJECT)
    made.write("policies/base/connector.yaml", CONNECTOR)
    made.write("policies/base/label.yaml", LABEL)
    made.commit()
    return made


def test_artefacts_are_kept_for_another_tool_and_no_cluster_is_asked(git: PolicyRepository) -> None:
    planned = git.run("plan", *ONLY)
    assert planned.status == 0, planned.err
    assert planned.out.count("+ AquaCloudConnector/eu") == 1
    assert "Label" not in planned.out
    assert git.run("apply", *ONLY, "--yes").status == 0
    values = git.root / "deploy/cluster-eu/AquaCloudConnector/eu/values.yaml"
    assert yaml.safe_load(values.read_text(encoding="utf-8"))["gateway"]["port"] == "443"
    assert not (git.root / "deploy/cluster-us/AquaCloudConnector").exists()
    git.commit()
    assert git.run("plan", *ONLY, "--detailed-exitcode").status == 0
    values.write_text(values.read_text(encoding="utf-8").replace("443", "8443", 1), encoding="utf-8")
    git.commit()
    assert git.run("plan", *ONLY, "--detailed-exitcode").status == 2
    assert git.run("apply", *ONLY, "--yes").status == 0
    git.commit()
    assert git.run("plan", *ONLY, "--detailed-exitcode").status == 0


def test_a_stage_that_installs_nothing_has_nothing_to_render(git: PolicyRepository) -> None:
    git.write("policysync.yaml", "\n".join(PROJECT.splitlines()[:5]) + "\n")
    refused = git.run("plan", *ONLY)
    assert refused.status == 1
    assert "no cluster or account" in refused.err
