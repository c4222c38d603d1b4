"""`policysync demo`: the whole story on embedded consoles, in a temporary copy of the example repository."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import click

from policysync.commands.promotion_story import play_promotion
from policysync.commands.telling import Story
from policysync.errors import Exit

_PACKAGE = Path(__file__).resolve().parent.parent
_POLICY = "Example_Customer_Custom_Image_assurancePolicy"
_FILE = "policies/base/assurance/image-custom.yaml"
_PATH = f"/api/v2/assurance_policy/image/{_POLICY}"


@click.command()
@click.option("--pause", type=click.FloatRange(0), default=0.0, help="Seconds to wait before each scene.")
@click.option("--promotion", is_flag=True, help="The story of a pull request on its way to production, instead.")
@click.option("--keep", is_flag=True, help="Keep the temporary copy and say where it is.")
def command(*, pause: float, promotion: bool, keep: bool) -> int:
    """Play the whole story on embedded consoles.

    Everything happens in a temporary copy of the example repository; no console, account or network is needed.
    With --promotion, one pull request goes through three stages: its comment, every gate that can refuse it, drift,
    an emergency and a rollback, on a clock of its own. That one signs approvals, and needs ssh-keygen.

    \b
    Example:
      policysync demo
      policysync demo --pause 2 --keep
      policysync demo --promotion
    """
    folder = Path(tempfile.mkdtemp(prefix="policysync-demo-"))
    try:
        if promotion:
            play_promotion(folder, pause)
        else:
            _play(Story(_copy(folder), pause))
    finally:
        if keep:
            click.echo(f"\nkept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return Exit.DONE


def _play(story: Story) -> None:
    story.tell("A policy repository: three stages, each with a console that is embedded in the process.")
    story.run("validate")
    _broken_file(story)
    story.tell("What would change in dev? The plan is saved, so that exactly this is applied.")
    story.run("plan", "--stage", "dev", "--out", "plan.json", "--detailed-exitcode", expect=(Exit.CHANGES,))
    story.tell("Apply what was planned. Every write is read back.")
    story.run("apply", "--stage", "dev", "plan.json")
    story.tell("Plan again: nothing is left to do.")
    story.run("plan", "--stage", "dev", "--detailed-exitcode")
    _hand_edit(story)
    _git_edit(story)
    story.tell(
        "Done. Exit statuses: 0 done, 1 error, 2 changes or drift, 3 a guard said no, 4 stale, 5 partly applied."
    )


def _broken_file(story: Story) -> None:
    story.tell("Somebody misspells a field and writes `yes` where a boolean belongs.")
    before = (story.root / _FILE).read_text(encoding="utf-8")
    story.edit(_FILE, lambda text: text.replace("block_failed: true", "block_faild: true"))
    story.edit(_FILE, lambda text: text.replace("disallow_malware: true", "disallow_malware: yes"))
    story.run("validate", expect=(Exit.ERROR,))
    story.edit(_FILE, lambda _: before)


def _hand_edit(story: Story) -> None:
    story.tell("Now somebody switches the malware control off by hand, in the console.")
    story.by_hand("dev", _PATH, {"disallow_malware": False})
    story.run("drift", "--stage", "dev", expect=(Exit.CHANGES,))


def _git_edit(story: Story) -> None:
    story.tell("Meanwhile the team makes the policy stricter in git: fail from medium severity on.")
    story.edit(_FILE, lambda text: text.replace("cvss_severity: high", "cvss_severity: medium"))
    _commit(story, "fail images from medium severity on")
    story.run("plan", "--stage", "dev", "--detailed-exitcode", expect=(Exit.CHANGES,))
    story.tell("One apply brings the new severity and heals the drift.")
    story.run("apply", "--stage", "dev", "--yes")
    story.run("drift", "--stage", "dev")


def _copy(folder: Path) -> Path:
    """Copy the example repository into a folder and commit it there."""
    example = _PACKAGE.parent if (_PACKAGE.parent / "policies").is_dir() else _PACKAGE / "example"
    root = folder / "policies-of-a-team"
    root.mkdir()
    shutil.copytree(example / "policies", root / "policies")
    shutil.copy(example / "policysync.yaml", root)
    (root / ".gitignore").write_text(".policysync/\nplan.json\n", encoding="utf-8")
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True, env={**os.environ, "GIT_TERMINAL_PROMPT": "0"})
    _commit(Story(root), "policies as they are")
    return root


def _commit(story: Story, message: str) -> None:
    """Commit everything, as somebody who has no name yet on a fresh machine."""
    who = ["-c", "user.name=Demo", "-c", "user.email=demo@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "add", "--all"], cwd=story.root, check=True)
    story.shell("git", *who, "commit", "--quiet", "--no-verify", "-m", message, shown=f"git commit -m '{message}'")
