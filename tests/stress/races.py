"""Many applies at once, from clones of one bare remote to one console, each with values of its own."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from pathlib import Path

from acceptance.policy_repository import PolicyRepository, new_repository
from stress.kills import PASSWORD, assert_status, configuration, console_at, document, state

from policysync.apply.ledger import Ledger
from policysync.apply.record import State
from policysync.apply.verify import verify
from policysync.clock import SystemClock
from policysync.emulator.console import Console
from policysync.emulator.exchange import Request, Response
from policysync.emulator.serve import Server

LABELS = 4


@dataclass
class Written:
    """The console behind the server; notes who wrote, which the values tell."""

    console: Console
    by: list[str] = field(default_factory=list)

    def handle(self, request: Request) -> Response:
        if request.method == "PUT":
            self.by.append(request.body.partition(b"runner-")[2][:4].decode())
        return self.console.handle(request)


@dataclass
class Field:
    """Clones that apply to one console."""

    folder: Path
    written: Written
    clones: list[PolicyRepository]
    rounds: int = 0

    def race(self) -> None:
        """Let all of them apply at once, each with a value nobody else has, and check what came of it."""
        self.rounds += 1
        self.written.by.clear()
        for number, clone in enumerate(self.clones):
            state(clone, labels(f"runner-{number:02}{self.rounds:02}"))
        started = [clone.start("apply", "--stage", "dev", "--yes", "--lock-timeout", "600") for clone in self.clones]
        ended = [(process.communicate(timeout=600), process.returncode) for process in started]
        assert [status for _, status in ended] == [0] * len(ended), ended
        self.check()

    def check(self) -> None:
        one_after_another = [who for who, _ in groupby(self.written.by)]
        assert len(one_after_another) == len(set(one_after_another)) == len(self.clones), self.written.by
        ledger = Ledger(self.clones[0].root, "dev", SystemClock(), remote="origin")
        assert verify(ledger).problems == ()
        records = list(ledger.history())
        assert len(records) == 1 + self.rounds * len(self.clones)
        assert all(record.state is State.FINISHED for record in records)
        for later, earlier in pairwise(records):
            assert earlier.ended is not None
            assert earlier.ended <= later.at
        last = {spec["description"] for spec in ledger.last_applied("console").values()}
        assert last == {f"runner-{one_after_another[-1]}"}
        assert ledger.lock("console").holder() is None


def labels(text: str) -> dict[str, str]:
    return {f"label-{n}": document("Label", f"label-{n}", description=text) for n in range(LABELS)}


@contextmanager
def runners(folder: Path, count: int) -> Iterator[Field]:
    """Serve a console and clone one repository `count` times."""
    written = Written(console_at(folder / "console.sqlite"))
    server = Server(written, port=0)
    server.start()
    try:
        subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder / "remote.git")], check=True)
        first = new_repository(folder / "first", ROBOT=PASSWORD)
        first.git("remote", "add", "origin", str(folder / "remote.git"))
        first.write("policysync.yaml", configuration(server.port, 2, "origin"))
        state(first, labels("first"))
        first.git("push", "--quiet", "origin", "main")
        assert_status(first, 0, "apply", "--stage", "dev", "--yes")
        yield Field(folder, written, [clone(folder, number) for number in range(count)])
    finally:
        server.stop()
        written.console.close()


def clone(folder: Path, number: int) -> PolicyRepository:
    root = folder / f"clone-{number}"
    subprocess.run(["git", "clone", "-q", str(folder / "remote.git"), str(root)], check=True)
    return PolicyRepository(root, {"ROBOT": PASSWORD})
