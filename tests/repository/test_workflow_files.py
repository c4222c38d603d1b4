"""The workflow files: ours, those `init` writes, and the action; judged by the linters of the trade."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from policysync.cli import run
from policysync.version import VERSION

ROOT = Path(__file__).resolve().parents[2]
OURS = sorted((ROOT / ".github/workflows").glob("*.yml"))
BIN = Path(sys.executable).parent
NAMES = ["policysync-apply.yml", "policysync-drift.yml", "policysync-plan.yml", "policysync-promote.yml"]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "policies"
    assert run(["init", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def files(made: Path) -> list[Path]:
    written = sorted((made / ".github/workflows").glob("*.yml"))
    assert [file.name for file in written] == NAMES
    return [*OURS, *written]


def lint(*line: object) -> None:
    ended = subprocess.run([str(word) for word in line], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.skipif(not (BIN / "actionlint").exists(), reason="there is no actionlint wheel for this machine")
def test_actionlint_finds_nothing(files: list[Path]) -> None:
    # It asks shellcheck as well, where there is one.
    lint(BIN / "actionlint", *files)


def test_zizmor_finds_nothing(files: list[Path]) -> None:
    lint(BIN / "zizmor", "--offline", "--no-progress", "--quiet", "--strict-collection", *files, ROOT / "action.yml")


def test_the_schemas_are_met(files: list[Path]) -> None:
    check = (sys.executable, "-m", "check_jsonschema", "--builtin-schema")
    lint(*check, "github-workflows", *files)
    lint(*check, "github-actions", ROOT / "action.yml")


def test_this_repository_uses_what_init_writes(made: Path) -> None:
    for name in NAMES:
        written = (made / ".github/workflows" / name).read_text(encoding="utf-8")
        ours = (ROOT / ".github/workflows" / name).read_text(encoding="utf-8")
        assert ours == written.replace(f"'policysync[github]=={VERSION}'", "'.[github]'")


def jobs(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"]
    return found


def test_every_right_has_a_reason(files: list[Path]) -> None:
    """Whoever may write comments or issues never sees a secret of a console, and the other way round."""
    wanted = {
        ("policysync-plan.yml", "validate"): {"security-events"},
        ("policysync-plan.yml", "comment"): {"pull-requests"},
        ("policysync-apply.yml", "apply"): {"contents"},
        ("policysync-drift.yml", "issue"): {"issues"},
        ("policysync-promote.yml", "promote"): {"contents", "pull-requests"},
    }
    for file in files:
        for name, job in jobs(file).items():
            rights = {right for right, kind in job["permissions"].items() if kind == "write"}
            assert rights == wanted.get((file.name, name), set()), f"{file.name}: {name}"
            text = yaml.safe_dump(job)
            if name in {"comment", "issue", "validate", "stages", "fork"}:
                assert "secrets." not in text
            assert "environment" in job or "secrets." not in text


def test_pull_requests_are_never_given_more_than_their_author_has(files: list[Path]) -> None:
    for file in files:
        on = yaml.safe_load(file.read_text(encoding="utf-8"))[True]
        assert "pull_request_target" not in on
        assert "workflow_run" not in on
    plan = jobs(next(file for file in files if file.name == "policysync-plan.yml"))
    same = "github.event.pull_request.head.repo.full_name == github.repository"
    assert same in plan["plan"]["if"]


def test_nothing_is_put_into_a_script(files: list[Path]) -> None:
    steps = [step for file in files for job in jobs(file).values() for step in job["steps"]]
    steps += yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["runs"]["steps"]
    scripts = [step["run"] for step in steps if "run" in step]
    assert len(scripts) > 20
    assert not [script for script in scripts if "${{" in script]


def test_credentials_stay_on_disk_only_where_git_needs_them(files: list[Path]) -> None:
    for file in files:
        for name, job in jobs(file).items():
            for step in job["steps"]:
                if step.get("uses", "").startswith("actions/checkout@"):
                    kept = step["with"]["persist-credentials"]
                    assert kept is (name in {"plan", "apply", "drift", "promote"}), f"{file.name}: {name}"


def test_applies_to_one_stage_never_cancel_each_other(made: Path) -> None:
    group = jobs(made / ".github/workflows/policysync-apply.yml")["apply"]["concurrency"]
    assert group == {"group": "policysync-apply-${{ matrix.stage }}", "cancel-in-progress": False}


def test_codeowners_names_nobody_until_somebody_does(made: Path) -> None:
    lines = (made / ".github/CODEOWNERS").read_text(encoding="utf-8").splitlines()
    assert all(line.startswith("#") for line in lines)
    assert [line for line in lines if re.search(r"/releases/\s+@", line)]
