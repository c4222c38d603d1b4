"""How an apply ended, for people and for machines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

from policysync.apply.events import Outcome
from policysync.apply.report import GOOD, Report
from policysync.plan.codec import blockage_json
from policysync.reports.view import printable

FORMAT_VERSION = 2

_WORDS = {
    Outcome.APPLIED: "applied",
    Outcome.UNCHANGED: "already so",
    Outcome.FAILED: "failed",
    Outcome.UNKNOWN: "of unknown outcome",
    Outcome.SKIPPED: "skipped",
    Outcome.WAITING: "waiting for a person",
}


class Ended(NamedTuple):
    """How the apply called `id` ended."""

    report: Report
    id: str


class Applied(NamedTuple):
    """How the applies to the targets of a stage ended, in their order."""

    stage: str
    ended: tuple[Ended, ...]


def text(view: Applied) -> str:
    """Return what went wrong, a change a line, and the line that counts, for each target."""
    return "\n".join(outcome_text(ended.report) for ended in view.ended)


def as_json(view: Applied) -> str:
    """Return how each apply ended, as one JSON document."""
    applies = [outcome_json(ended.report, ended.id) for ended in view.ended]
    return json.dumps({"format_version": FORMAT_VERSION, "stage": view.stage, "applies": applies}, indent=1)


def outcome_text(report: Report) -> str:
    """Return what went wrong, a change a line, and the line that counts."""
    return "\n".join([*outcome_lines(report), outcome_counts(report)])


def outcome_lines(report: Report) -> list[str]:
    """Return what is not in order, a change a line."""
    lines = [
        f"  {done.outcome.value}: {done.change.id}: {done.message}{_fields(done.fields)}"
        for done in report.outcomes
        if done.outcome not in GOOD
    ]
    return [*lines, *(f"  {printable(str(b.address))}: {printable(str(b.hindrance))}" for b in report.blocked)]


def outcome_counts(report: Report) -> str:
    """Return the line that counts."""
    return f"Apply to {report.target}: {', '.join(_counts(report)) or 'nothing to do'}."


def outcome_json(report: Report, apply_id: str) -> dict[str, Any]:
    """Return how an apply ended as JSON data."""
    return {
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
        "blocked": [blockage_json(blockage) for blockage in report.blocked],
    }


def _counts(report: Report) -> Iterator[str]:
    for outcome, word in _WORDS.items():
        if count := report.count(outcome):
            yield f"{count} {word}"
    if report.blocked:
        yield f"{len(report.blocked)} blocked"


def _fields(fields: tuple[str, ...]) -> str:
    return f" ({', '.join(fields)})" if fields else ""
