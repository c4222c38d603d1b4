"""How an apply ended, for people and for machines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from policysync.apply.events import Outcome
from policysync.apply.report import GOOD, Report

FORMAT_VERSION = 1

_WORDS = {
    Outcome.APPLIED: "applied",
    Outcome.UNCHANGED: "already so",
    Outcome.FAILED: "failed",
    Outcome.UNKNOWN: "of unknown outcome",
    Outcome.SKIPPED: "skipped",
}


def outcome_text(report: Report) -> str:
    """Return what went wrong, a change a line, and the line that counts."""
    lines = [
        f"  {done.outcome.value}: {done.change.id}: {done.message}{_fields(done.fields)}"
        for done in report.outcomes
        if done.outcome not in GOOD
    ]
    return "\n".join([*lines, f"Apply to {report.target}: {', '.join(_counts(report)) or 'nothing to do'}."])


def outcome_json(report: Report, apply_id: str) -> dict[str, Any]:
    """Return how an apply ended as JSON data."""
    return {
        "format_version": FORMAT_VERSION,
        "apply_id": apply_id,
        "target": report.target,
        "status": int(report.status),
        "interrupted": report.interrupted,
        "changes": [
            {
                "id": done.change.id,
                "outcome": done.outcome.value,
                "message": done.message,
                "fields": list(done.fields),
            }
            for done in report.outcomes
        ],
    }


def _counts(report: Report) -> Iterator[str]:
    for outcome, word in _WORDS.items():
        if count := report.count(outcome):
            yield f"{count} {word}"


def _fields(fields: tuple[str, ...]) -> str:
    return f" ({', '.join(fields)})" if fields else ""
