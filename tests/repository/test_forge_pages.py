"""What docs/github.md and docs/gitlab.md give to copy is sound, and the pipeline for GitLab runs."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from acceptance.policy_repository import PolicyRepository, new_repository
from zygote import process

ROOT = Path(__file__).resolve().parents[2]
_YAML = re.compile(r"^(?P<indent> *)```yaml\n(?P<body>.*?)^ *```$", re.MULTILINE | re.DOTALL)


def blocks(name: str) -> list[str]:
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    found = list(_YAML.finditer(text))
    assert found
    return [re.sub(f"^{match['indent']}", "", match["body"], flags=re.MULTILINE) for match in found]


def scripts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            if name in {"run", "script"}:
                yield "\n".join(each) if isinstance(each, list) else each
            else:
                yield from scripts(each)
    elif isinstance(value, list):
        for each in value:
            yield from scripts(each)


@pytest.mark.parametrize("name", ["github.md", "gitlab.md"])
def test_every_block_is_yaml_and_every_script_is_shell(name: str) -> None:
    found = [script for block in blocks(name) for script in scripts(yaml.safe_load(block))]
    assert found
    for script in found:
        assert "${{" not in script
        ended = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
        assert ended.returncode == 0, ended.stderr


def test_the_table_of_rights_is_what_the_workflows_say() -> None:
    page = (ROOT / "docs/github.md").read_text(encoding="utf-8")
    table = re.findall(r"^\| ((?:`[a-z]+`(?:, )?)+) \| ((?:`[a-z-]+: (?:read|write)`(?:, )?)+) \|", page, re.MULTILINE)
    stated = {
        job: set(re.findall(r"`([^`]+)`", rights)) for jobs, rights in table for job in re.findall(r"`([a-z]+)`", jobs)
    }
    assert set(stated) == {"validate", "plan", "drift", "comment", "issue", "apply", "promote"}
    for file in sorted((ROOT / ".github/workflows").glob("policysync-*.yml")):
        for name, job in yaml.safe_load(file.read_text(encoding="utf-8"))["jobs"].items():
            writes = {f"{right}: {kind}" for right, kind in job["permissions"].items() if kind == "write"}
            assert writes == {right for right in stated.get(name, ()) if right.endswith("write")}, (
                f"{file.name}: {name}"
            )


def test_the_inputs_and_outputs_of_the_action_are_told() -> None:
    page = (ROOT / "docs/github.md").read_text(encoding="utf-8")
    action = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    for name in [*action["inputs"], *action["outputs"]]:
        assert f"`{name}`" in page


@pytest.fixture
def team(tmp_path: Path) -> PolicyRepository:
    origin = tmp_path / "origin.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(origin)], check=True)
    team = new_repository(tmp_path / "team")
    assert team.run("init").status == 0
    team.write(".gitignore", "/*.json\n/*.xml\n/*.md\n.policysync/\n")
    team.commit()
    team.git("remote", "add", "origin", str(origin))
    return team


def test_the_gitlab_pipeline_meets_its_schema_and_runs(team: PolicyRepository, tmp_path: Path) -> None:
    text = blocks("gitlab.md")[0]
    file = tmp_path / ".gitlab-ci.yml"
    file.write_text(text, encoding="utf-8")
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "gitlab-ci", "--data-transform", "gitlab-ci"]
    subprocess.run([*check, str(file)], check=True, capture_output=True)

    pipeline = yaml.safe_load(text)
    assert pipeline["default"]["before_script"] == ["pip install --quiet policysync==0.1.0"]
    for name in ("validate", "plan-dev", "apply-dev", "drift"):
        job = {**pipeline.get(pipeline[name].get("extends", ""), {}), **pipeline[name]}
        ended = run(team, job["script"], {**pipeline["variables"], **job.get("variables", {})})
        assert ended.returncode == 0, f"{name}: {ended.stdout}{ended.stderr}"
        kept = job.get("artifacts", {})
        for artifact in [*kept.get("paths", []), *kept.get("reports", {}).values()]:
            assert (team.root / artifact).is_file(), f"{name}: {artifact}"
    assert "refs/policysync/ledger/dev" in team.git("ls-remote", "origin")


def run(team: PolicyRepository, script: list[str], variables: dict[str, str]) -> subprocess.CompletedProcess[str]:
    program = f"{process.scripts()}{os.pathsep}{Path(sys.executable).parent}"
    told = "\n".join([f"export PATH={program!r}:$PATH", "set -eo pipefail", *script])
    environ = {**team._environ(), **variables, "CI_DEFAULT_BRANCH": "main"}
    return subprocess.run(
        ["bash", "-c", told], cwd=team.root, env=environ, capture_output=True, text=True, check=False, timeout=600
    )
