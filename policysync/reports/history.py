"""What the ledger says, for people and for machines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from policysync.apply.record import Record, State
from policysync.apply.report import GOOD
from policysync.apply.undone import Undone
from policysync.apply.verify import Verified
from policysync.documents.pin import short_release
from policysync.reports.view import SYMBOLS, printable
from policysync.state.resource import Address

FORMAT_VERSION = 1

_LISTED = 10
_SEEN = "%Y-%m-%d %H:%M:%SZ"


@dataclass(frozen=True, slots=True)
class Attested:
    """One signed statement about an apply. `signers` are those who are trusted and signed it."""

    file: str
    apply: str = ""
    target: str = ""
    signers: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """What is shown of a stage's ledger.

    Attributes:
        records: the applies, the newest first.
        unrepaired: what applies left undone, by target.
        holders: who holds the lock of a target, in words; only targets that are locked.
        verified: None when nobody asked.
        attested: the signed statements somebody asked about.
    """

    stage: str
    records: Sequence[Record] = ()
    unrepaired: Mapping[str, Mapping[Address, Undone]] = field(default_factory=dict)
    holders: Mapping[str, str] = field(default_factory=dict)
    verified: Verified | None = None
    attested: Sequence[Attested] = ()


def history_text(history: History) -> str:
    """Return the applies as text, the newest first; what is wrong stands at the end, where it is seen."""
    blocks = ["\n".join(apply_lines(record, history)) for record in history.records]
    closing = closing_lines(history)
    return "\n\n".join([*blocks, "\n".join(closing)] if closing else blocks)


def closing_lines(history: History) -> list[str]:
    """Return what is wrong, and whether the ledger is proven."""
    return [*_unrepaired(history), *_verified(history.verified), *_attested(history.attested)]


def as_json(history: History) -> str:
    """Return the same as JSON."""
    return json.dumps(history_json(history), indent=1)


def history_json(history: History) -> dict[str, Any]:
    """Return the same as JSON data."""
    said: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "stage": history.stage,
        "applies": [_apply_json(record, history) for record in history.records],
        "unrepaired": [
            {"target": target, "resource": str(address), "apply": undone.apply, "action": undone.action.value}
            | {"outcome": undone.outcome.value, "message": undone.message}
            for target, marks in history.unrepaired.items()
            for address, undone in sorted(marks.items())
        ],
    }
    if history.verified is not None:
        found = history.verified
        said["verified"] = {"tip": found.tip, "commits": found.commits, "signed": found.signed} | {
            "problems": list(found.problems)
        }
    if history.attested:
        said["attestations"] = [
            {"file": one.file, "apply": one.apply, "target": one.target}
            | {"signers": list(one.signers), "problems": list(one.problems)}
            for one in history.attested
        ]
    return said


def apply_lines(record: Record, history: History) -> Iterator[str]:
    """Yield what is said of one apply."""
    yield f"{record.id} · {record.target} · {record.at.strftime(_SEEN)} · {_state(record, history)}"
    host = f" on {record.host}" if record.host else ""
    yield printable(f"  by {record.by}{host}")
    if record.state is not State.ADOPTED:
        dirty = ", work tree not committed" if record.dirty else ""
        yield f"  revision {short_release(record.revision) or 'none'}{dirty} · plan {record.digest[:12]}"
    if record.occasion:
        yield f"  {printable(record.occasion)}"
    if record.allowed:
        yield f"  lifted guards: {', '.join(record.allowed)}"
    if record.link:
        yield printable(f"  run: {record.link}")
    good = [entry for entry in record.entries if entry.outcome in GOOD]
    for entry in good[:_LISTED]:
        yield printable(f"  {SYMBOLS[entry.action]} {entry.address}")
    if len(good) > _LISTED:
        yield f"  and {len(good) - _LISTED} more; --format json has all"
    bad = [entry for entry in record.entries if entry.outcome is not None and entry.outcome not in GOOD]
    for entry in bad[:_LISTED]:
        yield printable(f"  ! {entry.outcome}: {entry.id}: {entry.message}")
    if len(bad) > _LISTED:
        yield f"  ! and {len(bad) - _LISTED} more; --format json has all"


def _state(record: Record, history: History) -> str:
    if record.state is State.INTENT:
        holder = history.holders.get(record.target)
        still = f"still running, or died with the lock, which is held by {holder}" if holder else "it died"
        return printable(f"UNFINISHED: {len(record.entries)} changes begun, {still}; the next apply completes it")
    if record.state is State.ADOPTED:
        return f"adopted; {len(record.taken)} taken into git"
    if record.state is State.SETTLED:
        return f"in sync; {len(record.settled)} found so, {len(record.gone)} gone"
    counts = ", ".join(f"{count} {outcome}" for outcome, count in _counts(record).items()) or "nothing changed"
    died = "died; " if record.state is State.INTERRUPTED else ""
    if all(entry.outcome in GOOD for entry in record.entries):
        return f"{died}{counts}"
    return f"PARTLY APPLIED: {died}{counts}{'' if _left_by(record, history) else '; repaired since'}"


def _left_by(record: Record, history: History) -> list[Address]:
    marks = history.unrepaired.get(record.target, {})
    return sorted(address for address, undone in marks.items() if undone.apply == record.id)


def _counts(record: Record) -> dict[str, int]:
    counted = Counter(entry.outcome.value for entry in record.entries if entry.outcome is not None)
    return dict(sorted(counted.items()))


def _unrepaired(history: History) -> Iterator[str]:
    for target, marks in history.unrepaired.items():
        if marks:
            some = ", ".join(str(address) for address in sorted(marks)[:_LISTED])
            more = f" and {len(marks) - _LISTED} more" if len(marks) > _LISTED else ""
            yield printable(
                f"{target} is partly applied: {len(marks)} not in order: {some}{more}; "
                f"run `policysync apply --stage {history.stage}` again"
            )


def _attested(found: Iterable[Attested]) -> Iterator[str]:
    for one in found:
        about = f"{one.file}: {one.apply or 'attestation'}{f' to {one.target}' if one.target else ''}"
        if one.problems:
            yield printable(f"Not attested: {about}: {'; '.join(one.problems)}")
        else:
            yield printable(f"Attested: {about}, signed by {', '.join(one.signers)}; the ledger says the same.")


def _verified(found: Verified | None) -> Iterable[str]:
    if found is None:
        return []
    if found.problems:
        lines = [printable(f"  {problem}") for problem in found.problems[: 2 * _LISTED]]
        if len(found.problems) > len(lines):
            lines.append(f"  and {len(found.problems) - len(lines)} more; --format json has all")
        many = "problem" if len(found.problems) == 1 else "problems"
        return [f"Not proven: {len(found.problems)} {many} in {found.commits} commits", *lines]
    if not found.commits:
        return ["Verified: the ledger is empty."]
    return [f"Verified: {found.commits} commits, {found.signed} of them signed, unbroken up to {found.tip[:12]}."]


def _apply_json(record: Record, history: History) -> dict[str, Any]:
    return {
        "id": record.id,
        "state": record.state.value,
        "target": record.target,
        "by": record.by,
        "host": record.host,
        "at": record.at.isoformat(),
        "ended": record.ended.isoformat() if record.ended else None,
        "revision": record.revision,
        "dirty": record.dirty,
        "plan": record.digest,
        "identity": record.identity,
        "occasion": record.occasion,
        "lifted_guards": list(record.allowed),
        "run": record.link,
        "commit": record.commit,
        "outcomes": _counts(record),
        "unrepaired": [str(address) for address in _left_by(record, history)],
        "changes": [
            {"id": entry.id, "before": entry.before, "after": entry.after}
            | {"outcome": entry.outcome.value if entry.outcome else None, "message": entry.message}
            for entry in record.entries
        ],
        "settled": [str(address) for address in record.settled],
        "gone": [str(address) for address in record.gone],
        "taken": [str(address) for address in record.taken],
    }
