from __future__ import annotations

from pathlib import Path

from unit.apply.world import resource

from policysync.apply.events import Event, What
from policysync.apply.ledger import Ledger
from policysync.apply.no_ledger import NoLedger, open_ledger
from policysync.apply.report import Report
from policysync.clock import FakeClock
from policysync.kinds.load import Kinds
from policysync.plan.change import Action, Change, Plan


def test_outside_git_nothing_is_remembered(tmp_path: Path, clock: FakeClock, kinds: Kinds) -> None:
    ledger = open_ledger(tmp_path, "dev", clock)
    assert isinstance(ledger, NoLedger)
    web = resource(kinds, "Policy", "web")
    plan = Plan("dev", "console", waves=((Change(Action.CREATE, web.address, None, web),),))
    run = ledger.begin(plan, "d", allowed=["dirty-tree"])
    assert run.finish(Report("console"), settled=[web]) is None
    assert (ledger.last_applied("console"), ledger.remembered("console").protected) == ({}, frozenset())
    assert (list(ledger.history()), ledger.unfinished()) == ([], None)
    assert "not in a git repository" in ledger.notice


def test_it_still_keeps_a_journal(tmp_path: Path, clock: FakeClock) -> None:
    run = NoLedger(tmp_path, "dev", clock).begin(Plan("dev", "console"), "d")
    with run.journal() as journal:
        assert journal.file.parent == tmp_path / ".policysync" / "runs"


def test_inside_git_it_is_the_ledger(repo: Path, clock: FakeClock) -> None:
    ledger = open_ledger(repo, "dev", clock)
    assert isinstance(ledger, Ledger)
    assert not ledger.notice


def test_there_is_nothing_to_lock(tmp_path: Path, clock: FakeClock) -> None:
    ledger = NoLedger(tmp_path, "dev", clock)
    with ledger.lock("console"), ledger.lock("console") as lock:
        lock(Event(clock.now(), What.STARTED, "console"))
    assert ledger.lock("console").take_away() is None  # type: ignore[func-returns-value]  # the point of the test
