"""`policysync status`, end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from acceptance.console_by_hand import by_hand
from acceptance.policy_repository import PolicyRepository
from acceptance.stages import LABEL_FILE, POLICY_FILE, applied, release, two_stages

from policysync.apply.events import Outcome
from policysync.apply.ledger import Ledger
from policysync.apply.report import Done, Report
from policysync.clock import SystemClock
from policysync.plan.change import Action, Change, Plan
from policysync.state.resource import Address, Resource


@pytest.fixture
def repository(tmp_path: Path) -> PolicyRepository:
    return two_stages(tmp_path / "team")


def status(repository: PolicyRepository, *options: str, ended: int = 0) -> dict[str, Any]:
    """Return the stages by name, each with its one target under `target`."""
    ran = repository.run("status", "--format", "json", *options)
    assert ran.status == ended, ran.err
    document = ran.json()
    assert document["format_version"] == 1
    return {stage["stage"]: stage | {"target": stage["targets"][0]} for stage in document["stages"]}


def test_from_nothing_to_in_sync(repository: PolicyRepository) -> None:
    before = status(repository)
    assert before["dev"]["target"]["state"] == "2 pending"
    assert before["prod"]["target"]["state"] == "nothing released"
    assert "nothing that is committed was applied to dev" in before["prod"]["promotable"]["problem"]
    assert repository.run("status", "--detailed-exitcode").status == 2
    applied(repository, "dev")
    head = repository.git("rev-parse", "HEAD").strip()
    offered = status(repository)["prod"]["promotable"]
    assert offered["from"] == "dev"
    assert offered["revision"] == head
    assert offered["resources"] == ["ImageAssurancePolicy/strict", "Label/pci"]
    release(repository)
    applied(repository, "prod")
    after = status(repository)
    assert {stage["target"]["state"] for stage in after.values()} == {"in sync"}
    assert after["prod"]["revision"] == after["prod"]["target"]["applied"]["revision"] == head
    assert after["prod"]["target"]["applied"]["by"] == "Test <test@example.com>"
    assert after["prod"]["promotable"]["resources"] == []
    assert repository.run("status", "--detailed-exitcode").status == 0


def test_what_moved_is_counted_and_named(repository: PolicyRepository) -> None:
    release(repository)
    applied(repository, "dev", "prod")
    with by_hand(repository.root, "prod") as console:
        console.edit("Label", "pci", description="by hand")
    repository.replace(LABEL_FILE, "for", "only for")
    repository.commit("say it otherwise")
    found = status(repository)
    assert (found["dev"]["target"]["pending"], found["dev"]["target"]["drift"]) == (1, 0)
    assert (found["prod"]["target"]["pending"], found["prod"]["target"]["drift"]) == (0, 1)
    assert found["prod"]["target"]["resources"]["Label/pci"] == "drift"
    # Dev has not applied it yet, so there is nothing to be had from there.
    assert found["prod"]["promotable"]["resources"] == []
    applied(repository, "dev")
    shown = repository.run("status", "--all")
    assert "1 drift" in shown.out
    drifted = repository.run("drift", "--all")
    assert (drifted.status, drifted.err.count("\n")) == (2, 1)
    assert drifted.err.startswith("prod: `policysync apply --stage prod` puts it back, `policysync adopt --stage prod ")
    assert repository.run("drift", "--all", "--format", "json").err == ""
    assert "1 from dev" in shown.out
    (row,) = [line for line in shown.out.splitlines() if line.startswith("Label/pci")]
    assert row.split("  ")[-1].strip() == "drift, promotable"
    only = repository.run("status", "--stage", "prod")
    assert "1 from dev" in only.out
    assert "dev-console" not in only.out


def test_what_was_taken_into_git_is_no_apply(repository: PolicyRepository) -> None:
    with by_hand(repository.root, "dev") as console:
        console.create("Label", {"name": "by hand"})
    assert repository.run("adopt", "--stage", "dev").status == 0
    assert repository.run("status").out.splitlines()[1].split()[:3] == ["dev", "dev-console", "adopted"]
    repository.commit("adopted")
    applied(repository, "dev")
    with by_hand(repository.root, "dev") as console:
        console.create("Label", {"name": "another"})
    assert repository.run("adopt", "--stage", "dev").status == 0
    head = repository.git("rev-parse", "HEAD").strip()
    assert status(repository)["dev"]["target"]["applied"]["revision"] == head


def test_what_a_guard_holds_is_said(repository: PolicyRepository) -> None:
    repository.write(
        "policysync.yaml",
        (repository.root / "policysync.yaml").read_text()
        + 'guards: {freeze: [{from: "2020-01-01", to: "2999-12-31", zone: UTC, reason: the year end}]}\n',
    )
    repository.commit("freeze")
    found = status(repository)["dev"]["target"]
    assert found["state"] == "2 pending, held by freeze"
    assert "the year end" in found["guards"]["freeze"]
    assert "guard freeze: " in repository.run("status").out


def test_a_target_that_cannot_be_reached_is_a_row(repository: PolicyRepository) -> None:
    applied(repository, "dev")
    configuration = (repository.root / "policysync.yaml").read_text()
    unreachable = 'url: "http://127.0.0.1:9", auth: {method: password, user: u, password: "${env:NO_SUCH_PASSWORD}"}'
    repository.write("policysync.yaml", configuration.replace('url: "embedded:prod"', unreachable))
    release(repository)
    found = status(repository, ended=1)
    assert found["dev"]["target"]["state"] == "in sync"
    assert found["prod"]["target"]["state"] == "unreachable"
    assert "NO_SUCH_PASSWORD" in found["prod"]["target"]["problem"]
    assert "unreachable" in repository.run("status").out
    assert status(repository, "--offline")["prod"]["target"]["reachable"] is None


def test_documents_that_cannot_be_read_are_said_and_hide_nothing_else(repository: PolicyRepository) -> None:
    release(repository)
    applied(repository, "dev", "prod")
    repository.replace(POLICY_FILE, "maximum_score: 7", "maximum_score: high")
    found = status(repository, ended=1)
    assert found["prod"]["target"]["in_sync"]
    assert "strict.yaml:8:18" in found["dev"]["problem"]
    assert found["dev"]["target"]["applied"]["revision"]


def test_offline_only_the_ledger_is_asked(repository: PolicyRepository) -> None:
    release(repository)
    applied(repository, "dev", "prod")
    with by_hand(repository.root, "dev") as console:
        console.edit("Label", "pci", description="by hand")
    repository.replace(POLICY_FILE, "maximum_score: 7", "maximum_score: 6")
    found = status(repository, "--offline")
    assert found["dev"]["target"]["state"] == "1 pending"
    assert found["dev"]["target"]["drift"] is None
    assert found["dev"]["dirty"]
    assert found["prod"]["target"]["state"] == "as applied"


def test_what_was_left_undone_or_never_ended_is_said(repository: PolicyRepository) -> None:
    applied(repository, "dev")
    ledger = Ledger(repository.root, "dev", SystemClock())
    label = Resource(Address("Label", "pci"), {"name": "pci"})
    change = Change(Action.UPDATE, label.address, label, label)
    plan = Plan("dev", "dev-console", waves=((change,),))
    report = Report("dev-console", (Done(change, Outcome.FAILED, "the console said no"),))
    ledger.begin(plan, "digest").finish(report)
    found = status(repository)["dev"]["target"]
    assert found["state"] == "partly applied (1 undone)"
    assert found["resources"]["Label/pci"] == "failed"
    assert found["unrepaired"][0]["message"] == "the console said no"
    ledger.begin(plan, "digest")
    assert status(repository, "--offline")["dev"]["target"]["state"] == "unfinished, partly applied (1 undone)"
    assert "began and did not end" in repository.run("status").out


def test_markdown_is_a_table(repository: PolicyRepository) -> None:
    lines = repository.run("status", "--format", "markdown", "--all").out.splitlines()
    assert lines[0].startswith("| STAGE | TARGET |")
    assert all(line.startswith(("|", "- ")) or not line for line in lines)


def test_gates_that_ask_nobody_say_when_they_could_pass(repository: PolicyRepository) -> None:
    configuration = (repository.root / "policysync.yaml").read_text()
    gates = "    gates: {soaked: {stricter: 24h, looser: 72h}, approvals: 2, no-drift: true}\n"
    repository.write("policysync.yaml", configuration + gates)
    repository.commit("gates")
    applied(repository, "dev")
    offered = status(repository, "--offline")["prod"]["promotable"]
    assert list(offered["refused"]) == ["soaked"]
    assert set(offered["asks"]) == {"approvals", "no-drift"}
    assert offered["since"] > status(repository, "--offline")["dev"]["target"]["applied"]["at"]
    shown = repository.run("status", "--all").out
    assert "2 from dev, held by soaked, from 20" in shown
    assert "prod: gate soaked: " in shown
    assert "not there, waits for gates" in shown


def test_a_ledger_that_is_missing_is_said_and_not_taken_for_nothing_applied(repository: PolicyRepository) -> None:
    applied(repository, "dev")
    repository.git("update-ref", "-d", "refs/policysync/ledger/dev")
    ran = repository.run("status", "--offline")
    assert "\ndev: the ledger of dev is missing: it was at " in ran.out
    assert "\nprod: nothing can be promoted: the ledger of dev is missing: " in ran.out
    refused = repository.run("promote", "--to", "prod")
    assert (refused.status, refused.err.startswith("error: the ledger of dev is missing: ")) == (3, True)
