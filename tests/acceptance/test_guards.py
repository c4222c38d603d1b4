"""Guards, end to end on embedded consoles: what refuses, what lifts it, and what is written down."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from acceptance.console_by_hand import by_hand
from acceptance.policy_repository import PolicyRepository, quick_repository

CONFIGURATION = """\
version: 1
stages:
  - name: dev
    targets:
      - {name: dev-console, backend: aqua, url: "embedded:dev"}
  - name: prod
    forbid_allow: [too-many-deletes]
    targets:
      - {name: prod-console, backend: aqua, url: "embedded:prod"}
guards: {deletes: {percent: 30, floor: 1}}
"""
LABEL = "apiVersion: policysync/v1\nkind: Label\nmetadata: {{name: {0}}}\nspec: {{description: {1}}}\n"


@pytest.fixture
def repository(tmp_path: Path) -> PolicyRepository:
    """Three labels in git, applied to both stages."""
    repository = quick_repository(tmp_path / "team")
    repository.write("policysync.yaml", CONFIGURATION)
    for name in ("one", "two", "three"):
        label(repository, name)
    repository.release("prod")
    for stage in ("dev", "prod"):
        applied(repository, "--stage", stage)
    return repository


def label(repository: PolicyRepository, name: str, text: str = "ours") -> None:
    repository.write(f"policies/base/{name}.yaml", LABEL.format(name, text))


def remove(repository: PolicyRepository, *names: str) -> None:
    for name in names:
        (repository.root / f"policies/base/{name}.yaml").unlink()
    repository.commit()


def applied(repository: PolicyRepository, *options: str) -> None:
    ran = repository.run("apply", "--yes", *options)
    assert ran.status == 0, ran.out + ran.err


def refused(repository: PolicyRepository, *options: str) -> str:
    ran = repository.run("apply", "--yes", *options)
    assert ran.status == 3, ran.out + ran.err
    return ran.err


def record(repository: PolicyRepository, stage: str = "dev") -> Any:
    return json.loads(repository.git("show", f"refs/policysync/ledger/{stage}:record.json"))


def test_a_plan_foresees_what_an_apply_is_refused_for(repository: PolicyRepository) -> None:
    remove(repository, "one", "two")
    planned = repository.run("plan", "--stage", "dev", "--prune")
    assert planned.status == 0
    assert "  guard too-many-deletes would refuse this: would delete 2 of 3 managed resources" in planned.out
    assert planned.out.endswith("Plan: 0 to add, 0 to change, 2 to destroy.\n")
    foreseen = repository.run("plan", "--stage", "dev", "--prune", "--format", "json", "--detailed-exitcode")
    assert foreseen.status == 2
    assert list(json.loads(foreseen.out)["guards"]["dev-console"]) == ["too-many-deletes"]
    assert "too-many-deletes: would delete 2 of 3" in refused(repository, "--stage", "dev", "--prune")
    assert "guards" not in json.loads(repository.run("plan", "--stage", "dev", "--format", "json").out)


def test_what_lifts_a_guard_is_on_record(repository: PolicyRepository) -> None:
    remove(repository, "one", "two")
    said = refused(repository, "--stage", "dev", "--prune", "--allow", "empty-desired")
    assert "--allow too-many-deletes lifts this guard" in said
    applied(repository, "--stage", "dev", "--prune", "--allow", "too-many-deletes")
    assert record(repository)["allowed"] == ["too-many-deletes"]


def test_a_stage_forbids_what_may_be_lifted_elsewhere(repository: PolicyRepository) -> None:
    remove(repository, "one", "two")
    repository.release("prod")
    assert "no --allow lifts this guard here" in refused(repository, "--stage", "prod", "--prune")
    said = refused(repository, "--stage", "prod", "--prune", "--allow", "too-many-deletes")
    assert "stage prod forbids --allow too-many-deletes" in said
    assert record(repository, "prod")["allowed"] == []


def test_a_wrong_folder_deletes_nothing(repository: PolicyRepository) -> None:
    remove(repository, "one", "two", "three")
    said = refused(repository, "--stage", "dev", "--prune", "--allow", "too-many-deletes")
    assert "empty-desired: git describes no resource for dev-console" in said


def test_what_was_selected_may_go_alone(repository: PolicyRepository) -> None:
    remove(repository, "one")
    applied(repository, "--stage", "dev", "--prune", "--only", "Label/one")


def test_what_was_made_by_hand_is_adopted_or_left_alone(repository: PolicyRepository) -> None:
    with by_hand(repository.root) as console:
        console.create("Label", {"name": "four", "description": "by hand"})
    label(repository, "four")
    repository.commit()
    said = refused(repository, "--stage", "dev")
    assert "unmanaged-collision: git newly states what somebody made by hand" in said
    assert "Label/four" in said
    assert "unmanaged-collision" in refused(repository, "--stage", "dev", "--only", "Label/four")
    label(repository, "four", "by hand")
    repository.commit()
    applied(repository, "--stage", "dev")
    label(repository, "four", "ours at last")
    repository.commit()
    applied(repository, "--stage", "dev")


def test_what_was_adopted_may_be_edited_before_it_is_applied(repository: PolicyRepository) -> None:
    with by_hand(repository.root) as console:
        console.create("Label", {"name": "four", "description": "by hand"})
        console.create("Label", {"name": "five", "description": "by hand"})
    assert repository.run("adopt", "--stage", "dev", "--kind", "Label").status == 0
    assert "adopted; 2 taken into git" in repository.run("history", "--stage", "dev").out
    label(repository, "four", "ours at last")
    label(repository, "five", "ours at last")
    for adopted in ("four", "five"):
        (repository.root / f"policies/base/label/{adopted}.yaml").unlink(missing_ok=True)
    repository.commit()
    with by_hand(repository.root) as console:
        console.edit("Label", "five", description="moved on since")
    said = refused(repository, "--stage", "dev")
    assert "Label/five" in said
    assert "Label/four" not in said
    applied(repository, "--stage", "dev", "--only", "Label/four")
    assert repository.run("history", "--stage", "dev", "--verify").status == 0


def test_what_was_adopted_is_not_deleted_when_git_forgets_it_before_it_is_applied(repository: PolicyRepository) -> None:
    with by_hand(repository.root) as console:
        console.create("Label", {"name": "four", "description": "by hand"})
    assert repository.run("adopt", "--stage", "dev", "--kind", "Label").status == 0
    repository.git("clean", "--quiet", "--force", "-d", "policies")
    planned = repository.run("plan", "--stage", "dev", "--prune")
    assert planned.out.endswith("Plan: 0 to add, 0 to change, 0 to destroy.\n"), planned.out


def test_the_first_apply_to_a_console_that_is_in_use_says_what_it_overwrites(tmp_path: Path) -> None:
    repository = quick_repository(tmp_path / "team")
    repository.write("policysync.yaml", CONFIGURATION)
    label(repository, "one")
    repository.commit()
    with by_hand(repository.root) as console:
        console.create("Label", {"name": "one", "description": "by hand"})
    planned = repository.run("plan", "--stage", "dev")
    assert "note: nothing was applied to dev-console yet" in planned.out
    assert "Label/one; an apply overwrites them" in planned.out
    applied(repository, "--stage", "dev")


def test_a_target_that_leads_to_the_console_of_another_stage_is_refused(repository: PolicyRepository) -> None:
    assert record(repository)["identity"] == "embedded:dev"
    repository.replace("policysync.yaml", "embedded:dev", "embedded:prod")
    label(repository, "one", "moved")
    repository.commit()
    said = refused(repository, "--stage", "dev")
    assert "wrong-console: dev-console was embedded:dev when it was last applied, and leads to embedded:prod" in said
    assert "the console of prod-console of stage prod" in said
    assert "guard wrong-console would refuse this" in repository.run("plan", "--stage", "dev").out
    applied(repository, "--stage", "dev", "--allow", "wrong-console")
    assert record(repository)["identity"] == "embedded:prod"
    label(repository, "one", "again")
    repository.commit()
    applied(repository, "--stage", "dev")


def test_a_new_target_does_not_begin_with_the_console_of_another_stage(repository: PolicyRepository) -> None:
    repository.replace("policysync.yaml", "name: dev-console", "name: new-console")
    repository.replace("policysync.yaml", "embedded:dev", "embedded:prod")
    repository.commit()
    assert "new-console leads to embedded:prod, the console of prod-console" in refused(repository, "--stage", "dev")


@pytest.mark.parametrize(("stage", "status"), [("dev", 0), ("prod", 3)])
def test_a_freeze_of_one_stage(repository: PolicyRepository, stage: str, status: int) -> None:
    freeze = "{from: 2000-01-01, to: 2999-12-31, zone: Europe/Berlin, stages: [prod], reason: audit}"
    repository.replace("policysync.yaml", "floor: 1}}", f"floor: 1}}, freeze: [{freeze}]}}")
    label(repository, "one", "new")
    repository.release("prod")
    ran = repository.run("apply", "--stage", stage, "--yes")
    assert ran.status == status, ran.err
    assert ("freeze: nothing is applied to prod before 2999-12-31 23:00 UTC: audit" in ran.err) is (status == 3)


def test_a_threshold_of_a_kind_that_is_not_there(repository: PolicyRepository) -> None:
    repository.replace("policysync.yaml", "floor: 1", "floor: 1, kinds: {Lable: {percent: 0}}")
    ran = repository.run("plan", "--stage", "dev")
    assert ran.status == 1
    assert "guards: there is no kind Lable" in ran.err


def test_a_dirty_tree_is_refused_where_it_matters(repository: PolicyRepository) -> None:
    label(repository, "one", "not committed")
    applied(repository, "--stage", "dev")
    assert record(repository)["dirty"] is True
