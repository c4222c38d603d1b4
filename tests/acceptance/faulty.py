"""A console on a port that goes wrong as it is told, and a policy repository that is applied to it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

from acceptance.policy_repository import PolicyRepository, Ran, new_repository
from systems.ports import unused_port

from policysync.cli import run
from policysync.clock import SystemClock
from policysync.emulator.console import Console
from policysync.emulator.exchange import Request, Response
from policysync.emulator.faults import Fault, FaultPlan, Faults
from policysync.emulator.serve import Server
from policysync.emulator.settings import Settings
from policysync.emulator.store import Store
from policysync.kinds.load import load_kinds

KINDS = load_kinds()
PASSWORD = "acceptance-password"
PATIENT = 60.0
"""Seconds, for a console that always answers: nothing but a busy machine keeps it waiting."""
CONFIGURATION = """\
version: 1
stages:
  - name: dev
    targets:
      - name: console
        backend: aqua
        url: http://127.0.0.1:{port}
        auth: {{user: robot, password: "${{env:ROBOT}}"}}
limits: {{parallelism: 1, requests_per_second: 1000}}
"""
LABEL = "apiVersion: policysync/v1\nkind: Label\nmetadata: {{name: {name}}}\nspec: {{description: {text}}}\n"


@dataclass
class World:
    """A policy repository, and the console it is applied to."""

    root: Path
    console: Console
    server: Server
    timeout: float = PATIENT

    @property
    def environ(self) -> dict[str, str]:
        """What a command has to be told in its environment."""
        return {"ROBOT": PASSWORD, "POLICYSYNC_TIMEOUT": str(self.timeout)}

    def label(self, name: str, text: str) -> None:
        """State a label in git."""
        file = self.root / "policies" / "base" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(LABEL.format(name=name, text=text))

    def fails(self, *rules: Fault, seed: int = 0) -> None:
        """Let the console go wrong like this from now on; without rules it is well again.

        Nobody waits for the end of a delay.
        """
        self.timeout = min((rule.delay * 2 / 3 for rule in rules if rule.delay), default=PATIENT)
        self.console._faults = Faults(FaultPlan(rules, seed=seed), SystemClock())

    def well_again(self) -> None:
        self.fails()

    def commit(self) -> None:
        """Commit everything in the repository."""
        PolicyRepository(self.root).commit()

    def between(self, hook: Callable[[Request], None]) -> None:
        """Call a function before each request is answered."""
        handle = self.console._handle

        def hooked(request: Request) -> Response:
            hook(request)
            return handle(request)

        self.console._handle = hooked  # type: ignore[method-assign]  # what somebody else does at the same time

    def labels(self) -> dict[str, str]:
        """Return the labels on the console, by name."""
        return {str(body["name"]): str(body.get("description", "")) for body in self.bodies()}

    def bodies(self) -> list[dict[str, object]]:
        """Return the labels on the console as it keeps them."""
        return [json.loads(body) for body in self.console.store.page(["Label"], "", 0, 100_000)]

    def run(self, *args: str) -> Ran:
        """Run `policysync` in this process, as its user would."""
        out, err = StringIO(), StringIO()
        with (
            patch.dict(os.environ, self.environ),
            contextlib.chdir(self.root),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            status = run(args)
        return Ran(int(status), out.getvalue(), err.getvalue())

    def close(self) -> None:
        self.server.stop()
        self.console.close()


def start(root: Path, store: Path | None, port: int = 0, **settings: Any) -> World:
    """Serve a console that keeps what it knows in a file."""
    chosen = Settings(**{"user": "robot", "password": PASSWORD, **settings})
    console = Console(KINDS, Store(store), settings=chosen, faults=FaultPlan())
    server = Server(console, port=port)
    server.start()
    return World(root, console, server)


@contextmanager
def applied_once(folder: Path, **settings: Any) -> Iterator[World]:
    """Yield a world in which `alpha` was applied, and git now says otherwise, and has `beta` and `gamma` too."""
    repository = new_repository(folder / "team")
    # Copies serve there again, so it must not go to anybody else meanwhile.
    world = start(repository.root, folder / "console.sqlite", unused_port(), **settings)
    try:
        repository.write("policysync.yaml", CONFIGURATION.format(port=world.server.port))
        world.label("alpha", "before")
        repository.commit()
        ran = world.run("apply", "--stage", "dev", "--yes")
        assert ran.status == 0, ran.err
        world.label("alpha", "after")
        world.label("beta", "new")
        world.label("gamma", "new")
        repository.commit()
        yield world
    finally:
        world.close()


@contextmanager
def copy_of(made: World, folder: Path) -> Iterator[World]:
    """Yield a world that is just like one that was made and closed, on the same port."""
    shutil.copytree(made.root.parent, folder, dirs_exist_ok=True)
    world = start(folder / made.root.name, folder / "console.sqlite", made.server.port)
    try:
        yield world
    finally:
        world.close()
