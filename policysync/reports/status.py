"""The table of `policysync status`, for people and for machines."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from policysync.apply.record import Record, State
from policysync.plan.codec import blockage_json
from policysync.reports.standing import Promotable, StageStanding, Standing, Status, Sync, short
from policysync.reports.table import table
from policysync.reports.view import path_text, printable
from policysync.state.resource import Address

FORMAT_VERSION = 1
NOTHING = "-"
HEAD = ("STAGE", "TARGET", "APPLIED", "GIT", "STATE", "SINCE", "BY", "PROMOTABLE")


def text(status: Status) -> str:
    """Return the table, with what needs more words below it."""
    parts = [_table(HEAD, rows(status))]
    if status.resources:
        parts.append(_table(*grid(status)))
    notes = list(remarks(status))
    return "\n\n".join([*parts, *(["\n".join(notes)] if notes else [])])


def _table(head: Sequence[str], body: Iterator[tuple[str, ...]]) -> str:
    return table(head, (tuple(map(printable, row)) for row in body))


def rows(status: Status) -> Iterator[tuple[str, ...]]:
    """Yield a row for each target; a stage without any has one as well."""
    for stage in status.stages:
        for index, one in enumerate(stage.targets or [Standing(NOTHING, problem="no targets")]):
            record = one.record
            yield (
                stage.stage,
                one.target,
                _applied(record) if record else NOTHING,
                _of_git(stage),
                state(stage, one),
                _moment(record.ended or record.at) if record else NOTHING,
                record.by.partition(" <")[0] if record else NOTHING,
                promotable(stage.upstream) if not index else '"',
            )


def state(stage: StageStanding, one: Standing) -> str:
    """Return how a target stands, in a few words."""
    words = []
    if one.problem:
        words.append("unreachable")
    if one.unfinished:
        words.append("unfinished")
    if one.unrepaired:
        words.append(f"partly applied ({len(one.unrepaired)} undone)")
    words += _counts(one)
    if one.guards and one.pending:
        words.append(f"held by {', '.join(one.guards)}")
    if stage.problem:
        words.append("git cannot be read")
    if not stage.released:
        words.append("nothing released")
    elif not words and one.record is None:
        return "nothing applied"
    return ", ".join(words) or ("in sync" if one.live else "as applied")


def _counts(one: Standing) -> Iterator[str]:
    counted = {
        "pending": one.pending,
        "drift": one.drift,
        "blocked": len(one.blocked),
        "accepted": one.count(Sync.ACCEPTED),
    }
    yield from (f"{count} {word}" for word, count in counted.items() if count)


def promotable(upstream: Promotable | None) -> str:
    """Return what could be promoted, and since or from when."""
    if upstream is None or upstream.problem:
        return NOTHING
    if not upstream.resources:
        return f"has all of {upstream.source}"
    found = f"{len(upstream.resources)} from {upstream.source}"
    if upstream.refused:
        could = f", from {_moment(upstream.since)}" if upstream.since else ""
        return f"{found}, held by {', '.join(upstream.refused)}{could}"
    return f"{found}, since {_moment(upstream.since)}" if upstream.since else found


def grid(status: Status) -> tuple[Sequence[str], Iterator[tuple[str, ...]]]:
    """Return head and rows of the resources: one column for each target."""
    columns = [(stage, one) for stage in status.stages for one in stage.targets]
    head = ["RESOURCE", *(f"{stage.stage}/{one.target}" for stage, one in columns)]
    return head, (
        (str(address), *(cell(stage, one, address) for stage, one in columns)) for address in status.addresses
    )


def cell(stage: StageStanding, one: Standing, address: Address) -> str:
    """Return how one resource stands in one target."""
    sync = one.resources.get(address, Sync.UNKNOWN if one.problem else Sync.NOT_THERE)
    words = [sync.value]
    if sync in (Sync.PENDING, Sync.CONFLICT) and one.guards:
        words.append("held")
    if stage.upstream and address in stage.upstream.resources:
        words.append("promotable" if not stage.upstream.refused else "waits for gates")
    return ", ".join(words)


def remarks(status: Status) -> Iterator[str]:
    """Yield what the table has no room for, a sentence a line."""
    for stage in status.stages:
        if stage.problem:
            yield f"{stage.stage}: {printable(stage.problem)}"
        if stage.notice:
            yield f"{stage.stage}: {printable(stage.notice)}"
        for one in stage.targets:
            yield from (f"{stage.stage}/{one.target}: {line}" for line in _remarks_of(one))
        if stage.upstream and stage.upstream.problem and not stage.problem:
            yield f"{stage.stage}: nothing can be promoted: {printable(stage.upstream.problem)}"
        for gate, why in (stage.upstream.refused if stage.upstream else {}).items():
            yield f"{stage.stage}: gate {gate}: {printable(why)}"


def _remarks_of(one: Standing) -> Iterator[str]:
    if one.problem:
        yield printable(one.problem)
    if one.unfinished:
        yield f"apply {one.unfinished.id} by {printable(one.unfinished.by)} began and did not end"
    for address, undone in sorted(one.unrepaired.items()):
        why = f": {printable(undone.message)}" if undone.message else ""
        yield f"{printable(str(address))}: {undone.action} {undone.outcome} in apply {undone.apply}{why}"
    if one.pending:
        yield from (f"guard {name}: {printable(why)}" for name, why in one.guards.items())
    for blockage in one.blocked:
        yield f"{printable(str(blockage.address))}: {printable(str(blockage.hindrance))}"
    for spared in one.spared:
        what = ", ".join(path_text(edit.path) for edit in spared.edits) or "deleted"
        until = f"accepted until {printable(spared.said)} ({printable(spared.reason)})"
        yield f"{printable(str(spared.address))} {what}: {until}"


def as_json(status: Status) -> str:
    """Return every fact as JSON."""
    document = {
        "format_version": FORMAT_VERSION,
        "at": status.at.isoformat(),
        "offline": status.offline,
        "stages": [_stage_json(stage) for stage in status.stages],
    }
    return json.dumps(document, indent=1)


def _stage_json(stage: StageStanding) -> dict[str, Any]:
    return {
        "stage": stage.stage,
        "revision": stage.revision,
        "dirty": stage.dirty,
        "released": stage.released,
        "problem": stage.problem,
        "notice": stage.notice,
        "promotable": _promotable_json(stage.upstream),
        "targets": [_target_json(stage, one) for one in stage.targets],
    }


def _promotable_json(upstream: Promotable | None) -> dict[str, Any] | None:
    if upstream is None:
        return None
    return {
        "from": upstream.source,
        "revision": upstream.revision,
        "resources": [str(address) for address in upstream.resources],
        "refused": dict(upstream.refused),
        "asks": list(upstream.asks),
        "since": upstream.since.isoformat() if upstream.since else None,
        "problem": upstream.problem,
    }


def _target_json(stage: StageStanding, one: Standing) -> dict[str, Any]:
    return {
        "target": one.target,
        "state": state(stage, one),
        "in_sync": one.in_sync,
        "reachable": None if not one.live and not one.problem else not one.problem,
        "problem": one.problem,
        "applied": _record_json(one.record),
        "unfinished": _record_json(one.unfinished),
        "pending": one.pending,
        "drift": one.drift if one.live and not one.problem else None,
        "guards": dict(one.guards),
        "unrepaired": [
            {"resource": str(address), "apply": undone.apply, "action": undone.action, "outcome": undone.outcome}
            | {"message": undone.message}
            for address, undone in sorted(one.unrepaired.items())
        ],
        "blocked": [blockage_json(blockage) for blockage in one.blocked],
        "accepted": [
            {"resource": str(spared.address), "fields": [path_text(edit.path) for edit in spared.edits]}
            | {"until": spared.until.isoformat(), "reason": spared.reason}
            for spared in one.spared
        ],
        "resources": {str(address): sync.value for address, sync in sorted(one.resources.items())},
    }


def _record_json(record: Record | None) -> dict[str, Any] | None:
    if record is None:
        return None
    ended = record.ended.isoformat() if record.ended else None
    about = {"revision": record.revision, "dirty": record.dirty, "at": record.at.isoformat(), "ended": ended}
    return {"id": record.id, **about, "by": record.by, "link": record.link}


def _applied(record: Record) -> str:
    return "adopted" if record.state is State.ADOPTED else short(record.revision) + "*" * record.dirty


def _of_git(stage: StageStanding) -> str:
    return short(stage.revision) + "*" * stage.dirty if stage.revision else NOTHING


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}Z"
