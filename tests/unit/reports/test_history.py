from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from policysync.apply.events import Outcome
from policysync.apply.record import Entry, Record, State
from policysync.apply.undone import Undone
from policysync.apply.verify import Verified
from policysync.plan.change import Action
from policysync.reports.history import History, history_json, history_text
from policysync.state.resource import Address

WEB = Address("Policy", "web")
AT = datetime(2026, 1, 1, tzinfo=UTC)
RECORD = Record("20260101T000000Z-aaaaaa", State.FINISHED, "dev", "console", "Ada <a@example.com>", AT, AT, "host")


def ended(*outcomes: Outcome) -> Record:
    entries = (Entry(Address("Policy", f"p{n}"), Action.CREATE, "", "d", o, "why") for n, o in enumerate(outcomes))
    return replace(RECORD, entries=tuple(entries))


def test_nothing_to_show() -> None:
    assert history_text(History("dev")) == ""
    assert history_json(History("dev")) == {"format_version": 1, "stage": "dev", "applies": [], "unrepaired": []}


def test_counts_what_happened() -> None:
    text = history_text(History("dev", [ended(Outcome.APPLIED, Outcome.UNCHANGED, Outcome.APPLIED)]))
    assert text.splitlines()[0] == f"{RECORD.id} · console · 2026-01-01 00:00:00Z · 2 applied, 1 unchanged"


def test_a_partial_apply_is_said_until_it_is_repaired() -> None:
    partial = ended(Outcome.APPLIED, *[Outcome.FAILED] * 12)
    undone = {WEB: Undone(RECORD.id, Action.CREATE, Outcome.FAILED, "why")}
    open_ = history_text(History("dev", [partial], {"console": undone}))
    assert "PARTLY APPLIED: 1 applied, 12 failed\n" in open_
    assert "  ! failed: create:Policy/p1: why" in open_
    assert "  ! and 2 more; --format json has all" in open_
    assert open_.endswith(
        "console is partly applied: 1 not in order: Policy/web; run `policysync apply --stage dev` again"
    )
    assert "12 failed; repaired since" in history_text(History("dev", [partial], {"console": {}}))


def test_an_unfinished_apply() -> None:
    begun = replace(ended(Outcome.APPLIED), state=State.INTENT)
    assert "UNFINISHED: 1 changes begun, it died" in history_text(History("dev", [begun]))
    assert "held by Ada" in history_text(History("dev", [begun], holders={"console": "Ada"}))


def test_what_was_found_in_sync() -> None:
    settled = replace(RECORD, state=State.SETTLED, settled=(WEB,))
    assert "in sync; 1 found so, 0 gone" in history_text(History("dev", [settled]))


def test_what_was_done_is_listed_as_far_as_there_is_room() -> None:
    lines = history_text(History("dev", [ended(*[Outcome.APPLIED] * 12)])).splitlines()
    assert lines[3:] == [*(f"  + Policy/p{n}" for n in range(10)), "  and 2 more; --format json has all"]


def test_an_adoption_has_neither_revision_nor_plan() -> None:
    adopted = replace(RECORD, state=State.ADOPTED, taken=(WEB,))
    assert "revision" not in history_text(History("dev", [adopted]))


def test_terminal_codes_in_a_message_are_not_sent_to_the_terminal() -> None:
    evil = replace(RECORD, by="\x1b]0;evil\x07", link="https://x/\x1b[2J")
    assert "\x1b" not in history_text(History("dev", [evil]))


def test_proof() -> None:
    assert history_text(History("dev", verified=Verified("c" * 40, 4, 2))) == (
        f"Verified: 4 commits, 2 of them signed, unbroken up to {'c' * 12}."
    )
    assert history_text(History("dev", verified=Verified())) == "Verified: the ledger is empty."
    assert "1 problem in 4 commits" in history_text(History("dev", verified=Verified("c" * 40, 4, 2, ("it",))))
    broken = Verified("c" * 40, 4, 2, tuple(f"problem {n}" for n in range(25)))
    text = history_text(History("dev", verified=broken))
    assert text.startswith("Not proven: 25 problems in 4 commits\n  problem 0\n")
    assert text.endswith("  and 5 more; --format json has all")
    assert len(history_json(History("dev", verified=broken))["verified"]["problems"]) == 25
