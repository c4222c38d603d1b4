"""A policy repository of two stages on embedded consoles, with one policy that prod has otherwise."""

from __future__ import annotations

from pathlib import Path

from acceptance.policy_repository import PolicyRepository, new_repository

CONFIGURATION = """\
version: 1
stages:
  - name: dev
    targets:
      - {name: dev-console, backend: aqua, url: "embedded:dev"}
    vars: {team: developers}
  - name: prod
    targets:
      - {name: prod-console, backend: aqua, url: "embedded:prod"}
    vars: {team: operators}
"""
POLICY = """\
apiVersion: policysync/v1
kind: ImageAssurancePolicy
metadata: {name: strict}
spec:
  application_scopes: [Global]
  fail_cicd: true
  maximum_score_enabled: true
  maximum_score: 7  # what the auditors asked for
"""
OVERLAY = """\
apiVersion: policysync/v1
kind: ImageAssurancePolicy
metadata: {name: strict}
spec:
  maximum_score: 5  # stricter here
"""
LABEL = """\
apiVersion: policysync/v1
kind: Label
metadata: {name: pci}
spec: {description: "for ${var.team}"}
"""
POLICY_FILE = "policies/base/strict.yaml"
OVERLAY_FILE = "policies/stages/prod/strict.yaml"
LABEL_FILE = "policies/base/pci.yaml"


def two_stages(folder: Path) -> PolicyRepository:
    """Return the repository, committed; nothing is released to prod yet."""
    repository = new_repository(folder)
    repository.write("policysync.yaml", CONFIGURATION)
    repository.write(POLICY_FILE, POLICY)
    repository.write(OVERLAY_FILE, OVERLAY)
    repository.write(LABEL_FILE, LABEL)
    repository.commit("the policies")
    return repository


def release(repository: PolicyRepository, stage: str = "prod") -> str:
    """Pin what is committed to a stage, and return the revision."""
    revision = repository.git("rev-parse", "HEAD").strip()
    repository.write(f"releases/{stage}.yaml", f"version: 1\nrevision: {revision}\n")
    repository.commit(f"release to {stage}")
    return revision


def applied(repository: PolicyRepository, *stages: str) -> None:
    """Apply stages, and see that it worked."""
    for stage in stages:
        done = repository.run("apply", "--stage", stage, "--yes")
        assert done.status == 0, done.err
