"""`policysync format`."""

from __future__ import annotations

from pathlib import Path

import pytest

from policysync.cli import run

UNORDERED = "kind: Label\napiVersion: policysync/v1\nmetadata: {name: pci}\nspec:\n  description: 'x'\n"
ORDERED = "apiVersion: policysync/v1\nkind: Label\nmetadata: {name: pci}\nspec:\n  description: x\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "policies/base/label"
    folder.mkdir(parents=True)
    (tmp_path / "policysync.yaml").write_text("version: 1\nstages: [{name: dev}]\n", encoding="utf-8")
    (folder / "pci.yaml").write_text(UNORDERED, encoding="utf-8")
    return tmp_path


def text(root: Path) -> str:
    return (root / "policies/base/label/pci.yaml").read_text(encoding="utf-8")


def test_files_are_written_once(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-C", str(root), "format"]) == 0
    assert text(root) == ORDERED
    assert capsys.readouterr().out == "formatted policies/base/label/pci.yaml\n"
    assert run(["-C", str(root), "format"]) == 0
    assert capsys.readouterr().out == ""


def test_check_writes_nothing_and_says_so(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-C", str(root), "format", "--check"]) == 2
    said = capsys.readouterr()
    assert said.out == "would format policies/base/label/pci.yaml\n"
    assert "1 would be formatted" in said.err
    assert text(root) == UNORDERED


def test_the_difference_is_shown(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-C", str(root), "format", "--diff"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("--- a/policies/base/label/pci.yaml\n+++ b/")
    assert "+  description: x\n" in shown
    assert text(root) == UNORDERED
    assert run(["-C", str(root), "format", "--diff", "--check"]) == 2


def test_a_file_with_a_problem_is_left_alone_and_named(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = root / "policies/base/label/broken.yaml"
    broken.write_text("kind: Label\nkind: Label\n", encoding="utf-8")
    assert run(["-C", str(root), "format"]) == 1
    said = capsys.readouterr()
    assert "policies/base/label/broken.yaml:2:1: /kind: key `kind` stands here twice; keep one" in said.err
    assert broken.read_text(encoding="utf-8") == "kind: Label\nkind: Label\n"
    assert text(root) == ORDERED


def test_only_what_was_named_is_written(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = root / "policies/base/label/other.yaml"
    other.write_text(UNORDERED, encoding="utf-8")
    monkeypatch.chdir(root / "policies/base")
    assert run(["format", "label/other.yaml", "../../policysync.yaml"]) == 0
    assert other.read_text(encoding="utf-8") == ORDERED
    assert text(root) == UNORDERED
    assert run(["format", "no-such.yaml"]) == 1
    assert run(["format", "label"]) == 0
    assert text(root) == ORDERED


def test_an_export_in_json_is_written(root: Path) -> None:
    file = root / "policies/base/label/export.json"
    file.write_text('{"description": "x", "name": "other"}', encoding="utf-8")
    assert run(["-C", str(root), "format"]) == 0
    assert file.read_text(encoding="utf-8") == '{\n  "name": "other",\n  "description": "x"\n}\n'
