"""The gate `window-open`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.promotion.gates.cases import NOW, case_of

from policysync.documents.gate_settings import GateSettings
from policysync.documents.places import Places, Refusals
from policysync.documents.section import Section
from policysync.documents.window_settings import Windows, windows
from policysync.promotion.case import Verdict
from policysync.promotion.gates.window_open import window_open

OFFICE = "Mon-Thu 08:00-16:00 Europe/Berlin"


def read(value: Any) -> Windows:
    refusals = Refusals("policysync.yaml")
    found = windows(Section({"window-open": value}, "", Places, refusals), "window-open")
    assert refusals.problems == []
    assert found is not None
    return found


def judged(value: Any, now: str) -> Verdict:
    asked = GateSettings(window_open=read(value))
    return window_open(case_of(asked, now=datetime.fromisoformat(now).replace(tzinfo=UTC)))


@pytest.mark.parametrize(
    ("window", "now", "opens"),
    [
        (OFFICE, "2026-11-23 07:00", None),
        (OFFICE, "2026-11-23 14:59:59", None),
        (OFFICE, "2026-11-23 15:00", "2026-11-24 07:00"),
        (OFFICE, "2026-11-23 06:59", "2026-11-23 07:00"),
        (OFFICE, "2026-11-27 12:00", "2026-11-30 07:00"),
        (OFFICE, "2026-07-06 06:00", None),
        ("22:00-02:00 UTC", "2026-11-23 01:00", None),
        ("22:00-02:00 UTC", "2026-11-23 02:00", "2026-11-23 22:00"),
        ("Sun 00:00-24:00 Europe/Berlin", "2026-10-25 22:59", None),
        ("Sun 00:00-24:00 Europe/Berlin", "2026-10-25 23:00", "2026-10-31 23:00"),
        (["Mon 08:00-09:00 UTC", "Mon 11:00-13:00 UTC"], "2026-11-23 10:00", "2026-11-23 11:00"),
        ({"cron": "0 8 1 * *", "for": "2h", "zone": "UTC"}, "2026-11-23 10:00", "2026-12-01 08:00"),
        ({"cron": "30 8 * * MON", "for": "45m", "zone": "UTC"}, "2026-11-23 09:00", None),
    ],
)
def test_a_window_is_open_or_says_when(window: Any, now: str, opens: str | None) -> None:
    verdict = judged(window, now)
    assert verdict.passed is (opens is None), verdict
    assert verdict.could_pass_at == (datetime.fromisoformat(opens).replace(tzinfo=UTC) if opens else None)


def test_a_freeze_closes_an_open_window() -> None:
    freeze = [{"from": "2026-11-23", "to": "2026-11-24", "zone": "UTC", "reason": "audit"}]
    verdict = judged({"open": OFFICE, "freeze": freeze}, "2026-11-23 12:00")
    assert verdict.said == "frozen before 2026-11-25 00:00 UTC: audit"
    assert verdict.could_pass_at == datetime(2026, 11, 25, 7, 0, tzinfo=UTC)
    assert judged({"freeze": freeze}, "2026-11-25 00:00").said == "no freeze"


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 60 * 24 * 400))
def test_it_passes_when_it_says_so_and_at_no_time_before(minutes: int) -> None:
    asked = GateSettings(window_open=read(OFFICE))
    now = NOW + timedelta(minutes=minutes)
    at = window_open(case_of(asked, now=now)).could_pass_at
    if at is not None:
        assert window_open(case_of(asked, now=at)).passed
        assert not window_open(case_of(asked, now=now + (at - now) / 2)).passed
