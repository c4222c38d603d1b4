"""A real `policysync apply` that is killed at any point, and what the next one makes of it.

The console is served by the test's own process, so that it can kill its client before or after it does what was
asked. A `git` on the PATH does the same around every call of git, and strace around every call of the kernel.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Any, Literal

from acceptance.policy_repository import ROOT, PolicyRepository, new_repository

from policysync.apply.ledger import Ledger
from policysync.apply.verify import verify
from policysync.cli import run
from policysync.clock import SystemClock
from policysync.emulator.console import Console
from policysync.emulator.exchange import Request, Response
from policysync.emulator.faults import Dropped, Fault, FaultPlan, Faults
from policysync.emulator.serve import Server
from policysync.emulator.settings import Settings
from policysync.emulator.store import Store
from policysync.kinds.load import load_kinds

KINDS = load_kinds()
When = Literal["before", "after"]
PASSWORD = "stress-password"
LISTS = tuple(KINDS[name].api["list"]["path"] for name in ("Label", "ApplicationScope", "ImageAssurancePolicy"))

FLAKY = (
    Fault(method="PUT", probability=0.2, drop="after"),
    Fault(method="POST", probability=0.2, drop="after"),
    Fault(method="GET", probability=0.1, status=503),
    Fault(method="DELETE", probability=0.2, status=502, worked=True),
)
"""Answers that are lost after the work was done, and a console that is busy."""

SHIM = """\
#!/bin/sh
n=$(($(cat "$KILL_COUNT") + 1)); echo $n > "$KILL_COUNT"
[ $n = "$KILL_AT" ] && [ "$KILL_WHEN" = before ] && { kill -9 $PPID; exit 1; }
GIT "$@"; status=$?
[ $n = "$KILL_AT" ] && kill -9 $PPID
exit $status
"""


def document(kind: str, name: str, **spec: object) -> str:
    return json.dumps({"apiVersion": "policysync/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}) + "\n"


def policy(name: str, scope: str, score: int) -> str:
    return document(
        "ImageAssurancePolicy", name, application_scopes=[scope], maximum_score_enabled=True, maximum_score=score
    )


def scope(name: str, description: str) -> str:
    image = {"expression": "v1", "variables": [{"attribute": "aqua.registry", "value": name}]}
    return document("ApplicationScope", name, description=description, categories={"artifacts": {"image": image}})


BEFORE = {
    **{f"label-{n}": document("Label", f"label-{n}", description="first") for n in range(4)},
    "scope-a": scope("scope-a", "first"),
    "policy-a": policy("policy-a", "scope-a", 7),
}
AFTER = {
    "label-0": BEFORE["label-0"],
    **{f"label-{n}": document("Label", f"label-{n}", description="second") for n in (1, 4, 5)},
    "scope-a": scope("scope-a", "second"),
    "scope-b": scope("scope-b", "second"),
    "policy-a": policy("policy-a", "scope-b", 5),
    "policy-b": policy("policy-b", "scope-b", 3),
}


class Watched:
    """The console behind the server; kills its client at the n-th request, counted from 1."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.victim: int = 0
        self.at = 0
        self.when: When = "before"
        self.seen = 0
        self.made: Counter[bytes] = Counter()

    def handle(self, request: Request) -> Response:
        self.seen += 1
        if self.seen != self.at:
            return self._work(request)
        if self.when == "after":
            self._work(request)
        assert self.victim > 1
        os.kill(self.victim, signal.SIGKILL)
        raise Dropped

    def _work(self, request: Request) -> Response:
        answer = self.console.handle(request)
        if request.method == "POST" and answer.status in (200, 201) and b'"name"' in request.body:
            self.made[json.loads(request.body)["name"].encode()] += 1
        return answer


