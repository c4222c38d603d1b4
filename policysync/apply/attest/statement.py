"""What the ledger says of one apply, as an in-toto Statement. Pure; the same record always gives the same statement.

Subjects are the resources that are as git states them now, by the sha256 of their canonical form, in which a secret
stands as its salted digest; and the plan, so that there always is one. Messages are left out: they may quote others.

Source: in-toto attestation framework, Statement v1 and DigestSet.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policysync.apply.record import Record
from policysync.apply.report import GOOD
from policysync.plan.change import Action

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "urn:policysync:attestation:apply:v1"
PAYLOAD = "application/vnd.in-toto+json"


def statement_of(record: Record, release: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the statement about an apply; `release` is the evidence of the pin it followed, where there is any."""
    return {
        "_type": STATEMENT,
        "subject": [*_subjects(record)],
        "predicateType": PREDICATE,
        "predicate": {
            "apply": record.id,
            "stage": record.stage,
            "target": record.target,
            "console": record.identity,
            "revision": record.revision,
            "dirty": record.dirty,
            "plan": {"sha256": record.digest},
            "by": record.by,
            "host": record.host,
            "run": record.link,
            "occasion": record.occasion,
            "startedOn": record.at.isoformat(),
            "finishedOn": record.ended.isoformat() if record.ended else None,
            "liftedGuards": list(record.allowed),
            "changes": [*_changes(record)],
            "ledger": {"gitCommit": record.commit},
            "release": dict(release) if release else None,
        },
    }


def disagreements(statement: Any, record: Record) -> Iterator[str]:
    """Yield where a statement says otherwise than the ledger. The evidence of a release is not in the ledger."""
    predicate = statement.get("predicate") if isinstance(statement, Mapping) else None
    if not isinstance(predicate, Mapping):
        yield "it has no predicate"
        return
    release = predicate.get("release")
    ours = statement_of(record, release if isinstance(release, Mapping) else None)
    for name in sorted({*ours, *statement} - {"predicate"}):
        if statement.get(name) != ours.get(name):
            yield f"/{name} is not what the ledger says"
    for name in sorted({*ours["predicate"], *predicate}):
        if predicate.get(name) != ours["predicate"].get(name):
            yield f"/predicate/{name} is not what the ledger says"


def _subjects(record: Record) -> Iterator[dict[str, Any]]:
    yield {"name": f"{record.target}/plan", "digest": {"sha256": record.digest}}
    for entry in record.entries:
        if entry.outcome in GOOD and entry.action is not Action.DELETE:
            yield {"name": f"{record.target}/{entry.address}", "digest": {"sha256": entry.after}}


def _changes(record: Record) -> Iterator[dict[str, Any]]:
    for entry in record.entries:
        yield {
            "id": entry.id,
            "before": {"sha256": entry.before} if entry.before else None,
            "after": {"sha256": entry.after} if entry.after else None,
            "outcome": entry.outcome.value if entry.outcome else None,
        }
