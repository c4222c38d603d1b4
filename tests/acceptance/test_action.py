"""The composite action: its steps run by bash, as a runner does it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from acceptance.policy_repository import ROOT, PolicyRepository, Ran, new_repository

STEPS = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))["runs"]["steps"]


@pytest.fixture
def repository(tmp_path: Path) -> PolicyRepository:
    repository = new_repository(tmp_path / "team")
    assert repository.run("init").status == 0
    repository.commit()
    return repository


def act(repository: PolicyRepository, command: str, accept: str = "0 2") -> tuple[Ran, dict[str, str]]:
    """Run the second step, the first one's work being done, and return its outputs."""
    temp = repository.root.parent / "temp"
    programs = temp / "policysync-action" / "bin"
    programs.mkdir(parents=True, exist_ok=True)
    program = programs / "policysync"
    if not program.exists():
        program.symlink_to(shutil.which("policysync", path=str(Path(sys.executable).parent)) or "")
    output = temp / "output"
    output.write_text("", encoding="utf-8")
    (temp / "step.sh").write_text(STEPS[1]["run"], encoding="utf-8")
    ended = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(temp / "step.sh")],
        cwd=repository.root,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(temp),
            "RUNNER_TEMP": str(temp),
            "GITHUB_OUTPUT": str(output),
            "COMMAND": command,
            "ACCEPT": accept,
        },
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=600,
    )
    pairs = [line.partition("=") for line in output.read_text(encoding="utf-8").splitlines()]
    return Ran(ended.returncode, ended.stdout, ended.stderr), {name: value for name, _, value in pairs}


def test_a_plan_gives_its_counts_and_where_it_is(repository: PolicyRepository) -> None:
    ended, outputs = act(repository, "plan\n--stage\ndev\n--out\nplan.json\n--detailed-exitcode\n")
    assert ended.status == 0, ended.err
    assert outputs == {
        "status": "2",
        "plan": str(repository.root / "plan.json"),
        "add": "2",
        "change": "1",
        "destroy": "0",
        "summary": "2 to add, 1 to change, 0 to destroy",
    }


@pytest.mark.parametrize(("accept", "status"), [("0 2", 1), ("0 1", 0)])
def test_a_status_that_was_not_asked_for_fails_the_step(repository: PolicyRepository, accept: str, status: int) -> None:
    ended, outputs = act(repository, "plan\n--stage\nnowhere", accept)
    assert (ended.status, outputs) == (status, {"status": "1"})


def test_a_word_is_never_read_as_shell(repository: PolicyRepository) -> None:
    ended, _ = act(repository, 'plan\n--stage\n$(touch pwned); "`touch pwned`" * && touch pwned')
    assert ended.status == 1
    assert "$(touch pwned)" in ended.err
    assert not (repository.root / "pwned").exists()


def test_the_install_step_takes_the_action_s_own_source() -> None:
    install = STEPS[0]
    assert install["env"] == {"EXTRAS": "${{ inputs.extras }}"}
    assert '"${GITHUB_ACTION_PATH}[github${EXTRAS:+,$EXTRAS}]"' in install["run"]
