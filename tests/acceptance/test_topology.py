"""Connectors and registries know each other: through `topology` and through `validate`."""

from __future__ import annotations

from pathlib import Path

import pytest
from acceptance.policy_repository import PolicyRepository, new_repository

PROJECT = """\
version: 1
stages:
  - name: dev
    targets:
      - {name: dev-console, backend: aqua, url: "https://dev1234.cloud.aquasec.com"}
      - {name: dev-cluster, backend: kubernetes, options: {context: eks-dev}}
    vars: {context: eks-dev, gateway: dev1234-gw.cloud.aquasec.com}
  - name: prod
    targets:
      - {name: prod-console, backend: aqua, url: "https://prod5678.cloud.aquasec.com"}
      - {name: prod-cluster, backend: kubernetes, options: {context: eks-prod}}
    vars: {context: eks-prod, gateway: prod5678-gw.cloud.aquasec.com}
"""
CONNECTOR = """\
apiVersion: policysync/v1
kind: AquaCloudConnector
metadata: {name: eu}
spec:
  cluster: {context: "${var.context}"}
  chart: {version: 2022.4.5}
  gateway: {host: "${var.gateway}"}
  auth: {method: token, tokenFrom: {kubernetesSecret: {name: aqua-cc-token, key: token}}}
  tunnels:
    - {type: onprem, host: harbor.corp.example, port: 8443}
    - {type: azure, host: acme.azurecr.io}
"""
HARBOR = """\
apiVersion: policysync/v1
kind: Registry
metadata: {name: Harbor}
spec: {type: HARBOR, url: https://harbor.corp.example, username: aqua}
"""


@pytest.fixture(name="git")
def _git(tmp_path: Path) -> PolicyRepository:
    made = new_repository(tmp_path / "policies")
    made.write("policysync.yaml", PROJECT)
    made.write("policies/base/connector.yaml", CONNECTOR)
    made.write("policies/base/harbor.yaml", HARBOR)
    made.commit()
    return made


def test_the_stages_are_shown_from_the_console_to_the_registry(git: PolicyRepository) -> None:
    shown = git.run("topology", "--stage", "prod")
    assert (shown.status, shown.err) == (0, "")
    assert shown.out.splitlines() == [
        "Stage prod",
        "  console prod-console (https://prod5678.cloud.aquasec.com)",
        "    AquaCloudConnector/eu → gateway prod5678-gw.cloud.aquasec.com:443",
        "      tunnel azure acme.azurecr.io:443 → no registry",
        "      tunnel onprem harbor.corp.example:8443 → Registry/Harbor",
    ]
    stages = git.run("topology", "--format", "json").json()["stages"]
    assert [stage["connectors"][0]["consoles"] for stage in stages] == [["dev-console"], ["prod-console"]]
    drawn = git.run("topology", "--format", "mermaid").out
    assert drawn.startswith("flowchart LR\n")
    assert drawn.count("subgraph") == drawn.count("\n  end") == 2
    assert 's0n1 -->|"onprem harbor.corp.example:8443"| s0n2' in drawn


def test_validate_says_what_does_not_fit_with_both_places(git: PolicyRepository) -> None:
    unused = git.run("validate")
    assert unused.status == 0
    assert "policies/base/connector.yaml:11:27: warning: /spec/tunnels/1/host: no registry of stage" in unused.out
    git.replace("policies/base/harbor.yaml", "harbor.corp.example", "harbor.other.example")
    missing = git.run("validate")
    assert "no tunnel of stage dev reaches `harbor.other.example`" in missing.out
    assert "(AquaCloudConnector/eu at policies/base/connector.yaml:1:1)" in missing.out
    git.replace("policysync.yaml", "gateway: prod5678-gw", "gateway: dev1234-gw")
    mixed = git.run("validate")
    assert mixed.status == 1
    assert "is the gateway of dev-console in stage dev, not of stage prod" in mixed.out


def test_what_no_target_serves_is_said_once_for_all_stages(git: PolicyRepository) -> None:
    git.replace("policies/base/connector.yaml", "${var.context}", "eks")
    git.write("policysync.yaml", "\n".join(line for line in PROJECT.splitlines() if "kubernetes" not in line))
    said = [line for line in git.run("validate").out.splitlines() if "[no-target]" in line]
    assert len(said) == 1
    assert "no target serves it; want one with backend helm" in said[0]
