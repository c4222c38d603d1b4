from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

from policysync.apply.events import Outcome
from policysync.apply.journal import Ending
from policysync.apply.record import Entry, Record, State, dump, entries_of, load
from policysync.plan.change import Action, Change
from policysync.secret import Secret
from policysync.state.resource import Address, Resource

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
WEB = Address("Policy", "web")
RECORD = Record(
    id="20260102T030405Z-abc",
    state=State.INTENT,
    stage="dev",
    target="console",
    by="Ada <ada@example.com>",
    at=AT,
    host="runner",
    revision="abc123",
    digest="d1",
    allowed=("dirty-tree",),
    entries=(Entry(WEB, Action.UPDATE, "a" * 64, "b" * 64), Entry(Address("Policy", "ü\n"), Action.DELETE, "c" * 64)),
)


def test_a_record_survives_being_written_down() -> None:
    ended = RECORD.closed(State.FINISHED, AT, {"update:Policy/web": Ending(Outcome.FAILED, "so", ("/a",))})
    assert load(dump(RECORD)) == RECORD
    assert load(dump(ended), "commit") == ended
    assert load(dump(replace(RECORD, entries=()))).entries == ()


def test_it_is_plain_json_with_a_version() -> None:
    said = json.loads(dump(RECORD))
    assert (said["format_version"], said["plan"], said["ended"]) == (1, "d1", None)
    assert said["changes"][0]["id"] == "update:Policy/web"
    assert len(dump(RECORD).splitlines()) == len(said) + 2 + len(RECORD.entries) + 1


def test_closing_says_how_each_change_ended() -> None:
    closed = RECORD.closed(State.INTERRUPTED, AT, {"update:Policy/web": Ending(Outcome.APPLIED)})
    assert [entry.outcome for entry in closed.entries] == [Outcome.APPLIED, Outcome.UNKNOWN]
    assert (closed.state, closed.ended, closed.addresses) == (State.INTERRUPTED, AT, RECORD.addresses)


def test_digests_are_salted() -> None:
    resource = Resource(WEB, {"password": Secret("canary-record")})
    change = Change(Action.CREATE, WEB, None, resource)
    (one,), (other,) = entries_of([change], "salt-1"), entries_of([change], "salt-2")
    assert one.after != other.after
    assert (one.before, len(one.after)) == ("", 64)
