"""Secrets turn up nowhere: canaries in every sensitive field and credential, looked for in all that is left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from acceptance.canaries import (
    KINDS,
    KINDS_WITH_SECRETS,
    MARK,
    TOKEN,
    CommandLines,
    canary,
    files,
    git_objects,
    leaks,
    planted,
)
from acceptance.echoing import Echo, Form
from acceptance.policy_repository import PolicyRepository, new_repository
from conformance.samples import SAMPLES, desired

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
    ("history", "--stage", "dev"),
    ("status",),
)


@dataclass
class World:
    """A policy repository beside a console that holds secrets, and everything that was printed."""

    repository: PolicyRepository
    front: Echo
    home: Path
    printed: list[tuple[str, bytes]] = field(default_factory=list)

    def run(self, *args: str) -> int:
        """Run a command that logs all it can, and keep what it printed."""
        ran = self.repository.run("-vv", "--log-format", "json", *args)
        self.printed.append((f"{args} stdout", ran.out.encode()))
        self.printed.append((f"{args} stderr", ran.err.encode()))
        return ran.status

    def read_all(self) -> None:
        """Run every command that only reads."""
        for args in READING:
            if args[0] in COMMANDS:
                assert self.run(*args) in (0, 2), self.printed[-2:]

    @property
    def options(self) -> dict[str, Any]:
        """The options of a target that finds every part of the console behind the front."""
        return _options(self.front.url)

    def leaks(self) -> list[str]:
        """Return every place in which a canary or a token turned up."""
        root = self.repository.root
        yours = [root / "secret.txt"]
        left = [*self.printed, ("git", git_objects(root)), *files(root, self.home, but=yours)]
        return leaks(left, MARK, TOKEN)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    server = Server(Console(KINDS, Store(None), settings=SETTINGS))
    server.start()
    front = Echo(server.port)
    home = tmp_path / "home"
    home.mkdir()
    places = {name: str(home) for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "TMPDIR")}
    repository = new_repository(tmp_path / "team", **places, PASSWORD=SETTINGS.password)
    _configure(repository, front.url)
    _state(repository)
    yield World(repository, front, home)
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
    repository.write("policysync.yaml", json.dumps({"version": 1, "stages": stages}))


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


def test_a_life_with_secrets_leaves_none_behind(world: World) -> None:
    with CommandLines() as lines:
        assert world.run("plan", "--stage", "dev", "--out", "plan.json") == 0, world.printed[-1]
        assert world.run("apply", "--stage", "dev", "--yes", "--on-error", "continue") in (0, 5), world.printed[-1]
        world.read_all()
        _somebody_moves_the_console(world)
        world.read_all()
        assert world.run("adopt", "--stage", "dev", "--out", "adopted", "--full") in (0, 1), world.printed[-1]
        assert world.run("apply", "--stage", "dev", "--yes", "--on-error", "continue") in (0, 5), world.printed[-1]
    assert world.leaks() == []
    ours = [line for line in lines.seen if b"policysync" in line]
    assert ours
    assert leaks((("arguments", line) for line in lines.seen), MARK) == []


@pytest.mark.parametrize("form", ["json", "text", "html"])
def test_a_console_that_says_back_what_it_was_sent(world: World, form: Form) -> None:
    world.front.form = form
    assert world.run("apply", "--stage", "dev", "--yes", "--on-error", "continue") in (1, 5), world.printed[-1]
    world.front.form = ""
    assert world.run("apply", "--stage", "dev", "--yes", "--on-error", "continue") in (0, 5), world.printed[-1]
    _somebody_moves_the_console(world)
    _say_no_more_of_secrets(world.repository)
    world.front.form = form
    assert world.run("apply", "--stage", "dev", "--yes", "--on-error", "continue") in (1, 5), world.printed[-1]
    said = b"".join(text for _, text in world.printed)
    assert b"cannot use" in said or form != "json"
    assert world.leaks() == []


def test_a_proxy_with_a_password(world: World) -> None:
    port = world.front.url.rpartition(":")[2]
    proxy = f"http://user:{MARK}-proxy%40{MARK}@127.0.0.1:{port}"
    world.repository.environ |= {"HTTPS_PROXY": proxy, "HTTP_PROXY": proxy, "NO_PROXY": ""}
    world.repository.replace("policysync.yaml", f'"url": "{world.front.url}"', '"url": "https://console.example"')
    world.front.form = "text"
    assert world.run("plan", "--stage", "dev") == 1
    assert world.leaks() == []


def test_a_bug_that_holds_a_secret(world: World) -> None:
    script = (
        "import os, policysync.cli as cli, policysync.commands.kinds as kinds\n"
        "from policysync.secret import Secret\n"
        "def broken(**_):\n"
        "    value = Secret(os.environ['PASSWORD']).reveal()\n"
        "    raise RuntimeError(value, {'password': value})\n"
        "kinds.command.callback = broken\n"
        "import sys\n"
        "sys.argv = ['policysync', 'kinds']\n"
        "cli.main()\n"
    )
    environ = {**os.environ, "PASSWORD": SETTINGS.password}
    ran = subprocess.run([sys.executable, "-c", script], env=environ, capture_output=True, check=False)
    assert ran.returncode == 1
    assert b"RuntimeError" in ran.stderr
    assert leaks([("stderr", ran.stderr), ("stdout", ran.stdout)], MARK) == []


def _somebody_moves_the_console(world: World) -> None:
    """Put other secrets into the console: nothing in the environment of a run knows these."""
    target = Target("dev", "aqua", world.front.url, {"user": SETTINGS.user, "password": "${env:P}"}, world.options)
    again = Retry(SystemClock()).read
    backend = connect(target, KINDS, secrets=lambda _: Secret(SETTINGS.password), again=again, limits=Limits())
    with closing(backend):
        for name in KINDS_WITH_SECRETS:
            _move(backend, KINDS[name])


def _move(backend: Backend, kind: Kind) -> None:
    after = desired(kind, _secret(planted(kind.name, f"{canary('live')}-{{}}")))
    for before in backend.read(kind, frozenset([after.address.name])):
        edits = tuple(diff(kind.root, after.spec, before.spec))
        with suppress(Refused):
            backend.write(Change(Action.UPDATE, after.address, before, after, edits), kind)


def _secret(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _secret(below) for name, below in value.items()}
    if isinstance(value, list):
        return [_secret(below) for below in value]
    return Secret(value) if isinstance(value, str) and MARK in value else value


def _say_no_more_of_secrets(repository: PolicyRepository) -> None:
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