@dataclass
class Stand:
    """A console on a port, a repository with something to apply, and copies of both for every trial.

    With `remote` the ledger and the lock are shared through a bare repository that every copy brings along.
    """

    folder: Path
    watched: Watched
    port: int
    remote: str = ""
    reference: dict[str, Any] = field(default_factory=dict)
    trials: int = 0

    def trial(self, faults: tuple[Fault, ...] = ()) -> PolicyRepository:
        """Return a fresh copy of the repository, with the console as it was."""
        self.trials += 1
        here = self.folder / f"trial-{self.trials}"
        self.watched.console.close()
        if self.trials > 1:
            shutil.rmtree(self.folder / f"trial-{self.trials - 1}", ignore_errors=True)
        shutil.copytree(self.folder / "template", here, symlinks=True)
        shutil.copy(self.folder / "template.sqlite", here / "console.sqlite")
        self.watched.console = console_at(here / "console.sqlite")
        if faults:
            self.watched.console._faults = Faults(FaultPlan(faults, seed=self.trials), SystemClock())
        self.watched.at, self.watched.seen = 0, 0
        self.watched.made.clear()
        return PolicyRepository(here, {"ROBOT": PASSWORD})

    def heal(self) -> None:
        """Let nothing go wrong from now on."""
        self.watched.console._faults = None
        self.watched.at = 0

    def state(self, repository: PolicyRepository) -> dict[str, Any]:
        """Return what is live by name, and what the ledger says was last applied."""
        last = ledger_of(repository, self.remote).last_applied("console")
        return {"live": names(self.watched.console), "last": {str(a): spec for a, spec in sorted(last.items())}}


def console_at(file: Path) -> Console:
    return Console(KINDS, Store(file), settings=Settings(user="robot", password=PASSWORD))


def ledger_of(repository: PolicyRepository, remote: str = "") -> Ledger:
    return Ledger(repository.root, "dev", SystemClock(), remote=remote)


def names(console: Console) -> dict[str, list[str]]:
    """Return the names of what is live, by list; a name that is there twice is named twice."""
    login = Request("POST", "/api/v1/login", {}, json.dumps({"id": "robot", "password": PASSWORD}).encode())
    headers = {"authorization": f"Bearer {json.loads(console.handle(login).body)['token']}"}
    found = {}
    for path in LISTS:
        answer = console.handle(Request("GET", f"{path}?page=1&pagesize=500&page_size=500", headers))
        assert answer.status == 200, (path, answer)
        said = json.loads(answer.body)
        items = said if isinstance(said, list) else said.get("result") or said.get("data")
        found[path] = sorted(item["name"] for item in items)
    return found


@contextmanager
def stand(folder: Path, parallelism: int = 3, remote: str = "") -> Iterator[Stand]:
    """Serve a console, apply something to it once, and state something else in git."""
    watched = Watched(console_at(folder / "template.sqlite"))
    server = Server(watched, port=0)
    server.start()
    try:
        template = new_repository(folder / "template", ROBOT=PASSWORD)
        template.write("policysync.yaml", configuration(server.port, parallelism, remote))
        if remote:
            template.git("init", "--quiet", "--bare", "--initial-branch=main", BARE)
            template.git("remote", "add", remote, BARE)
        state(template, BEFORE)
        assert_status(template, 0, "apply", "--stage", "dev", "--yes")
        state(template, AFTER)
        if remote:
            template.git("push", "--quiet", remote, "main")
        watched.console.close()
        made = Stand(folder, watched, server.port, remote)
        watched.console = console_at(folder / "template.sqlite")
        first = made.trial()
        assert_status(first, 0, *APPLY)
        made.reference = made.state(first)
        yield made
    finally:
        server.stop()
        watched.console.close()


BARE = ".policysync/remote.git"
"""Where the bare repository is in each copy, which git resolves from there."""

APPLY = ("apply", "--stage", "dev", "--yes", "--prune", "--on-error", "continue")


def configuration(port: int, parallelism: int, remote: str = "") -> str:
    auth = '{user: robot, password: "${env:ROBOT}"}'
    target = f"{{name: console, backend: aqua, url: 'http://127.0.0.1:{port}', auth: {auth}}}"
    limits = f"{{parallelism: {parallelism}, requests_per_second: 1000}}"
    shared = f"ledger: {{remote: {remote}}}\n" if remote else ""
    return f"version: 1\nstages:\n  - name: dev\n    targets:\n      - {target}\nlimits: {limits}\n{shared}"


def state(repository: PolicyRepository, documents: dict[str, str]) -> None:
    shutil.rmtree(repository.root / "policies", ignore_errors=True)
    for name, text in documents.items():
        repository.write(f"policies/base/{name}.json", text)
    repository.commit("state")


