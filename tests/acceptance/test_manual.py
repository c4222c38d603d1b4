"""What only a person can do: the plan says how, apply waits, and the ledger remembers what was confirmed."""

from __future__ import annotations

from pathlib import Path

from acceptance.policy_repository import PolicyRepository, new_repository

PROJECT = """\
version: 1
stages:
  - name: dev
    targets: [{name: dev-console, backend: aqua, url: "embedded:dev"}]
"""
TOKEN = """\
apiVersion: policysync/v1
kind: CloudConnectorToken
metadata: {name: eu}
spec:
  keptIn: {env: CONNECTOR_TOKEN}
  issued: "2026-11-01"
"""
LABEL = "apiVersion: policysync/v1\nkind: Label\nmetadata: {name: pci}\nspec: {description: cards}\n"
CONFIRM = ("--confirm", "CloudConnectorToken/eu")


def repository(folder: Path) -> PolicyRepository:
    made = new_repository(folder / "policies")
    made.write("policysync.yaml", PROJECT)
    made.write("policies/base/token.yaml", TOKEN)
    made.write("policies/base/label.yaml", LABEL)
    made.commit()
    return made


def test_a_manual_step_is_told_waited_for_confirmed_and_remembered(tmp_path: Path) -> None:
    git = repository(tmp_path)
    planned = git.run("plan", "--stage", "dev")
    assert planned.status == 0, planned.err
    assert "+ CloudConnectorToken/eu  (manual)" in planned.out
    assert "manual: 3. Store it where the connectors look for it: env CONNECTOR_TOKEN." in planned.out
    waiting = git.run("apply", "--stage", "dev", "--yes")
    assert waiting.status == 5, waiting.err
    assert "waiting: create:CloudConnectorToken/eu: to be done by hand" in waiting.out
    assert "1 applied" in waiting.out
    assert git.run("apply", "--stage", "dev", "--yes").status == 5
    assert git.run("apply", "--stage", "dev", "--yes", *CONFIRM).status == 0
    assert "No changes." in git.run("plan", "--stage", "dev").out
    assert "done by hand, and confirmed" in git.run("history", "--stage", "dev", "--format", "json").out
    assert git.run("drift", "--stage", "dev").status == 0


def test_a_later_day_asks_for_a_new_one_and_a_file_that_goes_for_its_end(tmp_path: Path) -> None:
    git = repository(tmp_path)
    assert git.run("apply", "--stage", "dev", "--yes", *CONFIRM).status == 0
    git.replace("policies/base/token.yaml", "2026-11-01", "2026-12-01")
    rotated = git.run("plan", "--stage", "dev")
    assert "~ CloudConnectorToken/eu  (manual)" in rotated.out
    assert "only then revoke the old token" in rotated.out
    assert git.run("apply", "--stage", "dev", "--yes", *CONFIRM).status == 0
    (git.root / "policies/base/token.yaml").unlink()
    assert "No changes." in git.run("plan", "--stage", "dev").out
    assert "- CloudConnectorToken/eu  (manual)" in git.run("plan", "--stage", "dev", "--prune").out
    assert git.run("apply", "--stage", "dev", "--yes", "--prune").status == 5
    assert git.run("apply", "--stage", "dev", "--yes", "--prune", *CONFIRM).status == 0
    assert "No changes." in git.run("plan", "--stage", "dev", "--prune").out


GROUPS = """\
apiVersion: policysync/v1
kind: ConnectorGroup
metadata: {name: eu}
spec: {description: for eu, provisioningKeyFrom: {env: KEY}}
---
apiVersion: policysync/v1
kind: PrivateApplication
metadata: {name: wiki}
spec: {protocol: HTTPS, host: wiki.example, ports: "443", connectorGroups: [eu]}
"""
TWO = """\
version: 1
stages:
  - name: dev
    targets: [{name: machines, backend: skyhigh}, {name: dev-console, backend: aqua, url: "embedded:dev"}]
"""


def test_what_refers_to_a_step_waits_with_it_and_no_other_target_does(tmp_path: Path) -> None:
    git = repository(tmp_path)
    git.write("policysync.yaml", TWO)
    git.write("policies/base/token.yaml", GROUPS)
    git.commit()
    waiting = git.run("apply", "--stage", "dev", "--yes", "--confirm", "ConnectorGroup/ue")
    assert waiting.status == 5, waiting.out
    assert "it refers to ConnectorGroup/eu, which waits for a person" in waiting.out
    assert "Apply to dev-console: 1 applied." in waiting.out
    assert "--confirm ConnectorGroup/ue: nothing waits for that" in waiting.err
    done = git.run(
        "apply", "--stage", "dev", "--yes", "--confirm", "ConnectorGroup/eu", "--confirm", "PrivateApplication/wiki"
    )
    assert (done.status, "nothing waits" in done.err) == (0, False)
    git.replace("policies/base/token.yaml", '"443"', '"8443"')
    assert "~ PrivateApplication/wiki  (manual)" in git.run("plan", "--stage", "dev").out
    git.replace("policies/base/token.yaml", '"8443"', '"443"')
    assert "No changes." in git.run("plan", "--stage", "dev").out
