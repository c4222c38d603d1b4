from __future__ import annotations

import json
from pathlib import Path

import pytest

from policysync.cli import run
from policysync.commands.kinds import as_json, as_text, fields
from policysync.kinds.load import load_kind, load_kinds


def kind_file(folder: Path, **members: object) -> Path:
    schema = {
        "x-kind": {
            "name": "Thing",
            "backend": "files",
            "key": "name",
            "builtins": [{"name": "Base", "editable": False}],
        },
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "id": {"type": "integer", "x-read-only": True},
            "parts": {"type": "array", "items": {"type": "object", "properties": {"size": {"type": "integer"}}}},
        },
        **members,
    }
    file = folder / "thing.json"
    file.write_text(json.dumps(schema), encoding="utf-8")
    return file


def test_every_kind_is_listed_by_name() -> None:
    kinds = load_kinds()
    lines = as_text(kinds.values()).splitlines()
    assert lines[0].split() == ["NAME", "BACKEND", "KEY", "FIELDS", "BUILT-INS"]
    assert [line.split()[0] for line in lines[1:]] == sorted(kinds)


def test_a_line_says_what_a_document_needs_to_know(tmp_path: Path) -> None:
    line = as_text([load_kind(kind_file(tmp_path))]).splitlines()[1]
    assert line.split(maxsplit=4) == ["Thing", "files", "name", "3", "Base (fixed)"]


def test_fields_are_those_git_can_state(tmp_path: Path) -> None:
    assert fields(load_kind(kind_file(tmp_path))) == 3


def test_a_long_key_is_shortened_in_text_only(tmp_path: Path) -> None:
    about = {"name": "Thing", "backend": "files", "key": ["a", "b", "c", "d"], "builtins": [{"match": {"x": True}}]}
    kind = load_kind(kind_file(tmp_path, **{"x-kind": about}))
    assert "a+b+2 more" in as_text([kind])
    assert "x=true" in as_text([kind])
    assert json.loads(as_json([kind]))["kinds"][0]["key"] == ["a", "b", "c", "d"]


def test_programs_get_the_same_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["kinds", "--format", "json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["format_version"] == 1
    image = next(kind for kind in answer["kinds"] if kind["name"] == "ImageAssurancePolicy")
    assert image["backends"] == ["aqua"]
    assert image["key"] == ["name"]
    assert image["built_ins"][0]["name"] == "Default"
    assert "Registry" in image["refers_to"]


def test_a_repository_s_own_kinds_are_listed_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "kinds").mkdir()
    kind_file(tmp_path / "kinds")
    (tmp_path / "policysync.yaml").write_text(
        "version: 1\nschemas: [kinds]\nstages: [{name: dev, targets: []}]\n", encoding="utf-8"
    )
    assert run(["-C", str(tmp_path), "kinds"]) == 0
    assert "\nThing " in capsys.readouterr().out
