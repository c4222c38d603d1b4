"""The workflows `init` writes, run by act, another's reading of what workflow files mean: `make github`.

Actions of others are played by small ones, because nothing of GitHub is at hand; there is no container.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import yaml
from acceptance.github_stand_in import REPOSITORY, TOKEN, StandIn, stand_in
from acceptance.policy_repository import PolicyRepository, new_repository

PLACE = Path(os.environ.get("GITHUB_CONTRACT", ".venv-github")).resolve()
ACT = PLACE / "bin" / "act"
PLAYED: Mapping[str, tuple[tuple[str, ...], str]] = {
    "actions/checkout": (("fetch-depth", "persist-credentials"), "git rev-parse HEAD"),
    "actions/setup-python": (("python-version",), 'test -n "$PYTHON_VERSION"'),
    "actions/upload-artifact": (("name", "path"), 'mkdir -p "$KEPT/$NAME"; cp -r "$WHERE"/. "$KEPT/$NAME/"'),
    "actions/download-artifact": (
        ("name", "pattern", "path", "merge-multiple"),
        'mkdir -p "$WHERE"; for one in "$KEPT"/$NAME$PATTERN; do cp -r "$one"/. "$WHERE/"; done',
    ),
    "github/codeql-action/upload-sarif": (
        ("sarif_file", "category"),
        'python3 -m json.tool "$SARIF_FILE" >"$KEPT/sarif"',
    ),
}
"""Action → its inputs, and what the stand-in for it does; `path` is WHERE there."""


@pytest.fixture
def hub() -> Iterator[StandIn]:
    with stand_in() as hub:
        hub.add_pull(7)
        yield hub


@pytest.fixture
def team(tmp_path: Path) -> PolicyRepository:
    team = new_repository(tmp_path / "team")
    assert team.run("init").status == 0
    for file in (team.root / ".github/workflows").iterdir():
        # What is tried is the policysync of this work tree, and it is there.
        file.write_text(
            re.sub(r"run: pip install .*", "run: 'true'", file.read_text(encoding="utf-8")), encoding="utf-8"
        )
    team.commit()
    team.git("remote", "add", "origin", f"https://github.com/{REPOSITORY}.git")
    return team


def act(team: PolicyRepository, hub: StandIn, workflow: str, name: str, event: object) -> str:
    """Run a workflow and return what was said."""
    file = team.root / ".github/workflows" / f"policysync-{workflow}.yml"
    home = team.root.parent
    (home / "kept").mkdir(exist_ok=True)
    (home / "event.json").write_text(json.dumps(event), encoding="utf-8")
    told = {"GITHUB_API_URL": hub.url, "GITHUB_REPOSITORY": REPOSITORY, "KEPT": str(home / "kept")}
    line = [str(ACT), name, "-W", str(file), "-e", str(home / "event.json"), "-P", "ubuntu-latest=-self-hosted"]
    line += ["--no-cache-server", "-s", f"GITHUB_TOKEN={TOKEN}", *played(file, home / "actions")]
    line += [word for key, value in told.items() for word in ("--env", f"{key}={value}")]
    environ = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(home)}
    ended = subprocess.run(line, cwd=team.root, env=environ, capture_output=True, text=True, check=False, timeout=600)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert TOKEN not in ended.stdout + ended.stderr
    return ended.stdout


def played(file: Path, folder: Path) -> Iterator[str]:
    """Yield the options that lead each action a workflow uses to one that plays it."""
    for action, pin in sorted(set(re.findall(r"uses: ([\w/-]+)@([0-9a-f]{40})", file.read_text(encoding="utf-8")))):
        owner, name, *below = action.split("/")
        inputs, script = PLAYED[action]
        root = folder / f"{owner}-{name}"
        place = root.joinpath(*below)
        place.mkdir(parents=True, exist_ok=True)
        given = {_variable(one): f"${{{{ inputs.{one} }}}}" for one in inputs}
        step = {"shell": "bash", "env": given, "run": script}
        stated = {"name": action, "inputs": {one: {"default": ""} for one in inputs}}
        text = yaml.safe_dump({**stated, "runs": {"using": "composite", "steps": [step]}})
        (place / "action.yml").write_text(text, encoding="utf-8")
        if not (root / ".git").exists():
            subprocess.run(["git", "init", "--quiet", str(root)], check=True)
        yield "--local-repository"
        yield f"{owner}/{name}@{pin}={root}"


def _variable(name: str) -> str:
    return "WHERE" if name == "path" else name.upper().replace("-", "_")


def test_a_pull_request_is_planned_and_gets_its_comment(team: PolicyRepository, hub: StandIn) -> None:
    event = {"pull_request": {"number": 7, "head": {"repo": {"full_name": REPOSITORY}}}}
    said = act(team, hub, "plan", "pull_request", event)
    version = subprocess.run([str(ACT), "--version"], capture_output=True, text=True, check=True).stdout.strip()
    sys.stdout.write(f"\n{version}: {said.count('Job succeeded')} jobs of policysync-plan.yml\n")
    assert said.count("Job succeeded") == 5
    (body,) = hub.bodies(7)
    assert "dev-console" in body
    assert "**If this were promoted to prod:**" in body


def test_a_fork_is_validated_only(team: PolicyRepository, hub: StandIn) -> None:
    event = {"pull_request": {"number": 7, "head": {"repo": {"full_name": "mallory/policies"}}}}
    said = act(team, hub, "plan", "pull_request", event)
    assert said.count("Job succeeded") == 2
    assert hub.requests == []


def test_what_is_merged_is_applied(team: PolicyRepository, hub: StandIn) -> None:
    said = act(team, hub, "apply", "push", {"before": "0" * 40, "ref": "refs/heads/main"})
    assert "Apply to dev-console: 3 applied." in said


def test_drift_is_looked_for(team: PolicyRepository, hub: StandIn) -> None:
    said = act(team, hub, "drift", "schedule", {})
    assert said.count("no drift, and no issue about it") == 3


def test_a_promotion_without_anything_to_promote(team: PolicyRepository, hub: StandIn) -> None:
    said = act(team, hub, "promote", "schedule", {})
    assert "a gate is still shut" in said
