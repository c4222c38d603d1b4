"""A policy repository in a temporary folder, driven through the command line as its user would."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any

from zygote import process

from policysync import secret
from policysync.cli import run

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Ran:
    """How one command ended."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        """Return what was printed on stdout, as data."""
        return json.loads(self.out)


@dataclass
class PolicyRepository:
    """A folder with policysync.yaml. `environ` is added to the environment of every command.

    With `here` commands run inside this process, see `run_here`.
    """

    root: Path
    environ: dict[str, str] = field(default_factory=dict)
    here: bool = False

    def run(self, *args: str) -> Ran:
        """Run `policysync` in the folder."""
        if self.here:
            return run_here(self, *args)
        ended = process.run(*args, cwd=self.root, environ=self._environ())
        return Ran(ended.returncode, ended.stdout, ended.stderr)

    def run_python(self, *args: str) -> Ran:
        """Run this interpreter in the folder."""
        ended = subprocess.run(
            [sys.executable, *args],
            cwd=self.root,
            env=self._environ(),
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=600,
        )
        return Ran(ended.returncode, ended.stdout, ended.stderr)

    def start(self, *args: str) -> process.Started:
        """Start `policysync` and return without waiting for it."""
        return process.start(*args, cwd=self.root, environ=self._environ())

    def write(self, file: str, text: str) -> None:
        """Write a file below the folder."""
        path = self.root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def replace(self, file: str, old: str, new: str) -> None:
        """Replace a text that has to be there."""
        text = (self.root / file).read_text(encoding="utf-8")
        assert old in text, f"{file} has no {old!r}"
        self.write(file, text.replace(old, new))

    def commit(self, message: str = "change") -> str:
        """Commit everything and return the revision."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD").strip()

    def release(self, *stages: str) -> str:
        """Commit everything, let the stages follow that, and return the revision."""
        revision = self.commit()
        for stage in stages:
            self.write(f"releases/{stage}.yaml", f'version: 1\nrevision: "{revision}"\n')
        self.commit("release")
        return revision

    def git(self, *args: str) -> str:
        """Run git in the folder."""
        ended = subprocess.run(
            ["git", *args], cwd=self.root, env=self._environ(), capture_output=True, text=True, check=True
        )
        return ended.stdout

    def _environ(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("POLICYSYNC_")}
        identity = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in _WHO.items()}
        return {**kept, **identity, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", **self.environ}


_WHO = {"NAME": "Test", "EMAIL": "test@example.com"}


def quick_repository(folder: Path, **environ: str) -> PolicyRepository:
    """Return an empty git repository whose commands run inside this process."""
    repository = new_repository(folder, **environ)
    repository.here = True
    return repository


def run_here(repository: PolicyRepository, *args: str, known: secret._Known | None = None) -> Ran:
    """Run `policysync` inside this process, which takes a tenth of the time; what it prints is what a user sees.

    It begins without knowing any secret, as a process does, or with what is `known`.
    """
    before, secret._known = secret._known, known or secret._Known()
    out, err, kept, stdin = StringIO(), StringIO(), dict(os.environ), sys.stdin
    sys.stdin = StringIO()
    os.environ.clear()
    os.environ.update(repository._environ())
    try:
        with contextlib.chdir(repository.root), redirect_stdout(out), redirect_stderr(err):
            status = run(list(args))
    finally:
        secret._known = before
        sys.stdin = stdin
        os.environ.clear()
        os.environ.update(kept)
    return Ran(int(status), out.getvalue(), err.getvalue())


def new_repository(folder: Path, **environ: str) -> PolicyRepository:
    """Return an empty git repository with the usual .gitignore."""
    folder.mkdir(parents=True, exist_ok=True)
    repository = PolicyRepository(folder, dict(environ))
    repository.git("init", "--quiet", "--initial-branch=main")
    repository.write(".gitignore", ".policysync/\nplan.json\n")
    return repository


def copied(made: PolicyRepository, folder: Path, remote: Path | None = None) -> PolicyRepository:
    """Return a copy of a repository with all that its commands left in it, and of its `origin` where it has one."""
    shutil.copytree(made.root, folder, symlinks=True)
    copy = PolicyRepository(folder, dict(made.environ), made.here)
    if remote is not None:
        shutil.copytree(made.git("remote", "get-url", "origin").strip(), remote)
        copy.git("remote", "set-url", "origin", str(remote))
    return copy


def example_repository(folder: Path) -> PolicyRepository:
    """Return a copy of this product's own example repository, committed."""
    repository = new_repository(folder)
    shutil.copytree(ROOT / "policies", folder / "policies")
    shutil.copy(ROOT / "policysync.yaml", folder)
    repository.commit("the example")
    return repository
