"""Consoles of one edition only: what the other edition has is blocked there, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from acceptance.faulty import World, start
from acceptance.policy_repository import new_repository

LABEL = "apiVersion: policysync/v1\nkind: Label\nmetadata: {name: pci}\nspec: {}\n"
ONLY_SAAS = """\
apiVersion: policysync/v1
kind: SuppressionRule
metadata: {name: fixtures}
spec:
  enable: true
  application_scopes: [Global]
  controls: [{type: vulnerabilitySeverity, scan_type: vulnerability, severity: low}]
"""
ONLY_SELF_HOSTED = """\
apiVersion: policysync/v1
kind: Ldap
metadata: {name: settings}
spec: {enable: true, port: '636'}
"""
EXTERNAL = "references: {external: ['ApplicationScope/Global']}\n"


@pytest.fixture(params=["self-hosted", "saas"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    repository = new_repository(tmp_path / "team")
    world = start(repository.root, None, edition=request.param)
    address = f"http://127.0.0.1:{world.server.port}"
    target = {
        "name": "console",
        "backend": "aqua",
        "url": address,
        "auth": {"user": "robot", "password": "${env:ROBOT}"},
    }
    if request.param == "saas":
        target["auth"] = {"method": "saas-password", "user": "robot", "password": "${env:ROBOT}"}
        target["options"] = {"hosts": {"token": address}}
    project = {"version": 1, "stages": [{"name": "dev", "targets": [target]}]}
    repository.write("policysync.yaml", yaml.safe_dump(project) + EXTERNAL)
    repository.write("policies/base/pci.yaml", LABEL)
    missing = ONLY_SAAS if request.param == "self-hosted" else ONLY_SELF_HOSTED
    repository.write("policies/base/other.yaml", missing)
    repository.commit()
    yield world
    world.close()


def test_only_what_the_edition_lacks_is_blocked(world: World) -> None:
    plan = world.run("plan", "--stage", "dev", "--detailed-exitcode")
    assert plan.status == 2, plan.err
    assert "+ Label/pci" in plan.out
    assert ": blocked: edition: " in plan.out
    assert plan.out.rstrip().endswith("Plan: 1 to add, 0 to change, 0 to destroy. 1 resource blocked.")
    done = world.run("apply", "--stage", "dev", "--yes")
    assert done.status == 5, done.err
    assert world.labels() == {"pci": ""}
    status = json.loads(world.run("status", "--format", "json").out)
    (target,) = status["stages"][0]["targets"]
    assert target["state"] == "1 blocked"
    assert target["blocked"][0]["reason"] == "edition"


def test_a_whole_console_is_adopted_without_what_it_lacks(world: World) -> None:
    assert world.run("apply", "--stage", "dev", "--yes").status == 5
    (world.root / "policies/base/other.yaml").unlink()
    (world.root / "policies/base/pci.yaml").unlink()
    adopted = world.run("adopt", "--stage", "dev")
    assert adopted.status == 0, adopted.err
    assert "policies/base/label/pci.yaml" in adopted.out
    (line,) = (line for line in adopted.err.splitlines() if "this edition" in line)
    assert line.startswith("not read: console: this edition of the console does not have ")
    assert "No changes." in world.run("plan", "--stage", "dev").out
