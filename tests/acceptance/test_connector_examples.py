"""Every declaration of the reference, as it is, in a policy repository: accepted, and rendered to what belongs to it.

`apono-connector.yaml` and `aqua-cloud-connector.yaml` stand for several ways to install, so each way has a row.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from acceptance.policy_repository import PolicyRepository, new_repository, run_here

EXAMPLES = Path(__file__).parents[1] / "unit/render/examples"
ARN = "connectorRoleArn: arn:aws:iam::111122223333:role/apono-connector-role-abc"
FROM_STACK = "connectorRoleArnFrom:\n    stackOutput: AponoConnectorRoleArn"
STACK = """method: cloudformation-ecs
    cloudFormation:
      stackName: apono-connector-prod-use1
      templateUrl: https://templates.corp.example/apono/connector-ecs.yml
      tokenParameter: AponoConnectorToken"""
TRIVY = (
    ("engine: aqua-connector", "engine: trivy-operator"),
    ("namespaceSelector:\n    matchNames: [default]\n", "reports: [k8s-cis-1.23]\n  reportType: summary\n"),
    ('"0 * * * *"', '"0 */6 * * *"'),
    ("  benchmarks:\n" + "".join(f"    open-cis-benchmark-v1.{n}.0: true\n" for n in range(3)), ""),
)
# Declaration, what is changed in it, expected artefact, the file it is rendered to.
Row = tuple[str, tuple[tuple[str, str], ...], str, str]
RENDERED: list[Row] = [
    ("aqua-cloud-connector", (), "aqua-cloud-connector.values.yaml", "values.yaml"),
    ("aqua-cloud-connector", (), "aqua-cloud-connector.commands.txt", "commands.txt"),
    ("secure-app-connector", (), "secure-app-connector.argv.json", "argv.json"),
    ("secure-app-connector", (), "secure-app-connector.command.txt", "command.txt"),
    ("secure-app-connector", (), "secure-app-connector.user-data.yaml", "user-data.yaml"),
    ("apono-connector", (), "apono-connector.create-stack.json", "create-stack.json"),
    (
        "apono-connector",
        ((STACK, "method: terraform-ecs\n    terraform: {assignPublicIp: false}"),),
        "apono-connector.main.tf.json",
        "main.tf.json",
    ),
    ("apono-connector", ((STACK, "method: helm"),), "apono-connector.helm-values.yaml", "values.yaml"),
    (
        "apono-organization-role",
        ((FROM_STACK, ARN),),
        "apono-organization-role.create-stack.json",
        "create-stack.json",
    ),
    ("apono-organization-role", ((FROM_STACK, ARN),), "apono-organization-role.quickcreate.txt", "quickcreate.txt"),
    ("apono-integration", (), "apono-integration.request.json", "request.json"),
    ("compliance-policy", (), "compliance-policy.aqua-connector.yaml", "default-namespace-compliance.yaml"),
    ("compliance-policy", TRIVY, "compliance-policy.trivy-operator.yaml", "k8s-cis-1.23.yaml"),
    ("runtime-policy", (), "runtime-policy.aqua-connector.yaml", "nginx-no-config-writes.yaml"),
    ("vulnerability-policy", (), "vulnerability-policy.aqua-connector.yaml", "nightly-image-scan.yaml"),
]
DECLARED = sorted({row[0] for row in RENDERED})
TARGETS = """\
      - {name: cluster, backend: kubernetes, options: {context: eks-eu-prod, kubeconfig: kube.yaml}}
      - {name: machines, backend: skyhigh}
      - {name: member, backend: cloudformation, options: {account: "111122223333", region: us-east-1}}
      - {name: management, backend: cloudformation, options: {account: "999988887777", region: us-east-1}}
      - {name: tenant, backend: apono, auth: {token: "${env:APONO_TOKEN}"}}
"""


@pytest.fixture(params=["with targets", "without"], name="targets")
def _targets(request: pytest.FixtureRequest) -> str:
    return f"\n{TARGETS}" if request.param == "with targets" else " []\n"


def repository(folder: Path, targets: str, *names: str) -> PolicyRepository:
    made = new_repository(folder / "policies")
    made.write("policysync.yaml", f"version: 1\nstages:\n  - name: dev\n    targets:{targets}")
    for name in names:
        made.write(f"policies/base/{name}.yaml", (EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8"))
    return made


def test_all_of_them_are_accepted_in_one_repository(tmp_path: Path, targets: str) -> None:
    git = repository(tmp_path, targets, *DECLARED)
    ran = run_here(git, "validate")
    assert (ran.status, ran.out) == (0, "")
    assert f"{len(DECLARED)} documents" in ran.err


@pytest.mark.parametrize("row", RENDERED, ids=lambda row: str(row[2]))
def test_each_is_rendered_to_what_belongs_to_it(tmp_path: Path, targets: str, row: Row) -> None:
    name, changes, expected, file = row
    others = ["apono-connector"] if name in ("apono-organization-role", "apono-integration") else []
    git = repository(tmp_path, targets, name, *others)
    for old, new in changes:
        git.replace(f"policies/base/{name}.yaml", old, new)
    ran = run_here(git, "render", "--stage", "dev", "--format", "json")
    assert ran.status == 0, ran.err
    kind = yaml.safe_load((EXAMPLES / f"{name}.yaml").read_text(encoding="utf-8"))["kind"]
    kinds = (kind, "ClusterComplianceReport")
    (text,) = [a["text"] for a in ran.json()["artefacts"] if a["kind"] in kinds and a["file"] == file]
    wanted = (EXAMPLES / expected).read_text(encoding="utf-8")
    if file.endswith(".txt"):
        assert text == wanted
    else:
        assert data(text) == data(wanted)


def test_the_tunnel_file_has_the_documented_shape_in_the_order_of_the_document(tmp_path: Path, targets: str) -> None:
    git = repository(tmp_path, targets, "aqua-cloud-connector")
    git.replace("policies/base/aqua-cloud-connector.yaml", "method: helm", "method: manifests")
    ran = run_here(git, "render", "--stage", "dev", "--format", "json")
    objects = yaml.safe_load_all(ran.json()["artefacts"][0]["text"])
    (config,) = [each for each in objects if each["kind"] == "ConfigMap"]
    wanted = data((EXAMPLES / "aqua-cloud-connector.connector-config.yaml").read_text(encoding="utf-8"))
    assert data(config["data"]["aqua-cloud-connector-config"]) == wanted["manifest_documented"]


def test_no_file_of_the_reference_is_left_out() -> None:
    covered = {f"{name}.yaml" for name in DECLARED} | {row[2] for row in RENDERED}
    # These two say what becomes of a release; real Helm engines are held to them in tests/systems.
    covered |= {"aqua-cloud-connector.objects.yaml", "aqua-cloud-connector.connector-config.yaml"}
    assert {file.name for file in EXAMPLES.iterdir()} == covered


def data(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return yaml.safe_load(text)
