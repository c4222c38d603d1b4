"""A console full of secrets, a policy repository beside it that states others, and all that is left behind."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from acceptance.canaries import (
    KINDS,
    KINDS_WITH_SECRETS,
    MARK,
    TOKEN,
    canary,
    files,
    git_objects,
    leaks,
    planted,
    sensitive,
)
from acceptance.echoing import Echo, Form
from acceptance.policy_repository import PolicyRepository, Ran, new_repository, run_here
from conformance.samples import SAMPLES, desired

from policysync import secret
from policysync.apply.retry import Retry
from policysync.backends.connect import connect
from policysync.backends.port import Backend
from policysync.cli import COMMANDS
from policysync.clock import SystemClock
from policysync.documents.project import Limits, Target
from policysync.emulator.console import Console
from policysync.emulator.serve import Server
from policysync.emulator.settings import Settings
from policysync.emulator.store import Store
from policysync.errors import Refused
from policysync.kinds.kind import Kind
from policysync.plan.change import Action, Change
from policysync.plan.diff import diff
from policysync.secret import Secret

CANNOT_BE_MOVED: frozenset[str] = frozenset()
"""Kinds whose secrets nobody can write a second time."""

SETTINGS = Settings(
    password=canary("password"), api_key=canary("key"), api_secret=canary("secret"), secrets="clear", quirks="off"
)
LABEL = "apiVersion: policysync/v1\nkind: Label\nmetadata: {name: pci}\nspec: {description: cards}\n"
FORMS = ("text", "json")
READING = (
    ("validate",),
    ("config", "check"),
    *(("plan", "--stage", "dev", "--format", form) for form in FORMS),
    ("plan", "--stage", "nonprod"),
    ("plan", "--stage", "prod"),
    ("drift", "--stage", "dev"),
    *(("diff", "stage:dev:live", "stage:dev:desired", *raw) for raw in ((), ("--raw",))),
    *(("history", "--stage", "dev", "--verify", "--format", form) for form in FORMS),
    ("status", "--all"),
)
A_FEW = (("plan", "--stage", "dev", "--format", "json"), ("diff", "stage:dev:live", "stage:dev:desired", "--raw"))
"""Those through which most of what is secret goes."""

UNFILTERED = (
    "import sys, policysync.secret as secret\n"
    "secret._known.mask = lambda text: text\n"
    "from policysync.cli import main\n"
    "main()\n"
)
"""The program without its second line: nothing replaces a secret in what it prints or logs."""


How = Literal["here", "process", "unfiltered"]
"""In this process and without the second line, as a process of its own, or as one without the second line."""


class _Unfiltered(secret._Known):
    """What one run knows of secrets, and what the test knows besides is none of it. It replaces nothing."""

    def mask(self, text: str) -> str:
        return text


@dataclass
class World:
    """A policy repository beside a console that holds secrets, and everything that was printed."""

    repository: PolicyRepository
    front: Echo
    home: Path
    how: How = "here"
    printed: list[tuple[str, bytes]] = field(default_factory=list)

    def run(self, *args: str) -> int:
        """Run a command that logs all it can, and keep what it printed."""
        ran = self._ran("-vv", "--log-format", "json", *args)
        self.printed.append((f"{args} stdout", ran.out.encode()))
        self.printed.append((f"{args} stderr", ran.err.encode()))
        return ran.status

    def _ran(self, *args: str) -> Ran:
        if self.how == "process":
            return self.repository.run(*args)
        if self.how == "unfiltered":
            return self.repository.run_python("-c", UNFILTERED, *args)
        return run_here(self.repository, *args, known=_Unfiltered())

    def read_all(self, commands: Iterable[tuple[str, ...]] = READING) -> None:
        """Run commands that only read."""
        for args in commands:
            if args[0] in COMMANDS:
                assert self.run(*args) in (0, 2), self.printed[-2:]

    @property
    def options(self) -> dict[str, Any]:
        """The options of a target that finds every part of the console behind the front."""
        return _options(self.front.url)

    def planted(self) -> int:
        """Return how many different canaries there are."""
        stated = sum(MARK in value for value in self.repository.environ.values())
        return stated + sum(len(list(sensitive(KINDS[name].root))) for name in KINDS_WITH_SECRETS) + 2

    def leaks(self) -> list[str]:
        """Return every place in which a canary or a token turned up."""
        root = self.repository.root
        yours = [root / "secret.txt"]
        left = [*self.printed, ("git", git_objects(root)), *files(root, self.home, but=yours)]
        return leaks(left, MARK, TOKEN)


@contextmanager
def secret_world(tmp_path: Path, how: How = "here") -> Iterator[World]:
    """Serve a console whose every credential is a canary, and state a canary in every sensitive field."""
    server = Server(Console(KINDS, Store(None), settings=SETTINGS))
    server.start()
    front = Echo(server.port)
    home = tmp_path / "home"
    home.mkdir()
    places = {name: str(home) for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "TMPDIR")}
    repository = new_repository(tmp_path / "team", **places, PASSWORD=SETTINGS.password)
    _configure(repository, front.url)
    _state(repository)
    try:
        yield World(repository, front, home, how)
    finally:
        front.close()
        server.stop()


def _configure(repository: PolicyRepository, url: str) -> None:
    """One stage for each way to sign in, and for each place a secret may come from."""
    asked = f"{{cmd:{sys.executable} -c \"import os;print(os.environ['PASSWORD'])\"}}"
    ways = {
        "dev": {"method": "password", "user": SETTINGS.user, "password": "${env:PASSWORD}"},
        "nonprod": {"method": "api-key", "key": "${env:KEY}", "secret": "${file:secret.txt}"},
        "prod": {"method": "saas-password", "user": SETTINGS.user, "password": f"${asked}"},
    }
    stages = [
        {
            "name": n,
            "targets": [{"name": f"{n}-c", "backend": "aqua", "url": url, "auth": auth, "options": _options(url)}],
        }
        for n, auth in ways.items()
    ]
    repository.environ["KEY"] = SETTINGS.api_key
    repository.write("secret.txt", SETTINGS.api_secret)
    repository.write(".gitignore", ".policysync/\nplan.json\nsecret.txt\n")
    repository.write(
        "policysync.yaml", json.dumps({"version": 1, "stages": stages, "limits": {"requests_per_second": 1000}})
    )


def _options(url: str) -> dict[str, Any]:
    return {"hosts": {"token": url, "prov": url, "supply-chain": f"{url}/supply_chain", "front": url, "account": url}}


def _state(repository: PolicyRepository) -> None:
    repository.write("policies/base/label.yaml", LABEL)
    for kind in KINDS_WITH_SECRETS:
        spec = planted(kind, "${env:S_{}}")
        _document(repository, kind, spec)
        for text in _references(spec):
            repository.environ[text] = canary(text)
    repository.release("nonprod", "prod")


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict | list):
        for below in value.values() if isinstance(value, dict) else value:
            yield from _references(below)
    elif isinstance(value, str) and value.startswith("${env:S_"):
        yield value.removeprefix("${env:").removesuffix("}")


def a_life(world: World, commands: Iterable[tuple[str, ...]]) -> None:
    """Plan, apply, look, have the console moved, look, take it into git in every way, and apply again."""
    assert world.run("plan", "--stage", "dev", "--out", "plan.json") == 0, world.printed[-1]
    assert world.run("apply", "--stage", "dev", "--yes", "--on-error", "continue") in (0, 5), world.printed[-1]
    world.read_all(commands)
    assert somebody_moves_the_console(world) == set(KINDS_WITH_SECRETS) - CANNOT_BE_MOVED
    world.read_all(commands)
    assert world.run("adopt", "--stage", "dev", "--out", "adopted", "--full") in (0, 1), world.printed[-1]
    assert world.run("adopt", "--stage", "dev", "--write-back", "--format", "json") == 0, world.printed[-1]
    assert world.run("adopt", "--stage", "nonprod", "--out", "named", "--secrets", "reference") in (0, 1)
    world.repository.commit()
    assert world.run("apply", "--stage", "dev", "--yes", "--on-error", "continue") in (0, 5), world.printed[-1]


def told_back(world: World, form: Form) -> None:
    """Have a console say back whatever it is sent: first what git states, then what only the console has."""
    world.front.form = form
    assert world.run("apply", "--stage", "dev", "--yes", "--on-error", "continue") in (1, 5), world.printed[-1]
    world.front.form = ""
    assert world.run("apply", "--stage", "dev", "--yes", "--on-error", "continue") in (0, 5), world.printed[-1]
    somebody_moves_the_console(world)
    say_no_more_of_secrets(world.repository)
    world.front.form = form
    assert world.run("apply", "--stage", "dev", "--yes", "--on-error", "continue") in (1, 5), world.printed[-1]
    world.front.form = ""


def somebody_moves_the_console(world: World) -> set[str]:
    """Put secrets into the console that no environment of a run knows, and return the kinds that took them."""
    target = Target("dev", "aqua", world.front.url, {"user": SETTINGS.user, "password": "${env:P}"}, world.options)
    again = Retry(SystemClock()).read
    backend = connect(target, KINDS, secrets=lambda _: Secret(SETTINGS.password), again=again, limits=Limits())
    with closing(backend):
        return {name for name in KINDS_WITH_SECRETS if _move(backend, KINDS[name])}


def _move(backend: Backend, kind: Kind) -> bool:
    after = desired(kind, _secret(planted(kind.name, f"{canary('live')}-{{}}")))
    for before in backend.read(kind, frozenset([after.address.name])):
        edits = tuple(diff(kind.root, after.spec, before.spec))
        with suppress(Refused):
            backend.write(Change(Action.UPDATE, after.address, before, after, edits), kind)
            return True
    return False


def _secret(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _secret(below) for name, below in value.items()}
    if isinstance(value, list):
        return [_secret(below) for below in value]
    return Secret(value) if isinstance(value, str) and MARK in value else value


def say_no_more_of_secrets(repository: PolicyRepository) -> None:
    """Change every document so that an update carries along secrets that only the console has."""
    for kind in KINDS_WITH_SECRETS:
        plain, change = SAMPLES[kind]
        spec = {name: value for name, value in {**plain, **change}.items() if not isinstance(value, Secret)}
        _document(repository, kind, spec)
    repository.commit()


def _document(repository: PolicyRepository, kind: str, spec: dict[str, Any]) -> None:
    # YAML reads JSON.
    metadata = {"name": KINDS[kind].name_of(spec), "targets": ["dev-c"]}
    text = json.dumps({"apiVersion": "policysync/v1", "kind": kind, "metadata": metadata, "spec": spec})
    repository.write(f"policies/base/{kind}.yaml", text)
