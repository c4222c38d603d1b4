"""A release: the documents of one revision, single resources as others have them."""

from __future__ import annotations

from pathlib import Path

import pytest
from acceptance.policy_repository import PolicyRepository, new_repository

from policysync.documents.desired import Desired, desired_state
from policysync.documents.pin import Pin
from policysync.documents.project import load_project
from policysync.documents.source import Released
from policysync.errors import PolicySyncError
from policysync.kinds.load import load_kinds
from policysync.state.resource import Address

LABEL = "apiVersion: policysync/v1\nkind: Label\nmetadata: {{name: {0}}}\nspec: {{description: {1}}}\n"
STAGES = "version: 1\nstages:\n- {name: dev}\n- {name: prod}\n"
A, B = Address("Label", "a"), Address("Label", "b")


@pytest.fixture
def repository(tmp_path: Path) -> PolicyRepository:
    repository = new_repository(tmp_path / "team")
    repository.write("policysync.yaml", STAGES)
    return repository


def desired(repository: PolicyRepository, revision: str, **resources: str) -> Desired:
    pin = Pin("prod", revision, {Address("Label", name): of for name, of in resources.items()})
    source = Released(repository.root, pin)
    project = load_project(repository.root, {})
    return desired_state(source, project, project.stages[1], load_kinds())


def said(found: Desired) -> dict[str, object]:
    assert not found.errors, found.errors
    return {resource.address.name: resource.spec["description"] for resource in found.resources}


def test_one_file_gives_resources_of_several_revisions(repository: PolicyRepository) -> None:
    both = "---\n".join
    repository.write("policies/base/labels.yaml", both([LABEL.format("a", "old"), LABEL.format("b", "old")]))
    repository.write("policies/stages/prod/b.yaml", LABEL.format("b", "old in prod"))
    old = repository.commit()
    repository.write("policies/base/labels.yaml", both([LABEL.format("a", "new"), LABEL.format("b", "new")]))
    (repository.root / "policies/stages/prod/b.yaml").unlink()
    new = repository.commit()
    assert said(desired(repository, old)) == {"a": "old", "b": "old in prod"}
    assert said(desired(repository, old, a=new)) == {"a": "new", "b": "old in prod"}
    assert said(desired(repository, old, b=new)) == {"a": "old", "b": "new"}
    assert said(desired(repository, new, b=old)) == {"a": "new", "b": "old in prod"}


def test_what_another_revision_lacks_is_gone_and_what_it_has_alone_comes(repository: PolicyRepository) -> None:
    repository.write("policies/base/a.yaml", LABEL.format("a", "old"))
    old = repository.commit()
    (repository.root / "policies/base/a.yaml").rename(repository.root / "policies/base/other.yaml")
    repository.write("policies/base/other.yaml", LABEL.format("b", "new"))
    new = repository.commit()
    assert said(desired(repository, old, a=new)) == {}
    assert said(desired(repository, old, b=new)) == {"a": "old", "b": "new"}


def test_a_place_in_another_revision_names_it(repository: PolicyRepository) -> None:
    repository.write("policies/base/a.yaml", LABEL.format("a", "old"))
    old = repository.commit()
    repository.write("policies/base/b.yaml", LABEL.format("b", "[1]"))
    new = repository.commit()
    (problem,) = desired(repository, old, b=new).errors
    assert str(problem).startswith(f"{new[:12]}:policies/base/b.yaml:4:21: /spec/description: ")


def test_a_pin_that_is_not_committed_is_dirty(repository: PolicyRepository) -> None:
    revision = repository.commit()
    pin = Pin("prod", revision)
    assert not Released(repository.root, pin).dirty
    repository.write("releases/prod.yaml", f'version: 1\nrevision: "{revision}"\n')
    assert Released(repository.root, pin).dirty
    assert not Released(repository.root, pin, in_tree=False).dirty
    with pytest.raises(PolicySyncError, match="there is no revision"):
        Released(repository.root, Pin("prod", "f" * 40))
