"""`policysync demo`: the whole story on embedded consoles, in a temporary copy of the example repository."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import click

from policysync.emulator.embedded import embedded
from policysync.emulator.settings import Settings
from policysync.errors import Exit, PolicySyncError
from policysync.kinds.load import load_kinds

_PACKAGE = Path(__file__).resolve().parent.parent
_POLICY = "Example_Customer_Custom_Image_assurancePolicy"
_FILE = "policies/base/assurance/image-custom.yaml"
_PATH = f"/api/v2/assurance_policy/image/{quote(_POLICY)}"


@dataclass(frozen=True, slots=True)
class Story:
    """A policy repository that the demo plays in. `fast` leaves out the pauses for reading."""

    root: Path
    pause: float

    def tell(self, text: str) -> None:
        """Say what happens next."""
        click.echo(f"\n# {text}")
        time.sleep(self.pause)

    def run(self, *args: str, expect: Sequence[Exit] = (Exit.DONE,)) -> None:
        """Run a command as a user would, and show its output and its exit status.

        Raises:
            PolicySyncError: it ended otherwise than the story has it.
        """
        click.echo(f"$ policysync {' '.join(args)}")
        sys.stdout.flush()
        ended = subprocess.run([sys.executable, "-m", "policysync", *args], cwd=self.root, check=False).returncode
        click.echo(f"exit status {ended}")
        if ended not in expect:
            raise PolicySyncError(f"policysync {' '.join(args)} ended with {ended}, want {_either(expect)}")

    def edit(self, file: str, change: Callable[[str], str]) -> None:
        """Edit a file of the repository."""
        path = self.root / file
        path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")

    def commit(self, message: str) -> None:
        """Commit everything, as somebody who has no name yet on a fresh machine."""
        click.echo(f"$ git commit -m '{message}'")
        who = ["-c", "user.name=Demo", "-c", "user.email=demo@example.com", "-c", "commit.gpgsign=false"]
        for command in (["add", "--all"], [*who, "commit", "--quiet", "--no-verify", "-m", message]):
            subprocess.run(["git", *command], cwd=self.root, check=True)


@click.command()
@click.option("--pause", type=click.FloatRange(0), default=0.0, help="Seconds to wait before each scene.")
@click.option("--keep", is_flag=True, help="Keep the temporary copy and say where it is.")
def command(*, pause: float, keep: bool) -> int:
    """Play the whole story on embedded consoles.

    Everything happens in a temporary copy of the example repository; no console, account or network is needed.

    \b
    Example:
      policysync demo
      policysync demo --pause 2 --keep
    """
    folder = Path(tempfile.mkdtemp(prefix="policysync-demo-"))
    try:
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
    _in_console(story.root, "disallow_malware", to=False)
    story.run("drift", "--stage", "dev", expect=(Exit.CHANGES,))


def _git_edit(story: Story) -> None:
    story.tell("Meanwhile the team makes the policy stricter in git: fail from medium severity on.")
    story.edit(_FILE, lambda text: text.replace("cvss_severity: high", "cvss_severity: medium"))
    story.commit("fail images from medium severity on")
    story.run("plan", "--stage", "dev", "--detailed-exitcode", expect=(Exit.CHANGES,))
    story.tell("One apply brings the new severity and heals the drift.")
    story.run("apply", "--stage", "dev", "--yes")
    story.run("drift", "--stage", "dev")


def _in_console(root: Path, name: str, *, to: bool) -> None:
    """Change one field of the example policy through the console's own API, as its web pages do."""
    console = embedded(root / ".policysync" / "consoles" / "dev.sqlite", load_kinds())
    try:
        settings = Settings()
        login = json.dumps({"id": settings.user, "password": settings.password}).encode()
        token = json.loads(console("POST", "/api/v1/login", {}, login)[2])["token"]
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        policy = json.loads(console("GET", _PATH, headers)[2])
        console("PUT", _PATH, headers, json.dumps({**policy, name: to}).encode())
    finally:
        console.close()


def _copy(folder: Path) -> Path:
    """Copy the example repository into a folder and commit it there."""
    example = _PACKAGE.parent if (_PACKAGE.parent / "policies").is_dir() else _PACKAGE / "example"
    root = folder / "policies-of-a-team"
    root.mkdir()
    shutil.copytree(example / "policies", root / "policies")
    shutil.copy(example / "policysync.yaml", root)
    (root / ".gitignore").write_text(".policysync/\nplan.json\n", encoding="utf-8")
    subprocess.run(["git", "init", "--quiet"], cwd=root, check=True, env={**os.environ, "GIT_TERMINAL_PROMPT": "0"})
    Story(root, 0).commit("policies as they are")
    return root


def _either(statuses: Sequence[Exit]) -> str:
    return " or ".join(str(int(status)) for status in statuses)
