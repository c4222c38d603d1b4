from __future__ import annotations

from pathlib import Path

from unit.documents.world import git, kinds, policy, repository

from policysync.documents.desired import Desired, desired_state
from policysync.documents.project import Project
from policysync.documents.source import Revision, Source, WorkTree
from policysync.errors import Location

A = "policies/base/a.yaml"
PROD = "policies/stages/prod/a.yaml"


def desired(root: Path, project: Project, stage: str, source: Source | None = None) -> Desired:
    return desired_state(source or WorkTree(root), project, project.stage(stage), kinds(root))


def test_base_and_overlay(tmp_path: Path) -> None:
    base = policy(
        "enabled: true\nscore: 7.0\ntags: [b, a, b]\nrules: [{id: x, on: true}]",
        metadata="labels: {team: red, tier: one}, protect: true, targets: [dev-console, prod-eu]",
    )
    over = policy("score: 9\nrules: [{id: x, path: /p}]", metadata="labels: {tier: two}, targets: [prod-us]")
    project = repository(tmp_path, {A: "# first\n" + base, PROD: over})
    (dev,) = desired(tmp_path, project, "dev").resources
    (prod,) = desired(tmp_path, project, "prod").resources
    assert dev.spec == {
        "name": "web",
        "enabled": True,
        "score": 7,
        "tags": ["a", "b"],
        "rules": [{"id": "x", "on": True}],
    } | {key: value for key, value in dev.spec.items() if key == "rules"}
    assert prod.spec["score"] == 9
    assert prod.spec["rules"][0]["path"] == "/p"
    assert (dev.labels, prod.labels) == ({"team": "red", "tier": "one"}, {"team": "red", "tier": "two"})
    assert (dev.targets, prod.targets) == (("dev-console", "prod-eu"), ("prod-us",))
    assert (dev.protect, prod.protect) == (True, True)
    assert dev.where == prod.where == Location(A, 2, 1)


def test_an_overlay_can_take_protection_away(tmp_path: Path) -> None:
    files = {A: policy("enabled: true", metadata="protect: true"), PROD: policy("score: 1", metadata="protect: false")}
    (prod,) = desired(tmp_path, repository(tmp_path, files), "prod").resources
    assert prod.protect is False


def test_absent_in_one_stage(tmp_path: Path) -> None:
    absent = "apiVersion: policysync/v1\nkind: Policy\nmetadata: {name: web, absent: true}\n"
    project = repository(tmp_path, {A: policy("enabled: true"), PROD: absent})
    assert len(desired(tmp_path, project, "dev").resources) == 1
    assert desired(tmp_path, project, "prod") == Desired()


def test_a_resource_with_a_warning_stays(tmp_path: Path) -> None:
    project = repository(
        tmp_path, {A: policy("enabled: true\nauthor: me"), "policies/base/b.yaml": policy("x: 1", "b")}
    )
    found = desired(tmp_path, project, "dev")
    assert [str(resource.address) for resource in found.resources] == ["Policy/web"]
    assert "author" not in found.resources[0].spec
    assert {problem.code for problem in found.errors} == {"required", "unknown-field"}
    assert len(found.problems) == 3


def test_a_revision_of_the_documents(tmp_path: Path) -> None:
    project = repository(tmp_path, {A: policy("enabled: true\nscore: 1")})
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "policies")
    git(tmp_path, "commit", "-q", "-m", "first")
    repository(tmp_path, {A: policy("enabled: true\nscore: 11")})
    (resource,) = desired(tmp_path, project, "dev", Revision(tmp_path, "HEAD")).resources
    assert resource.spec["score"] == 1
    assert desired(tmp_path, project, "dev").resources == ()


def test_problems_in_a_revision_have_places_of_that_revision(tmp_path: Path) -> None:
    project = repository(tmp_path, {A: policy("enabled: true\nscore: 11")})
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "policies")
    git(tmp_path, "commit", "-q", "-m", "first")
    (tmp_path / A).unlink()
    (problem,) = desired(tmp_path, project, "dev", Revision(tmp_path, "HEAD")).problems
    assert str(problem.where) == f"{A}:6:10"
