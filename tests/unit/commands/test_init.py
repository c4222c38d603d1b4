from __future__ import annotations

import json
import subprocess
from pathlib import Path

import jsonschema
import pytest
import yaml
from zygote import process

from policysync.cli import run
from policysync.commands.init import new_files
from policysync.version import VERSION

POLICY_FILES = sorted(path for path, _ in new_files() if path.startswith("policies/"))


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("init") / "policies of ours"
    assert run(["init", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def committed(repository: Path) -> str:
    """What `init` made, as a commit that no branch has."""
    git = ("git", "-C", str(repository), "-c", "user.name=Test", "-c", "user.email=test@example.com")
    subprocess.run([*git, "add", "--all"], check=True)
    tree = subprocess.check_output([*git, "write-tree"], text=True).strip()
    return subprocess.check_output([*git, "commit-tree", tree, "-m", "start"], text=True).strip()


def contents(folder: Path) -> dict[str, bytes]:
    files = (file for file in folder.rglob("*") if file.is_file() and ".git" not in file.relative_to(folder).parts)
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}


def test_everything_a_policy_repository_needs_is_there(repository: Path) -> None:
    files = contents(repository)
    assert {
        "policysync.yaml",
        ".gitignore",
        ".pre-commit-config.yaml",
        ".vscode/settings.json",
        ".vscode/policysync/document.schema.json",
        ".vscode/policysync/overlay.schema.json",
        ".github/CODEOWNERS",
        ".github/workflows/policysync-apply.yml",
        ".github/workflows/policysync-drift.yml",
        ".github/workflows/policysync-plan.yml",
        ".github/workflows/policysync-promote.yml",
    } <= files.keys()
    assert b".policysync/" in files[".gitignore"]
    assert (repository / ".git").is_dir()
    assert not [path for path in files if "dot-" in path]


def test_the_configuration_is_sound(repository: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-C", str(repository), "config", "check"]) == 0
    assert "not set" not in capsys.readouterr().err


def test_the_policies_are_good_in_every_stage(repository: Path) -> None:
    assert run(["-C", str(repository), "validate"]) == 0


@pytest.mark.parametrize("stage", ["dev", "nonprod", "prod"])
def test_every_stage_can_be_planned_without_credentials(
    repository: Path, committed: str, stage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    # Nothing is released to the later stages yet: the plan is what a promotion would change.
    words = [] if stage == "dev" else ["--revision", committed]
    assert run(["-C", str(repository), "plan", "--stage", stage, *words]) == 0
    assert "Plan: 2 to add, 1 to change, 0 to destroy." in capsys.readouterr().out


@pytest.mark.parametrize("path", POLICY_FILES)
def test_the_published_schemas_accept_the_policies(repository: Path, path: str) -> None:
    which = "overlay" if path.startswith("policies/stages/") else "document"
    schema = json.loads((repository / f".vscode/policysync/{which}.schema.json").read_text(encoding="utf-8"))
    text = (repository / path).read_text(encoding="utf-8")
    for document in yaml.safe_load_all(text):
        jsonschema.Draft202012Validator(schema).validate(document)


@pytest.mark.parametrize("path", POLICY_FILES)
def test_a_modeline_leads_to_the_schema(repository: Path, path: str) -> None:
    first = (repository / path).read_text(encoding="utf-8").splitlines()[0]
    marker, _, schema = first.partition("$schema=")
    assert marker == "# yaml-language-server: "
    assert ((repository / path).parent / schema).resolve().is_file()


def test_editors_are_told_which_schema_is_for_what(repository: Path) -> None:
    settings = json.loads((repository / ".vscode/settings.json").read_text(encoding="utf-8"))
    for schema in settings["yaml.schemas"]:
        assert (repository / schema).is_file()
    for entry in settings["json.schemas"]:
        assert (repository / entry["url"]).is_file()


def test_the_workflows_install_this_version(repository: Path) -> None:
    for file in (repository / ".github/workflows").iterdir():
        text = file.read_text(encoding="utf-8")
        assert text.count("pip install") == text.count(f"pip install 'policysync[github]=={VERSION}'") > 0


def test_the_next_steps_are_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["init", str(tmp_path / "new")]) == 0
    out = capsys.readouterr().out
    assert f"cd {tmp_path / 'new'}" in out
    assert "policysync plan --stage dev" in out


def test_a_file_that_is_there_is_kept_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".gitignore").write_text("*.log\n", encoding="utf-8")
    (tmp_path / "policysync.yaml").symlink_to(tmp_path / "nowhere.yaml")
    assert run(["-C", str(tmp_path), "init"]) == 0
    err = capsys.readouterr().err
    assert "kept .gitignore: it was there already" in err
    assert "kept policysync.yaml: it was there already" in err
    assert "add .policysync/ to .gitignore" in err
    assert (tmp_path / ".gitignore").read_text(encoding="utf-8") == "*.log\n"
    assert not (tmp_path / "nowhere.yaml").exists()


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    assert run(["init", str(tmp_path)]) == 0
    (tmp_path / "policies/base/image-assurance.yaml").write_text("mine\n", encoding="utf-8")
    before = contents(tmp_path)
    assert run(["init", str(tmp_path)]) == 0
    assert contents(tmp_path) == before


def test_a_folder_inside_a_repository_stays_in_it(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    assert run(["init", str(tmp_path / "below")]) == 0
    assert not (tmp_path / "below/.git").exists()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "policies").write_text("a file, not a folder", encoding="utf-8")
    assert run(["init", str(tmp_path)]) == 1
    assert str(tmp_path / "policies") in capsys.readouterr().err


def test_without_git_the_reason_is_said(tmp_path: Path) -> None:
    environ = {"PATH": str(tmp_path)}
    ended = process.run("init", str(tmp_path / "new"), environ=environ)
    assert ended.returncode == 1
    assert "git is not installed" in ended.stderr
