"""A run that is killed in the middle, as a process of its own, and what the next one makes of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from unit.apply.world import git

from policysync.apply.events import Outcome
from policysync.apply.ledger import Ledger
from policysync.apply.record import State
from policysync.apply.report import Report
from policysync.clock import FakeClock
from policysync.kinds.load import Kinds
from policysync.plan.change import Plan

SCRIPT = textwrap.dedent(
    """
    import os, signal, sys
    from pathlib import Path
    from policysync.apply.events import What
    from policysync.apply.execute import execute
    from policysync.apply.ledger import Ledger
    from policysync.backends.memory import Memory
    from policysync.clock import FakeClock
    from policysync.kinds.load import Kinds
    from unit.apply.world import plan_of, resource, retry_of

    root, schemas, last = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    kinds, clock = Kinds([schemas]), FakeClock()
    memory = Memory(kinds)
    plan = plan_of(kinds, memory, [resource(kinds, "Policy", f"p{n}") for n in range(5)])
    run = Ledger(root, "dev", clock).begin(plan, "d")

    def die(event):
        if event.what is What.ENDED and event.done == last:
            os.kill(os.getpid(), signal.SIGKILL)

    with run.journal() as journal:
        execute(plan, memory, kinds, retry=retry_of(clock), clock=clock, listeners=(journal, die), parallelism=1)
    """
)


def killed(repo: Path, kinds: Kinds, last: int) -> Ledger:
    """Return the ledger of a run that was killed right after the n-th of five creates had ended."""
    here = Path(__file__)
    environ = os.environ | {"PYTHONPATH": f"{here.parents[2]}{os.pathsep}{here.parents[3]}"}
    command = [sys.executable, "-c", SCRIPT, str(repo), str(kinds.folders[0]), str(last)]
    died = subprocess.run(command, env=environ, check=False, capture_output=True)
    assert died.returncode == -signal.SIGKILL, died.stderr
    return Ledger(repo, "dev", FakeClock())


@pytest.mark.parametrize("last", [1, 3, 5])
def test_what_was_applied_is_known(repo: Path, kinds: Kinds, last: int) -> None:
    ledger = killed(repo, kinds, last)
    assert ledger.unfinished() is not None
    assert [address.name for address in ledger.last_applied("console")] == [f"p{n}" for n in range(last)]
    assert git(repo, "for-each-ref", "--format=%(refname)").split() == [ledger.ref]


def test_the_next_run_closes_it_even_when_it_has_nothing_to_do(repo: Path, kinds: Kinds) -> None:
    ledger = killed(repo, kinds, 2)
    ledger.begin(Plan("dev", "console"), "d").finish(Report("console"))
    assert ledger.unfinished() is None
    (record,) = ledger.history()
    assert record.state is State.INTERRUPTED
    assert [entry.outcome for entry in record.entries] == [Outcome.APPLIED] * 2 + [Outcome.UNKNOWN] * 3
    assert [address.name for address in ledger.last_applied("console")] == ["p0", "p1"]
