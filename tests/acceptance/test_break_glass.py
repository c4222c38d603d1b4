"""An edit by hand in prod: healed, accepted until a date, or taken into git."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from acceptance.console_by_hand import by_hand
from acceptance.policy_repository import PolicyRepository, copied
from acceptance.stages import LABEL_FILE, OVERLAY_FILE, POLICY_FILE, applied, release, two_stages

SCORE = "ImageAssurancePolicy/strict"


@pytest.fixture
def repository(made: PolicyRepository, tmp_path: Path) -> PolicyRepository:
    return copied(made, tmp_path / "team")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> PolicyRepository:
    """Return two stages in sync, and then an edit by hand in prod."""
    repository = two_stages(tmp_path_factory.mktemp("made") / "team")
    release(repository)
    applied(repository, "dev", "prod")
    with by_hand(repository.root, "prod") as console:
        console.edit("ImageAssurancePolicy", "strict", maximum_score=9, fail_cicd=False)
        console.edit("Label", "pci", description="by hand")
    return repository


def accept(repository: PolicyRepository, *entries: str) -> None:
    text = (repository.root / "policysync.yaml").read_text().partition("accepted:")[0]
    repository.write("policysync.yaml", text + "accepted:\n" + "".join(f"  - {{stage: prod, {e}}}\n" for e in entries))
    repository.commit("accept")


def live(repository: PolicyRepository) -> tuple[Any, Any]:
    with by_hand(repository.root, "prod") as console:
        policy = console.call("GET", "/api/v2/assurance_policy/image/strict")
        return policy["maximum_score"], console.call("GET", "/api/v1/settings/labels/pci")["description"]


def drifted(repository: PolicyRepository) -> list[str]:
    plans = repository.run("drift", "--stage", "prod", "--format", "json").json()["plans"]
    return ["/".join([c["name"], *e["path"]]) for p in plans for w in p["waves"] for c in w for e in c["edits"]]


def test_what_is_accepted_stays_until_its_date(repository: PolicyRepository) -> None:
    accept(
        repository,
        f"resource: {SCORE}, field: /maximum_score, until: 2999-12-24, reason: incident 4711",
        "resource: Label/pci, until: 2999-12-24, reason: incident 4711",
    )
    assert drifted(repository) == ["strict/fail_cicd"]
    plan = repository.run("plan", "--stage", "prod")
    assert "accepted until 2999-12-24: ImageAssurancePolicy/strict maximum_score: 5 → 9  (incident 4711)" in plan.out
    assert plan.out.rstrip().endswith("Plan: 0 to add, 1 to change, 0 to destroy.")
    applied(repository, "prod")
    assert live(repository) == (9, "by hand")
    # It is neither drift nor a change any more, and it is not forgotten.
    calm = repository.run("drift", "--stage", "prod")
    assert calm.status == 0
    assert "accepted until 2999-12-24: Label/pci description: " in calm.out
    assert repository.run("plan", "--stage", "prod", "--detailed-exitcode").status == 0
    status = repository.run("status", "--stage", "prod")
    assert "2 accepted" in status.out
    assert "Label/pci description: accepted until 2999-12-24 (incident 4711)" in status.out


def test_after_its_date_it_is_drift_again_and_is_healed(repository: PolicyRepository) -> None:
    accept(repository, f"resource: {SCORE}, field: /maximum_score, until: 2999-12-24, reason: incident 4711")
    applied(repository, "prod")
    assert live(repository)[0] == 9
    accept(repository, f"resource: {SCORE}, field: /maximum_score, until: 2020-12-24, reason: incident 4711")
    assert drifted(repository) == ["strict/maximum_score"]
    valid = repository.run("validate")
    assert valid.status == 0
    assert "warning: /accepted/0/until: ImageAssurancePolicy/strict was accepted until 2020-12-24" in valid.out
    applied(repository, "prod")
    assert live(repository)[0] == 5


def test_it_can_be_healed_before_its_date(repository: PolicyRepository) -> None:
    accept(
        repository,
        f"resource: {SCORE}, until: 2999-12-24, reason: r",
        "resource: Label/pci, until: 2999-12-24, reason: r",
    )
    assert "No changes." in repository.run("plan", "--stage", "prod").out
    saved = repository.run("plan", "--stage", "prod", "--heal-accepted", "--out", "plan.json")
    assert "2 to change" in saved.out
    done = repository.run("apply", "--stage", "prod", "plan.json")
    assert done.status == 0, done.err
    assert live(repository) == (5, "for operators")


def test_a_saved_plan_is_stale_when_what_it_spared_is_accepted_no_more(repository: PolicyRepository) -> None:
    accept(repository, f"resource: {SCORE}, field: /maximum_score, until: 2999-12-24, reason: r")
    repository.run("plan", "--stage", "prod", "--out", "plan.json")
    accept(repository, f"resource: {SCORE}, field: /maximum_score, until: 2020-12-24, reason: r")
    assert repository.run("apply", "--stage", "prod", "plan.json").status == 4


def test_a_wrong_entry_is_an_error_everywhere(repository: PolicyRepository) -> None:
    accept(repository, "resource: Labl/pci, until: 2999-12-24, reason: r")
    for command in (["validate"], ["plan", "--stage", "prod"], ["drift", "--stage", "prod"]):
        ran = repository.run(*command)
        assert ran.status == 1
        assert "policysync.yaml:12:5: /accepted/0/resource: there is no kind Labl" in ran.out + ran.err


def write_back(repository: PolicyRepository, *options: str) -> Any:
    ran = repository.run("adopt", "--stage", "prod", "--write-back", "--format", "json", *options)
    assert ran.status == 0, ran.err
    return ran.json()


def test_it_lands_in_an_overlay_of_the_stage(repository: PolicyRepository) -> None:
    written = write_back(repository)["written"]
    assert {(one["path"], one["file"]) for one in written} == {
        ("maximum_score", OVERLAY_FILE),
        ("fail_cicd", OVERLAY_FILE),
        ("description", "policies/stages/prod/label/pci.yaml"),
    }
    overlay = (repository.root / OVERLAY_FILE).read_text()
    assert "  maximum_score: 9  # stricter here\n  fail_cicd: false\n" in overlay
    new = yaml.safe_load((repository.root / "policies/stages/prod/label/pci.yaml").read_text())
    assert (new["metadata"], new["spec"]) == ({"name": "pci"}, {"description": "by hand"})
    repository.commit("take it")
    assert repository.run("validate").status == 0
    # No other stage gets it, and once it is released there is no drift.
    assert "No changes." in repository.run("plan", "--stage", "dev").out
    release(repository)
    assert "No changes." in repository.run("plan", "--stage", "prod").out


def test_it_can_be_asked_into_the_base(repository: PolicyRepository) -> None:
    written = write_back(repository, "--into", "base", "--only", "ImageAssurancePolicy/*")["written"]
    # An overlay that states it already would hide what the base says.
    assert {(one["path"], one["file"]) for one in written} == {
        ("maximum_score", OVERLAY_FILE),
        ("fail_cicd", POLICY_FILE),
    }


def test_what_git_moved_since_the_release_is_left(repository: PolicyRepository) -> None:
    repository.replace(OVERLAY_FILE, "maximum_score: 5", "maximum_score: 4")
    repository.commit("stricter still")
    found = write_back(repository, "--only", "ImageAssurancePolicy/*")
    assert found["left"] == [
        "ImageAssurancePolicy/strict maximum_score: git says something else by now than what is released; "
        "decide in the file"
    ]


def test_it_is_offered_as_a_pull_request(repository: PolicyRepository, tmp_path: Path) -> None:
    remote = tmp_path / "remote.git"
    nowhere = repository.run("adopt", "--stage", "prod", "--write-back", "--push")
    assert "there is no remote origin to push to" in nowhere.err
    assert repository.git("status", "--porcelain") == "", "nothing is written that cannot be pushed"
    subprocess.run(["git", "init", "--quiet", "--bare", str(remote)], check=True)
    repository.git("remote", "add", "origin", str(remote))
    head = repository.git("rev-parse", "HEAD")
    repository.replace(POLICY_FILE, "what the auditors", "whatever somebody")
    before = repository.git("status", "--porcelain")
    ran = repository.run("adopt", "--stage", "prod", "--write-back", "--pull-request")
    assert ran.status == 0, ran.err
    assert "open a pull request from policysync/by-hand-prod-" in ran.err
    assert "prod follows releases/prod.yaml: promote a revision with this to it" in ran.err
    # The work tree, and what somebody began there, stay as they are.
    assert (repository.git("rev-parse", "HEAD"), repository.git("status", "--porcelain")) == (head, before)
    (branch,) = subprocess.run(
        ["git", "-C", str(remote), "branch", "--format=%(refname:short)"], check=True, capture_output=True, text=True
    ).stdout.split()
    show = ["git", "-C", str(remote), "show", "--format=%B"]
    shown = subprocess.run([*show, branch], check=True, capture_output=True, text=True).stdout
    assert shown.startswith("take what was changed by hand in prod into git\n")
    assert "- ImageAssurancePolicy/strict maximum_score: 5 → 9" in shown
    assert "+  maximum_score: 9  # stricter here" in shown
    assert "whatever somebody" not in shown
    # The second time finds the branch of the first one.
    assert repository.run("adopt", "--stage", "prod", "--write-back", "--pull-request").status == 0


def test_it_is_committed_where_it_was_asked_for(repository: PolicyRepository) -> None:
    first = write_back(repository, "--branch", "by-hand", "--only", "Label/*")
    assert first["branch"] == "by-hand"
    assert "by hand" in repository.git("show", "by-hand:policies/stages/prod/label/pci.yaml")
    assert repository.git("status", "--porcelain") == ""
    again = repository.run("adopt", "--stage", "prod", "--write-back", "--branch", "by-hand", "--only", "Label/*")
    assert again.status == 1
    repository.write(LABEL_FILE, (repository.root / LABEL_FILE).read_text() + "# somebody's\n")
    done = write_back(repository, "--commit")
    assert done["commit"] == repository.git("rev-parse", "HEAD").strip()
    assert repository.git("status", "--porcelain").split() == ["M", LABEL_FILE]


def test_it_wants_write_back(repository: PolicyRepository) -> None:
    refused = repository.run("adopt", "--stage", "prod", "--pull-request")
    assert refused.status == 1
    assert "want --write-back" in refused.err
