"""Every form of every report, through the command line; and the hooks, run by the real pre-commit program."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import junitparser
import pytest
import yaml
from acceptance.console_by_hand import by_hand
from acceptance.policy_repository import ROOT, PolicyRepository, new_repository

CONFIG = """\
version: 1
stages:
  - name: dev
    targets: [{name: dev-console, backend: aqua, url: "embedded:dev"}]
"""
POLICY = """\
apiVersion: policysync/v1
kind: ImageAssurancePolicy
metadata:
  name: Default
spec:
  block_failed: true
  application_scopes: [Global]
  maximum_score_enabled: true
  maximum_score: 5
"""
FILE = "policies/base/images.yaml"


@pytest.fixture(scope="module")
def applied(tmp_path_factory: pytest.TempPathFactory) -> PolicyRepository:
    """Return a repository in a folder of a larger one, applied once."""
    top = new_repository(tmp_path_factory.mktemp("forms") / "monorepo")
    folder = top.root / "security"
    folder.mkdir()
    repository = PolicyRepository(folder, {})
    repository.write("policysync.yaml", CONFIG)
    repository.write(FILE, POLICY)
    top.commit()
    assert repository.run("apply", "--stage", "dev", "--yes").status == 0
    return repository


@pytest.fixture
def repository(applied: PolicyRepository, tmp_path: Path) -> PolicyRepository:
    """Return a copy that a test may change."""
    shutil.copytree(applied.root.parent, tmp_path / "monorepo")
    return PolicyRepository(tmp_path / "monorepo/security", {})


def test_one_run_writes_several_forms(repository: PolicyRepository) -> None:
    repository.replace(FILE, "maximum_score: 5", "maximum_score: 9")
    forms = ("json", "markdown", "html", "github", "sarif", "junit")
    options = [f"--format={form}=plan.{form}" for form in forms]
    ran = repository.run("plan", "--stage", "dev", "--format", "text", *options)
    assert ran.status == 0
    assert "~ maximum_score: 5 → 9  (looser)" in ran.out
    wrote = {form: (repository.root / f"plan.{form}").read_text(encoding="utf-8") for form in forms}
    assert json.loads(wrote["json"])["plans"][0]["summary"] == {"add": 0, "change": 1, "destroy": 0}
    assert "! maximum_score: 5 → 9  (looser)" in wrote["markdown"]
    assert "<!doctype html>" in wrote["html"]
    place = "file=security/policies/base/images.yaml,title=policysync%3A looser,line=1,col=1"
    assert wrote["github"].startswith(f"::warning {place}::")
    (result,) = json.loads(wrote["sarif"])["runs"][0]["results"]
    location = result["locations"][0]["physicalLocation"]
    assert location["artifactLocation"]["uri"] == "security/policies/base/images.yaml"
    (suite,) = junitparser.JUnitXml.fromstring(wrote["junit"].encode())
    assert [case.is_passed for case in suite] == [True]


def test_drift_in_every_form(repository: PolicyRepository) -> None:
    with by_hand(repository.root) as console:
        console.edit("ImageAssurancePolicy", "Default", block_failed=False)
    options = [f"--format={form}=drift.{form}" for form in ("json", "markdown", "html", "sarif", "junit")]
    ran = repository.run("drift", "--all", "--format", "github", *options)
    assert ran.status == 2
    assert ran.out.startswith("::error file=security/policies/base/images.yaml,title=policysync%3A drift-looser,line=1")
    assert "! block_failed: true → false" in (repository.root / "drift.markdown").read_text(encoding="utf-8")
    assert '"drift-looser"' in (repository.root / "drift.sarif").read_text(encoding="utf-8")
    (suite,) = junitparser.JUnitXml.fromfile(str(repository.root / "drift.junit"))
    assert [case.is_passed for case in suite] == [False]


def test_validate_apply_and_history_in_markdown(repository: PolicyRepository) -> None:
    assert repository.run("validate", "--format", "markdown").out.startswith(
        "## policysync validate\n\n✅ **1 document,"
    )
    ran = repository.run("apply", "--stage", "dev", "--yes", "--format", "markdown")
    assert "✅ Apply to dev-console: nothing to do." in ran.out
    assert "1 applied" in repository.run("history", "--stage", "dev", "--format", "markdown").out


def test_a_broken_file_in_the_forms_of_code_hosts(repository: PolicyRepository) -> None:
    repository.replace(FILE, "maximum_score: 5", "maximum_score: five")
    ran = repository.run("validate", "--format", "github", "--format", "junit=validate.xml")
    assert ran.status == 1
    assert ran.out.startswith(
        "::error file=security/policies/base/images.yaml,title=policysync%3A type,line=9,col=18::"
    )
    (suite,) = junitparser.JUnitXml.fromfile(str(repository.root / "validate.xml"))
    assert [case.is_passed for case in suite] == [False]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--format", "yaml"], "'yaml' is not one of text, json, markdown, github, sarif, junit"),
        (["--format", "json="], "names no file"),
        (["--format", "json", "--format", "text"], "only one form can go to stdout"),
        (["--format", "json=x", "--format", "text=x"], "two forms cannot go into one file"),
        (["--format", "json=no/such/folder/x"], "no/such/folder/x cannot be written: No such file or directory"),
    ],
)
def test_what_cannot_be_written_is_said(repository: PolicyRepository, options: list[str], said: str) -> None:
    ran = repository.run("validate", *options)
    assert ran.status == 1
    assert said in ran.err


def test_the_page_of_a_repository(repository: PolicyRepository) -> None:
    ran = repository.run("report", "--out", "page.html")
    assert ran.status == 0
    page = (repository.root / "page.html").read_text(encoding="utf-8")
    assert "No changes." in page
    assert "1 applied" in page
    away = '"https://127.0.0.1:9", auth: {method: password, user: a, password: "${env:NOT_SET_HERE}"}'
    repository.write("policysync.yaml", CONFIG.replace('"embedded:dev"', away))
    assert repository.run("report", "--out", "page.html").status == 0
    assert "NOT_SET_HERE" in (repository.root / "page.html").read_text(encoding="utf-8")


def test_the_policies_and_the_templates_of_this_product_are_formatted(tmp_path: Path) -> None:
    for folder in (ROOT, tmp_path):
        ours = PolicyRepository(folder, {})
        if folder == tmp_path:
            assert ours.run("init").status == 0
        checked = ours.run("format", "--check")
        assert checked.status == 0, checked.out


def test_what_adopt_writes_is_formatted(repository: PolicyRepository) -> None:
    assert repository.run("adopt", "--stage", "dev", "--full", "--kind", "ImageAssurancePolicy").status == 0
    checked = repository.run("format", "--check")
    assert (checked.status, checked.out) == (0, "")


@pytest.fixture(scope="module")
def hooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a git repository with the hooks; the programs they start are those of this environment."""
    folder = tmp_path_factory.mktemp("hooks")
    text = (ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8").replace("language: python", "language: system")
    repository = new_repository(folder)
    repository.write(".pre-commit-hooks.yaml", text)
    repository.commit()
    return folder


def precommit(repository: PolicyRepository, hooks: Path, hook: str, home: Path) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "pre_commit", "try-repo", str(hooks), hook, "--all-files", "--color", "never"]
    environ = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(home),
        "PRE_COMMIT_HOME": str(home / "cache"),
        "PYTHONPATH": str(ROOT),
    }
    return subprocess.run(line, cwd=repository.root, env=environ, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("file", ["policies/base/a.yaml", "releases/prod.yaml", "policysync.yaml"])
def test_whatever_validate_reads_starts_its_hook(file: str) -> None:
    (hook, _) = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
    assert re.search(hook["files"], file)


def test_the_hooks_run_under_pre_commit(hooks: Path, tmp_path: Path) -> None:
    repository = new_repository(tmp_path / "repository")
    repository.write("policysync.yaml", CONFIG)
    repository.write(FILE, POLICY.replace("  name: Default\n", "  name: 'Default' # built in\n"))
    repository.commit()
    first = precommit(repository, hooks, "policysync-format", tmp_path)
    assert first.returncode == 1, first.stdout + first.stderr
    assert "formatted policies/base/images.yaml" in first.stdout
    assert "  name: Default # built in\n" in (repository.root / FILE).read_text(encoding="utf-8")
    assert precommit(repository, hooks, "policysync-format", tmp_path).returncode == 0
    assert precommit(repository, hooks, "policysync-validate", tmp_path).returncode == 0
    repository.replace(FILE, "maximum_score: 5", "maximum_score: five")
    broken = precommit(repository, hooks, "policysync-validate", tmp_path)
    assert broken.returncode == 1
    assert "policies/base/images.yaml:9:18: /spec/maximum_score" in broken.stdout
