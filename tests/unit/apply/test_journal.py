from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from policysync.apply.events import Event, Outcome, What
from policysync.apply.journal import Ending, Journal, endings, prune, runs_folder
from policysync.clock import FakeClock
from policysync.plan.change import Action
from policysync.state.resource import Address

WEB = Address("Policy", "web\u2028/1")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return runs_folder(tmp_path) / "20260101T000000Z-abc.jsonl"


def ended(name: str = WEB.name, outcome: Outcome = Outcome.APPLIED, fields: tuple[str, ...] = ()) -> Event:
    address = Address("Policy", name)
    at = FakeClock().now()
    return Event(at, What.ENDED, "console", address, Action.UPDATE, outcome, "so", done=1, total=2, fields=fields)


def test_a_line_for_every_event(file: Path) -> None:
    with Journal(file) as journal:
        journal(Event(FakeClock().now(), What.STARTED, "console", total=2))
        journal(ended(fields=("/level",)))
    first, second = (json.loads(line) for line in file.read_text().splitlines())
    assert (first["what"], first["total"]) == ("started", 2)
    assert second == {
        "at": "2026-01-01T00:00:00+00:00",
        "what": "ended",
        "target": "console",
        "kind": "Policy",
        "name": WEB.name,
        "action": "update",
        "outcome": "applied",
        "message": "so",
        "fields": ["/level"],
        "done": 1,
        "total": 2,
    }


def test_an_ending_is_on_disk_before_the_journal_is_closed(file: Path) -> None:
    with Journal(file) as journal:
        journal(ended())
        assert endings(file) == {f"update:{WEB}": Ending(Outcome.APPLIED, "so")}


FULL = Path("/dev/full")
"""Opens like any file, and holds nothing."""


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")
def test_where_nothing_can_be_written_nothing_is_begun() -> None:
    stop = threading.Event()
    with Journal(FULL, stop) as journal:
        assert not stop.is_set()
        journal(Event(FakeClock().now(), What.STARTED, "console", total=2))
        assert stop.is_set()
        journal(ended())
    assert journal.problem == "the journal /dev/full cannot be written: No space left on device"


def test_a_folder_that_cannot_be_made_is_a_journal_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "runs").write_text("a file")
    stop = threading.Event()
    with Journal(tmp_path / "runs" / "one.jsonl", stop) as journal:
        journal(ended())
    assert stop.is_set()
    assert "cannot be written" in journal.problem


def test_no_journal_knows_nothing(file: Path) -> None:
    assert endings(file) == {}


@pytest.mark.parametrize("kept", range(1, 60, 7))
def test_a_torn_last_line_is_left_out(file: Path, kept: int) -> None:
    with Journal(file) as journal:
        journal(ended("a"))
    whole = file.stat().st_size
    with Journal(file) as journal:
        journal(ended("b"))
    with file.open("r+b") as torn:
        torn.truncate(whole + kept)
    assert set(endings(file)) == {"update:Policy/a"}


def test_the_folder_is_hidden_from_git(file: Path) -> None:
    Journal(file).close()
    assert (file.parent.parent / ".gitignore").read_text() == "*\n"


def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    for day in range(1, 10):
        (tmp_path / f"2026010{day}T000000Z-aaa.jsonl").touch()
    (tmp_path / "notes.txt").touch()
    prune(tmp_path, keep=2)
    assert sorted(file.name[:8] for file in tmp_path.iterdir()) == ["20260108", "20260109", "notes.tx"]
