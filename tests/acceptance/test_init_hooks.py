"""The hooks `init` writes, run by the real pre-commit on the files `init` writes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from acceptance.policy_repository import PolicyRepository, new_repository

BIN = Path(sys.executable).parent
POLICY = "policies/base/image-assurance.yaml"


@pytest.fixture
def repository(tmp_path: Path) -> PolicyRepository:
    repository = new_repository(tmp_path / "team")
    assert repository.run("init").status == 0
    repository.git("add", "--all")
    return repository


def hooks(repository: PolicyRepository) -> subprocess.CompletedProcess[str]:
    environ = {**repository._environ(), "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    environ["PRE_COMMIT_HOME"] = str(repository.root.parent / "pre-commit")
    line = [str(BIN / "pre-commit"), "run", "--all-files"]
    return subprocess.run(
        line, cwd=repository.root, env=environ, capture_output=True, text=True, check=False, timeout=600
    )


def test_what_init_writes_passes_its_own_hooks(repository: PolicyRepository) -> None:
    ended = hooks(repository)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert ended.stdout.count("Passed") == 2


def test_what_is_wrong_is_not_committed(repository: PolicyRepository) -> None:
    repository.replace(POLICY, "maximum_score: 7", "maximum_score: seven")
    ended = hooks(repository)
    assert ended.returncode == 1
    assert f"{POLICY}:" in ended.stdout
    assert "/spec/maximum_score" in ended.stdout