def assert_status(repository: PolicyRepository, status: int, *args: str) -> str:
    """Run a command in this process, where it takes half the time, and return what it printed."""
    out, err = StringIO(), StringIO()
    kept = dict(os.environ)
    os.environ.update(repository.environ)
    try:
        with redirect_stdout(out), redirect_stderr(err):
            ended = run(["-C", str(repository.root), *args])
    finally:
        os.environ.clear()
        os.environ.update(kept)
    assert ended == status, f"{args}: {ended}\n{out.getvalue()}\n{err.getvalue()}"
    return out.getvalue()


def kill_at_request(made: Stand, at: int, when: When, faults: tuple[Fault, ...] = ()) -> bool:
    """Kill an apply at its n-th request, check what the next one makes of it, and say whether it came so far."""
    repository = made.trial(faults)
    made.watched.at, made.watched.when = at, when
    # The first request needs a fresh interpreter first, so the process is known by then.
    process = repository.start(*APPLY)
    made.watched.victim = process.pid
    process.communicate(timeout=600)
    assert_recovers(made, repository)
    return process.returncode == -signal.SIGKILL


def kill_at_git(made: Stand, at: int, when: When) -> bool:
    """Kill an apply around its n-th call of git."""
    repository = made.trial()
    shims, real = repository.root / ".policysync" / "shims", shutil.which("git")
    shims.mkdir(parents=True)
    (shims / "git").write_text(SHIM.replace("GIT ", f"{real} ", 1) if real else "")
    (shims / "git").chmod(0o755)
    (shims / "count").write_text("0\n")
    around = {"KILL_COUNT": str(shims / "count"), "KILL_AT": str(at), "KILL_WHEN": when}
    victim = PolicyRepository(
        repository.root, {**repository.environ, **around, "PATH": f"{shims}:{os.environ['PATH']}"}
    )
    process = victim.start(*APPLY)
    process.communicate(timeout=600)
    assert_recovers(made, repository)
    return process.returncode == -signal.SIGKILL


def kill_at_call(made: Stand, call: str, at: int) -> bool:
    """Kill an apply at the n-th call of the kernel that one of its threads makes; needs strace."""
    repository = made.trial()
    inject = ("-e", f"trace={call}", "-e", f"inject={call}:signal=SIGKILL:when={at}")
    command = ["strace", "-f", "-qq", "-o", "/dev/null", *inject, sys.executable, "-m", "policysync", *APPLY]
    environ = {**os.environ, **repository.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=repository.root, env=environ, capture_output=True, check=False, timeout=600)
    assert_recovers(made, repository)
    return done.returncode == -signal.SIGKILL


def assert_recovers(made: Stand, repository: PolicyRepository) -> None:
    """Apply again, and check that everything is as if nobody had been killed.

    With a shared ledger somebody else does that, on another clone, who knows only what the remote does.
    """
    made.heal()
    if not made.remote:
        assert_status(repository, 0, *APPLY)
        assert_converged(made, repository)
        return
    other = cloned(repository)
    if (holder := ledger_of(other, made.remote).lock("console").holder()) is not None:
        assert_status(other, 3, *APPLY)
        assert str(holder) in assert_status(other, 0, "unlock", "--stage", "dev", "--yes")
    assert_status(other, 0, *APPLY)
    assert_converged(made, other)
    # And the clone that died finds what the other one did.
    assert_converged(made, repository)


def assert_converged(made: Stand, repository: PolicyRepository) -> None:
    """Check that live, the ledger and the lock are as they must be when there is nothing left to do."""
    assert_status(repository, 0, "plan", "--stage", "dev", "--prune", "--detailed-exitcode")
    assert made.state(repository) == made.reference
    twice = {name: count for name, count in made.watched.made.items() if count > 1}
    assert not twice, f"made twice: {twice}"
    ledger = ledger_of(repository, made.remote)
    assert verify(ledger).problems == ()
    assert ledger.unfinished() is None
    assert ledger.unrepaired("console") == {}
    assert ledger.lock("console").holder() is None
    assert "Verified: " in assert_status(repository, 0, "history", "--stage", "dev", "--verify")


def cloned(repository: PolicyRepository) -> PolicyRepository:
    """Return another clone of the remote, with nothing of what the first one keeps to itself."""
    other = PolicyRepository(repository.root / ".policysync" / "other", dict(repository.environ))
    repository.git("clone", "--quiet", BARE, str(other.root))
    return other
