"""Telling a story with real commands: each is shown with what it really said and how it ended."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol
from urllib.parse import quote

import click

from policysync.emulator.embedded import embedded
from policysync.emulator.settings import Settings
from policysync.errors import Exit, PolicySyncError
from policysync.kinds.load import load_kinds


class Ended(NamedTuple):
    """How a command ended, and what it said where that was read."""

    status: int
    said: str = ""


class Start(Protocol):
    """Runs `policysync` with some words in a folder; what is not read is shown."""

    def __call__(self, words: Sequence[str], folder: Path, environ: Mapping[str, str] | None, *, read: bool) -> Ended:
        """Return how it ended."""


def process(words: Sequence[str], folder: Path, environ: Mapping[str, str] | None, *, read: bool) -> Ended:
    """Run it as a process of its own."""
    ended = subprocess.run(
        [sys.executable, "-m", "policysync", *words],
        cwd=folder,
        env=environ,
        check=False,
        stdout=subprocess.PIPE if read else None,
        stderr=subprocess.STDOUT if read else None,
    )
    return Ended(ended.returncode, (ended.stdout or b"").decode())


@dataclass(frozen=True, slots=True)
class Story:
    """A policy repository that a story is told in.

    Attributes:
        pause: seconds to wait before each scene, for reading.
        environ: the environment of its commands; None for that of this process.
    """

    root: Path
    pause: float = 0
    environ: dict[str, str] | None = None
    start: Start = process

    def tell(self, text: str) -> None:
        """Say what happens next."""
        click.echo(f"\n# {text}")
        time.sleep(self.pause)

    def set(self, name: str, value: str) -> None:
        """Set a variable for all commands that follow."""
        if self.environ is None:
            raise ValueError("a story without an environment of its own sets nothing")
        click.echo(f"$ export {name}={value}")
        self.environ[name] = value

    def run(self, *args: str, expect: Sequence[Exit] = (Exit.DONE,), only: str = "") -> str:
        """Run a command as a user would, show its output and its exit status, and return what of it was read.

        With `only`, an expression for `grep -E`, other lines are read and not shown; without it nothing is read.

        Raises:
            PolicySyncError: it ended otherwise than the story has it.
        """
        line = " ".join(["policysync", *(_quoted(word) for word in args)])
        click.echo(f"$ {line} 2>&1 | grep -E '{only}'" if only else f"$ {line}")
        sys.stdout.flush()
        status, said = self.start(args, self.root, self.environ, read=bool(only))
        for one in said.splitlines():
            if re.search(only, one):
                click.echo(one)
        click.echo(f"exit status {status}")
        if status not in expect:
            wanted = " or ".join(str(int(status)) for status in expect)
            raise PolicySyncError(f"{line} ended with {status}, want {wanted}")
        return said

    def shell(self, *args: str, shown: str = "") -> None:
        """Run any other program; `shown` is how a person would type it."""
        click.echo(f"$ {shown or ' '.join(_quoted(word) for word in args)}")
        sys.stdout.flush()
        try:
            subprocess.run(args, cwd=self.root, env=self.environ, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise PolicySyncError(f"{args[0]} did not do what the story needs: {error}") from error

    def edit(self, file: str, change: Callable[[str], str]) -> None:
        """Edit a file of the repository."""
        path = self.root / file
        path.write_text(change(path.read_text(encoding="utf-8")), encoding="utf-8")

    def by_hand(self, console: str, path: str, members: Mapping[str, object]) -> None:
        """Change members of an object through the API of an embedded console, as its web pages do."""
        local = embedded(self.root / ".policysync" / "consoles" / f"{console}.sqlite", load_kinds())
        try:
            settings = Settings()
            login = json.dumps({"id": settings.user, "password": settings.password}).encode()
            token = json.loads(local("POST", "/api/v1/login", {}, login)[2])["token"]
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
            there = json.loads(local("GET", quote(path), headers)[2])
            local("PUT", quote(path), headers, json.dumps({**there, **members}).encode())
        finally:
            local.close()


def _quoted(word: str) -> str:
    return f"'{word}'" if re.search(r"[\s'*<>]", word) else word
