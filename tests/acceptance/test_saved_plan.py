"""`apply plan.json`: exactly what was reviewed, or nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from acceptance.console_by_hand import by_hand
from acceptance.policy_repository import PolicyRepository, Ran, quick_repository

CONFIGURATION = """\
version: 1
stages:
  - name: dev
    targets:
      - {name: eu, backend: aqua, url: "embedded:eu"}
      - {name: us, backend: aqua, url: "embedded:us"}
  - name: prod
    targets: [{name: far, backend: aqua, url: "embedded:far"}]
"""
LABEL = (
    "apiVersion: policysync/v1\nkind: Label\nmetadata: {{name: {0}, labels: {{team: {0}}}}}\n"
    "spec: {{description: {1}}}\n"
)


@pytest.fixture
def repository(tmp_path: Path) -> PolicyRepository:
    """Two labels, applied; then both changed in git."""
    repository = quick_repository(tmp_path / "team")
    repository.write("policysync.yaml", CONFIGURATION)
    for text in ("first", "second"):
        label(repository, "one", text)
        label(repository, "two", text)
        repository.commit()
        if text == "first":
            assert repository.run("apply", "--stage", "dev", "--yes").status == 0
    return repository


def label(repository: PolicyRepository, name: str, text: str) -> None:
    repository.write(f"policies/base/{name}.yaml", LABEL.format(name, text))


def save(repository: PolicyRepository, *options: str) -> Any:
    ran = repository.run("plan", "--stage", "dev", "--out", "plan.json", *options)
    assert ran.status == 0, ran.err
    return json.loads((repository.root / "plan.json").read_text())


def apply(repository: PolicyRepository, *options: str) -> Ran:
    return repository.run("apply", "--stage", "dev", "plan.json", *options)


def live(repository: PolicyRepository, console: str = "eu") -> dict[str, str]:
    with by_hand(repository.root, console) as opened:
        labels = opened.call("GET", "/api/v2/settings/labels")["result"]
    return {entry["name"]: entry["description"] for entry in labels}


def test_all_targets_of_a_plan(repository: PolicyRepository) -> None:
    saved = save(repository)
    assert [plan["identity"] for plan in saved["plans"]] == ["embedded:eu", "embedded:us"]
    assert apply(repository).status == 0
    assert live(repository) == live(repository, "us") == {"one": "second", "two": "second"}
    digest = json.loads(repository.git("show", "refs/policysync/ledger/dev:record.json"))["plan"]
    assert digest in {plan["digest"] for plan in saved["plans"]}


@pytest.mark.parametrize("made_with", [("--only", "Label/one"), ("--select", "team=one"), ("--exclude", "Label/two")])
def test_a_plan_of_a_part_applies_that_part(repository: PolicyRepository, made_with: tuple[str, ...]) -> None:
    save(repository, *made_with)
    ran = apply(repository)
    assert ran.status == 0, ran.err
    assert live(repository) == {"one": "second", "two": "first"}


def test_a_plan_of_one_target_touches_no_other(repository: PolicyRepository) -> None:
    save(repository, "--target", "us")
    assert apply(repository).status == 0
    assert live(repository) == {"one": "first", "two": "first"}
    assert live(repository, "us") == {"one": "second", "two": "second"}


def test_one_target_of_a_plan_of_several(repository: PolicyRepository) -> None:
    save(repository)
    assert apply(repository, "--target", "us").status == 0
    assert live(repository) == {"one": "first", "two": "first"}


def test_a_target_that_was_not_planned_is_not_applied(repository: PolicyRepository) -> None:
    save(repository, "--target", "us")
    ran = apply(repository, "--target", "eu")
    assert (ran.status, live(repository)) == (1, {"one": "first", "two": "first"})
    assert "holds no plan for target eu; it has us" in ran.err


def test_a_file_without_a_plan_applies_nothing(repository: PolicyRepository) -> None:
    saved = save(repository)
    repository.write("plan.json", json.dumps({**saved, "plans": []}))
    ran = apply(repository)
    assert (ran.status, live(repository)) == (1, {"one": "first", "two": "first"})
    assert "holds no plan" in ran.err


@pytest.mark.parametrize(
    "option", [("--only", "Label/one"), ("--select", "a=b"), ("--exclude", "x/y"), ("--revision", "HEAD")]
)
def test_a_plan_says_all_by_itself(repository: PolicyRepository, option: tuple[str, ...]) -> None:
    save(repository)
    ran = apply(repository, *option)
    assert ran.status == 1
    assert "says what is applied; leave out" in ran.err


@pytest.mark.parametrize("prune", [True, False])
def test_what_goes_was_planned_to_go(repository: PolicyRepository, prune: bool) -> None:
    (repository.root / "policies/base/two.yaml").unlink()
    repository.commit()
    save(repository, *(["--prune"] if prune else []))
    assert apply(repository).status == 0
    assert live(repository) == ({"one": "second"} if prune else {"one": "second", "two": "first"})


def test_a_plan_keeps_to_its_revision(repository: PolicyRepository) -> None:
    save(repository)
    label(repository, "one", "third")
    repository.commit()
    assert apply(repository).status == 0
    assert live(repository)["one"] == "second"


def test_a_dirty_plan_is_stale_when_files_moved(repository: PolicyRepository) -> None:
    label(repository, "one", "not committed")
    save(repository)
    label(repository, "one", "edited again")
    ran = apply(repository)
    assert ran.status == 4
    assert "update:Label/one: git moved" in ran.err


def test_what_moved_in_the_console_is_named(repository: PolicyRepository) -> None:
    save(repository, "--target", "eu")
    with by_hand(repository.root, "eu") as console:
        console.edit("Label", "one", description="by hand")
    ran = apply(repository)
    assert ran.status == 4
    assert "update:Label/one: live moved" in ran.err
    assert "Label/two" not in ran.err
    assert live(repository) == {"one": "by hand", "two": "first"}


def test_another_console_is_not_the_one_that_was_reviewed(repository: PolicyRepository) -> None:
    save(repository, "--target", "eu")
    repository.replace("policysync.yaml", "embedded:eu", "embedded:us")
    ran = apply(repository)
    assert ran.status == 4
    assert "eu was embedded:eu, and leads to embedded:us now" in ran.err


def test_a_plan_put_together_from_two_is_refused(repository: PolicyRepository) -> None:
    ours = save(repository, "--target", "eu")
    label(repository, "one", "third")
    repository.commit()
    theirs = save(repository, "--target", "us")
    repository.write("plan.json", json.dumps({**ours, "plans": [*ours["plans"], *theirs["plans"]]}))
    ran = apply(repository, "--target", "us")
    assert ran.status == 4
    assert "git was at" in ran.err


def test_a_plan_that_was_edited_is_refused(repository: PolicyRepository) -> None:
    saved = save(repository)
    saved["plans"][0]["waves"][0][0]["name"] = "other"
    repository.write("plan.json", json.dumps(saved))
    ran = apply(repository)
    assert ran.status == 1
    assert "edited after it was saved" in ran.err


def test_the_plan_of_another_stage_is_refused(repository: PolicyRepository) -> None:
    save(repository)
    ran = repository.run("apply", "--stage", "prod", "plan.json")
    assert ran.status == 4
    assert "a plan for stage dev, not for prod" in ran.err
