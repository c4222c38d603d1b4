from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from unit.documents.world import PROJECT, kinds, policy, write
from zygote import process

A = "policies/base/a.yaml"
BAD = f"{A}:5:12: /spec/enabled: `yes` is text in YAML 1.2; write true [type]\n"
Done = subprocess.CompletedProcess[str]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A policy repository with small kinds, one good file and a bad one."""
    root = tmp_path / "repo"
    kinds(root)
    files = {A: policy("enabled: yes"), "policies/base/b.yaml": policy("enabled: true", "b")}
    return write(root, {"policysync.yaml": PROJECT + "schemas: [schemas]\n", **files})


def run(folder: Path, *arguments: str, home: Path | None = None) -> Done:
    environ = {**os.environ, "XDG_CACHE_HOME": str(home or folder / ".home")}
    return process.run("validate", *arguments, cwd=folder, environ=environ)


def test_problems_on_stdout_and_the_summary_on_stderr(root: Path) -> None:
    done = run(root)
    assert (done.returncode, done.stdout) == (1, BAD)
    assert done.stderr == "2 documents, 2 resources, 2 stages: 1 problem\n"


def test_a_good_repository_says_nothing(root: Path) -> None:
    write(root, {A: policy("enabled: true")})
    for _ in range(2):
        done = run(root)
        assert (done.returncode, done.stdout) == (0, "")
        assert done.stderr == "2 documents, 2 resources, 2 stages: 0 problems\n"


def test_warnings_do_not_fail(root: Path) -> None:
    write(root, {A: policy("enabled: true\nauthor: me")})
    done = run(root)
    assert done.returncode == 0
    assert " warning: /spec/author: " in done.stdout
    assert done.stderr.endswith("0 problems, 1 warning\n")


def test_json(root: Path) -> None:
    done = run(root, "--format", "json")
    answer: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == 1
    assert (answer["format_version"], answer["valid"], answer["documents"]) == (1, False, 2)
    assert answer["problems"] == [
        {
            "file": A,
            "line": 5,
            "column": 12,
            "pointer": "/spec/enabled",
            "message": "`yes` is text in YAML 1.2; write true",
            "code": "type",
            "severity": "error",
        }
    ]


def test_only_some_files(root: Path) -> None:
    assert run(root, "policies/base/b.yaml").returncode == 0
    assert run(root / "policies", "base/a.yaml", "base/b.yaml").stdout == BAD
    assert run(root, "policysync.yaml").stdout == BAD
    assert run(root.parent, str(root / A)).stdout == BAD


def test_paths_that_are_not_there(root: Path) -> None:
    write(root.parent, {"other.yaml": ""})
    assert "policies/none.yaml: there is no such file" in run(root, "policies/none.yaml").stderr
    done = run(root, "../other.yaml")
    assert done.returncode == 1
    assert "lies outside the policy root" in done.stderr


def test_control_characters_do_not_reach_the_terminal(root: Path) -> None:
    write(root, {A: policy('enabled: true\n"x\\e[2Jy\\n": 1\nlevel: "\\e[31m"'), "policies/base/n\nm.yaml": "[\n"})
    done = run(root)
    assert "unknown field `x\\x1b[2Jy\\x0a`" in done.stdout
    assert "policies/base/n\\x0am.yaml:2:1" in done.stdout
    assert "\x1b" not in done.stdout
    assert len(done.stdout.splitlines()) == 2


def test_one_stage(root: Path) -> None:
    write(root, {A: policy("enabled: true"), "policies/stages/prod/a.yaml": policy("score: 11")})
    assert run(root, "--stage", "dev").returncode == 0
    assert run(root, "--stage", "prod").returncode == 1
    assert "has no stage `prd`; did you mean `prod`" in run(root, "--stage", "prd").stderr


def test_both_validators(root: Path) -> None:
    assert run(root, "--validator", "python").stdout == BAD
    assert run(root, "--validator", "rust").stdout == BAD


def test_what_is_wrong_with_the_project_is_shown_alike(root: Path) -> None:
    write(root, {"policysync.yaml": "version: 1\nstages: 7\n"})
    done = run(root, "--format", "json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["problems"][0]["pointer"] == "/stages"
    assert run(root).stdout == "policysync.yaml:2:9: /stages: 7 stands here, want a list [type]\n"


def test_a_run_leaves_nothing_git_would_see(root: Path) -> None:
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    subprocess.run(["git", "-C", str(root), "add", "-A"], check=True)
    run(root, home=root.parent / "home")
    status = ["git", "-C", str(root), "status", "--porcelain", "--untracked-files=all"]
    shown = subprocess.run(status, capture_output=True, text=True, check=True).stdout
    assert all(line.startswith("A ") for line in shown.splitlines())


def test_heavy_packages_and_git_stay_out(root: Path) -> None:
    write(root, {A: policy("enabled: true")})
    code = (
        "import sys; from policysync.cli import run; status = run(['validate', 'policies/base/a.yaml']); "
        "heavy = {'httpx', 'git', 'rich', 'jsonschema', 'deepdiff', 'subprocess', 'starlette'} & set(sys.modules); "
        "print(status, sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "0 []\n"


def test_pins_are_checked_too(root: Path) -> None:
    write(root, {A: policy("enabled: true"), "releases/prod.yaml": "version: 1\nrevision: main\n"})
    said = 'releases/prod.yaml:2:11: /revision: "main" is no full revision; want the 40 characters that '
    for arguments in ((), ("releases/prod.yaml",), ("releases",)):
        done = run(root, *arguments)
        assert (done.returncode, done.stdout.startswith(said)) == (1, True), done.stdout
    assert run(root, A).returncode == 0
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    write(root, {"releases/prod.yaml": f'version: 1\nrevision: "{"a" * 40}"\n'})
    assert "revision aaaaaaaaaaaa is not in this repository; fetch it: `git fetch origin" in run(root).stdout
