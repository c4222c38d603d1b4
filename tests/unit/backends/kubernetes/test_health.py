"""How an object of a cluster is, by what its status says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from policysync.backends.kubernetes.failures import Missing
from policysync.backends.kubernetes.health import healths
from policysync.backends.kubernetes.settling import settled, wait_until_gone
from policysync.clock import FakeClock
from policysync.errors import OutcomeUnknown

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
HOURLY = "0 * * * *"


def ago(**units: float) -> str:
    return (NOW - timedelta(**units)).strftime("%Y-%m-%dT%H:%M:%SZ")


def condition(kind: str, status: str, since: str = "") -> dict[str, Any]:
    return {"conditions": [{"type": kind, "status": status, "lastTransitionTime": since, "message": "said"}]}


@pytest.mark.parametrize(
    ("status", "schedule", "level", "reason"),
    [
        ({"observedGeneration": 1}, "", "warning", "progressing"),
        (condition("Ready", "True"), "", "ok", ""),
        (condition("Available", "False"), "", "error", "failed"),
        (condition("Stalled", "True", ago(minutes=11)), "", "warning", "degraded"),
        (condition("Reconciling", "True", ago(minutes=9)), "", "unknown", "not-observed"),
        ({"state": "Running"}, "", "ok", ""),
        ({"state": "Update In Progress"}, "", "warning", "progressing"),
        ({"updateTimestamp": ago(minutes=90), "summary": {"failCount": 3, "passCount": 9}}, HOURLY, "ok", ""),
        ({"updateTimestamp": ago(hours=3)}, HOURLY, "warning", "stale"),
        ({"updateTimestamp": ago(days=99)}, "0 0 * okt *", "ok", ""),
        ({}, HOURLY, "unknown", "not-observed"),
        ({}, "0 0 1 1 *", "unknown", "not-yet"),
    ],
)
def test_a_status_is_read(status: dict[str, Any], schedule: str, level: str, reason: str) -> None:
    held = {"metadata": {"generation": 2, "creationTimestamp": ago(days=3)}, "status": status}
    (sign,) = healths(held, schedule, NOW)
    assert (sign.level.value, sign.reason) == (level, reason)


def test_a_controller_is_waited_for() -> None:
    clock = FakeClock()
    seen = iter([1, 1, 2])
    behind = {"metadata": {"generation": 2}, "status": {"observedGeneration": 1}}
    look = lambda: {"metadata": {"generation": 2}, "status": {"observedGeneration": next(seen)}}  # noqa: E731
    assert settled(behind, look, clock, 60) == ""
    assert "has not seen the change after 1 seconds" in settled(behind, lambda: behind, clock, 1)


def test_what_nobody_reports_on_is_done_at_once() -> None:
    assert settled({"metadata": {"generation": 2}}, lambda: pytest.fail("no look"), FakeClock(), 60) == ""
    stalled = {"status": condition("Stalled", "True")}
    assert settled(stalled, lambda: stalled, FakeClock(), 60).startswith("degraded")


def test_an_end_is_waited_for_and_another_object_of_the_name_is_not_it() -> None:
    def gone() -> dict[str, Any]:
        raise Missing("404")

    wait_until_gone(gone, "1", FakeClock(), 60)
    wait_until_gone(lambda: {"metadata": {"uid": "2"}}, "1", FakeClock(), 60)
    held = {"metadata": {"uid": "1", "finalizers": ["aqua/jobs"]}}
    with pytest.raises(OutcomeUnknown, match="still being deleted after 60 seconds; it waits for aqua/jobs"):
        wait_until_gone(lambda: held, "1", FakeClock(), 60)
