"""The workflows `init` writes, run step by step without GitHub: fresh clones, a bare origin, a stand-in for the API."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from acceptance.console_by_hand import by_hand
from acceptance.github_stand_in import REPOSITORY, TOKEN, StandIn, stand_in
from acceptance.policy_repository import PolicyRepository
from acceptance.workflow_runner import Job, Runner

POLICY = "policies/base/image-assurance.yaml"
PULL = {"pull_request": {"number": 7, "head": {"repo": {"full_name": REPOSITORY}}}}
FORK = {"pull_request": {"number": 7, "head": {"repo": {"full_name": "mallory/policies"}}}}


class Team:
    """A repository made by `init`, its bare origin, and a GitHub that runs its workflows."""

    def __init__(self, folder: Path, hub: StandIn) -> None:
        self.hub = hub
        self.folder = folder
        self.local = PolicyRepository(folder / "team")
        self.local.root.mkdir()
        assert self.local.run("init").status == 0
        self.local.git("symbolic-ref", "HEAD", "refs/heads/main")
        origin = folder / "origin.git"
        subprocess.run(["git", "init", "--quiet", "--bare", "--initial-branch=main", str(origin)], check=True)
        self.local.git("remote", "add", "origin", str(origin))
        self.runner = Runner(folder / "runs", origin, hub.url)
        self.before = self.push("start")

    def without(self, *stages: str) -> None:
        """Take stages away, where they would only take time."""
        text = (self.local.root / "policysync.yaml").read_text(encoding="utf-8")
        for stage in stages:
            shutil.rmtree(self.local.root / "policies" / "stages" / stage, ignore_errors=True)
            text = re.sub(rf"(?ms)^  - name: {stage}\b.*?(?=^  - name|^\w)", "", text)
        self.local.write("policysync.yaml", text)
        self.push("fewer stages")

    def share(self) -> None:
        """Give the team consoles that outlive a run, and a ledger in origin, as a real team has them."""
        self.runner.consoles = self.folder / ".policysync" / "consoles"
        self.runner.consoles.mkdir(parents=True)
        text = (self.local.root / "policysync.yaml").read_text(encoding="utf-8")
        self.local.write("policysync.yaml", f"{text}ledger: {{remote: origin}}\n")

    def push(self, message: str) -> str:
        revision = self.local.commit(message)
        self.local.git("push", "--quiet", "origin", "HEAD:main")
        return revision

    def run(self, workflow: str, event_name: str, event: dict[str, Any]) -> dict[str, list[Job]]:
        file = self.local.root / ".github/workflows" / f"policysync-{workflow}.yml"
        return self.runner.run(file, event_name, event)

    def merged(self, message: str) -> dict[str, list[Job]]:
        """Push to main and let the workflow apply it."""
        before = self.before
        self.before = self.push(message)
        return self.run("apply", "push", {"before": before, "after": self.before})


@pytest.fixture
def hub() -> Iterator[StandIn]:
    with stand_in() as hub:
        hub.add_pull(7)
        yield hub


@pytest.fixture
def team(tmp_path: Path, hub: StandIn) -> Team:
    return Team(tmp_path, hub)


def results(jobs: dict[str, list[Job]]) -> dict[str, list[str]]:
    return {name: [job.result for job in cells] for name, cells in jobs.items()}


def assert_good(jobs: dict[str, list[Job]]) -> None:
    assert "failure" not in {job.result for cells in jobs.values() for job in cells}, logs(jobs)


def logs(jobs: dict[str, list[Job]]) -> str:
    return "\n".join(job.log for cells in jobs.values() for job in cells)


def test_a_pull_request_is_planned_and_gets_one_comment(team: Team, hub: StandIn) -> None:
    team.without("nonprod")
    jobs = team.run("plan", "pull_request", PULL)
    assert results(jobs) == {
        "validate": ["success"],
        "plan": ["success"] * 2,
        "comment": ["success"],
        "fork": ["skipped"],
    }, logs(jobs)
    (body,) = hub.bodies(7)
    assert len(body) < 60_000
    # Nothing is released to prod yet, so all there is to show is what a promotion would change.
    assert body.index("dev-console") < body.index("**If this were promoted to prod:**") < body.index("prod-console")
    assert [job.environment for job in jobs["plan"]] == ["dev-plan", "prod-plan"]
    for job in jobs["plan"]:
        assert "Plan: 2 to add, 1 to change, 0 to destroy." in job.summary
    assert team.runner.sarif[0]["version"] == "2.1.0"
    assert TOKEN not in logs(jobs)

    team.without("prod")
    team.local.replace(POLICY, "maximum_score: 7", "maximum_score: 5")
    team.push("stricter")
    assert_good(team.run("plan", "pull_request", PULL))
    (later,) = hub.bodies(7)
    assert later != body


def test_a_wrong_document_is_annotated_and_nothing_is_planned(team: Team, hub: StandIn) -> None:
    team.local.replace(POLICY, "maximum_score: 7", "maximum_score: seven")
    team.push("wrong")
    jobs = team.run("plan", "pull_request", PULL)
    assert results(jobs) == {"validate": ["failure"], "plan": ["skipped"], "comment": ["skipped"], "fork": ["skipped"]}
    assert re.search(rf"^::error file={POLICY},.*line=\d+", jobs["validate"][0].log, re.MULTILINE)
    assert hub.bodies(7) == []


def test_a_fork_is_validated_and_not_planned(team: Team, hub: StandIn) -> None:
    jobs = team.run("plan", "pull_request", FORK)
    assert results(jobs) == {"validate": ["success"], "plan": ["skipped"], "comment": ["skipped"], "fork": ["success"]}
    assert "a pull request from a fork gets no credentials" in jobs["fork"][0].summary
    assert hub.requests == []


def test_a_stage_without_a_plan_says_so_and_hides_no_other(team: Team, hub: StandIn) -> None:
    team.without("nonprod")
    team.local.replace("policysync.yaml", 'url: "embedded:dev"', 'url: "https://127.0.0.1:1"')
    team.push("a console that is not there")
    jobs = team.run("plan", "pull_request", PULL)
    assert [job.result for job in jobs["plan"]] == ["failure", "success"]
    (body,) = hub.bodies(7)
    assert "## dev: there is no plan" in body
    assert "prod-console" in body


def test_what_is_merged_is_applied_by_its_saved_plan(team: Team) -> None:
    team.share()
    jobs = team.merged("consoles of our own")
    assert_good(jobs)
    assert jobs["apply"][0].environment == "dev"
    assert "3 applied" in jobs["apply"][0].log
    assert jobs["apply"][0].summary
    refs = team.local.git("ls-remote", "origin", "refs/policysync/*")
    assert "refs/policysync/ledger/dev" in refs

    # Another run, on another machine, knows what the first one did.
    team.local.replace(POLICY, "maximum_score: 7", "maximum_score: 5")
    jobs = team.merged("stricter")
    assert results(jobs) == {"stages": ["success"], "plan": ["success"], "apply": ["success"]}, logs(jobs)
    assert "Plan: 0 to add, 1 to change, 0 to destroy." in jobs["plan"][0].log

    team.local.write("README.md", "nothing to do with any stage\n")
    assert results(team.merged("words")) == {"stages": ["success"], "plan": ["skipped"], "apply": ["skipped"]}


def test_embedded_consoles_can_be_applied_to_as_init_writes_them(team: Team) -> None:
    team.local.replace(POLICY, "maximum_score: 7", "maximum_score: 5")
    jobs = team.merged("stricter")
    assert results(jobs) == {"stages": ["success"], "plan": ["success"], "apply": ["success"]}, logs(jobs)


def test_drift_opens_updates_and_closes_one_issue(team: Team, hub: StandIn) -> None:
    team.without("nonprod", "prod")
    team.share()
    assert_good(team.merged("consoles of our own"))
    assert results(team.run("drift", "schedule", {}))["issue"] == ["success"]
    assert hub.issues == []

    for score in (3, 2):
        with by_hand(team.folder) as console:
            console.edit("ImageAssurancePolicy", "Default", maximum_score=score)
        jobs = team.run("drift", "schedule", {})
        assert_good(jobs)
        (issue,) = hub.issues
        assert (issue["title"], issue["state"]) == ("Drift in dev", "open")
        assert f"{score}" in issue["body"]

    with by_hand(team.folder) as console:
        console.edit("ImageAssurancePolicy", "Default", maximum_score=7)
    team.run("drift", "schedule", {})
    assert hub.issues[0]["state"] == "closed"


def test_a_promotion_is_a_pull_request_and_merging_it_applies(team: Team, hub: StandIn) -> None:
    team.without("nonprod")
    team.share()
    assert_good(team.merged("consoles of our own"))
    jobs = team.run("promote", "workflow_dispatch", {"inputs": {"stage": "prod", "revision": "", "only": ""}})
    assert results(jobs) == {"stages": ["success"], "promote": ["success"]}, logs(jobs)
    assert jobs["promote"][0].environment == "prod-promotion"
    (pull,) = hub.pulls[1:]
    assert (pull["base"]["ref"], pull["head"]["ref"]) == ("main", f"policysync/prod-{team.before}"[:100])

    team.local.git("fetch", "--quiet", "origin", pull["head"]["ref"])
    team.local.git("merge", "--quiet", "--no-edit", "FETCH_HEAD")
    jobs = team.merged("merge the release")
    assert results(jobs) == {"stages": ["success"], "plan": ["success"], "apply": ["success"]}, logs(jobs)
    assert jobs["apply"][0].environment == "prod"
    assert "Apply to prod-console: 3 applied." in jobs["apply"][0].log

    # From now on a pull request shows both: what merging changes, and what a promotion would.
    jobs = team.run("plan", "pull_request", PULL)
    assert_good(jobs)
    assert "No changes." in jobs["plan"][1].summary
    assert "**If this were promoted to prod:**" in hub.bodies(7)[0]


def test_a_gate_that_is_shut_fails_only_who_asked(team: Team, hub: StandIn) -> None:
    team.without("nonprod")
    jobs = team.run("promote", "schedule", {})
    assert results(jobs) == {"stages": ["success"], "promote": ["success"]}, logs(jobs)
    assert "::notice::prod: a gate is still shut" in logs(jobs)
    jobs = team.run("promote", "workflow_dispatch", {"inputs": {"stage": "prod", "revision": "", "only": ""}})
    assert results(jobs)["promote"] == ["failure"]
    assert "nothing that is committed was applied to dev-console yet" in logs(jobs)
    assert len(hub.pulls) == 1


def test_what_is_asked_for_is_never_read_as_shell(team: Team) -> None:
    inputs = {"stage": 'prod"; touch pwned; "', "revision": "$(touch pwned)", "only": "`touch pwned`"}
    jobs = team.run("promote", "workflow_dispatch", {"inputs": inputs})
    assert results(jobs) == {"stages": ["failure"], "promote": ["skipped"]}
    jobs = team.run("promote", "workflow_dispatch", {"inputs": {**inputs, "stage": "prod"}})
    assert results(jobs)["promote"] == ["failure"]
    assert not list(team.folder.rglob("pwned"))
