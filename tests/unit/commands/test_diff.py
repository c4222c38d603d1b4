from __future__ import annotations

import json
from pathlib import Path

import pytest

from policysync.commands.document_file import contents, documents_of, with_secrets
from policysync.commands.sides import Side
from policysync.documents.project import Project
from policysync.errors import InvalidInput, PolicySyncError
from policysync.kinds.load import load_kinds
from policysync.secret import Secret

KINDS = load_kinds()
LABEL = "apiVersion: policysync/v1\nkind: Label\nmetadata: {name: x}\nspec: {}\n"


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("stage:dev", Side("stage:dev", "dev")),
        ("stage:dev:desired", Side("stage:dev:desired", "dev")),
        ("stage:dev:live", Side("stage:dev:live", "dev", live=True)),
        ("stage:dev:live@eu:1", Side("stage:dev:live@eu:1", "dev", live=True, target="eu:1")),
        ("rev:HEAD~1", Side("rev:HEAD~1", revision="HEAD~1")),
        ("rev:v1.0:prod", Side("rev:v1.0:prod", "prod", revision="v1.0")),
        ("file:a.yaml", Side("file:a.yaml", file="a.yaml")),
        ("policies/a.yaml", Side("policies/a.yaml", file="policies/a.yaml")),
    ],
)
def test_a_side_is_read_from_its_name(text: str, side: Side) -> None:
    assert Side.of(text) == side


@pytest.mark.parametrize("text", ["stage:", "stage:dev:lively", "stage:dev:live:eu", "rev:", "rev:a:b:c"])
def test_a_side_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(PolicySyncError, match="want stage:S"):
        Side.of(text)


def file(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_file_may_hold_several_documents(tmp_path: Path) -> None:
    path = file(tmp_path, "labels.yaml", f"{LABEL}---\n{LABEL.replace('name: x', 'name: y')}")
    assert [str(document) for document in documents_of(path, KINDS, Project(tmp_path))] == ["Label/x", "Label/y"]


def test_an_export_is_known_by_its_folder(tmp_path: Path) -> None:
    path = file(tmp_path, "label/x.json", json.dumps({"name": "x", "created": "today"}))
    (document,) = documents_of(path, KINDS, Project(tmp_path))
    assert (str(document), document.raw) == ("Label/x", True)


def test_what_is_wrong_is_shown_where_the_file_really_is(tmp_path: Path) -> None:
    path = file(tmp_path, "label/x.yaml", LABEL.replace("Label", "Labl"))
    with pytest.raises(InvalidInput) as error:
        documents_of(path, KINDS, Project(tmp_path))
    assert str(error.value).startswith(f"{path}:2:7: /kind: unknown kind `Labl`")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PolicySyncError, match=r"nothing\.yaml cannot be read"):
        contents(str(tmp_path / "nothing.yaml"))


def test_secrets_are_hidden_wherever_they_stand() -> None:
    registry = KINDS["Registry"]
    spec = {"password": "${env:P}", "webhook": {"auth_token": "literal", "url": "u"}, "description": "${env:P}"}
    found = with_secrets(registry.root, spec, lambda reference: Secret(f"<{reference}>", reference))
    assert found["password"] == Secret("<${env:P}>")
    assert found["webhook"] == {"auth_token": Secret("literal"), "url": "u"}
    assert found["description"] == "${env:P}"
