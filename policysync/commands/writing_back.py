"""`policysync adopt --write-back`: what drifted, into the documents that state it or into overlays of its stage."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from policysync.commands.comparing import Comparison, comparing
from policysync.commands.drifted import WrittenBack, drifted, new_texts
from policysync.commands.landing import Overlays
from policysync.commands.publishing import Published, Ways, publish_files
from policysync.commands.selection import Selection
from policysync.commands.session import Session
from policysync.documents.catalog import load
from policysync.documents.project import Stage
from policysync.documents.source import Source
from policysync.documents.stage import Staging
from policysync.errors import Exit, PolicySyncError
from policysync.plan.change import Edit
from policysync.reports.view import path_text, printable, row
from policysync.state.resource import Address

FORMAT_VERSION = 1
_LISTED = 100
_NEXT = (
    "{stage} follows releases/{stage}.yaml: promote a revision with this to it, "
    "or the next `policysync apply --stage {stage}` takes it away again"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for. `into` is "overlay" or "base"; empty for what fits the stage."""

    targets: Sequence[str]
    selection: Selection
    kinds: Sequence[str]
    form: str
    into: str
    ways: Ways


def write_drift_back(session: Session, stage_name: str, asked: Asked) -> int:
    """Write live values into the documents of a stage, and say what was left.

    Raises:
        PolicySyncError: the stage has several targets and none was named, or a file cannot be written.
    """
    against = comparing(session, stage_name, None, asked.selection)
    chosen = session.targets(against.stage, asked.targets)
    if len(chosen) > 1:
        names = ", ".join(target.name for target in chosen)
        raise PolicySyncError(
            f"stage {stage_name} has several targets ({names}); say with --target whose values to take"
        )
    with session.backend(chosen[0]) as backend:
        comparison = against.compare(chosen[0], backend)
    # A commit beside the work tree holds nothing of what somebody else began there.
    source = session.source("HEAD" if asked.ways.beside else None)
    found, texts = _taken(session, against.stage, source, comparison, asked)
    message = "\n".join(_message(stage_name, found))
    branch = f"policysync/by-hand-{stage_name}-{hashlib.sha256(message.encode()).hexdigest()[:10]}"
    done = _published(session, texts, asked.ways, message, branch) if texts else Published()
    _tell(session, found, sorted(texts), done, asked.form)
    if texts and not against.stage.first:
        click.echo(_NEXT.format(stage=stage_name), err=True)
    return Exit.DONE


def _taken(
    session: Session, stage: Stage, source: Source, comparison: Comparison, asked: Asked
) -> tuple[WrittenBack, dict[str, str]]:
    """Return what is written and left, and the new text of each file."""
    staging = Staging(load(source, session.project, session.kinds), session.kinds)
    drafts = {draft.address: draft for draft in staging.resources(stage, staging.names(stage))}
    wanted = frozenset(address for address in drafts if not asked.kinds or address.kind in asked.kinds)
    if asked.into == "overlay" or (not asked.into and not stage.first):
        overlays = Overlays(session.project, stage, source, drafts)
        return overlays.take(comparison, wanted), overlays.texts
    found = drifted(comparison, drafts, wanted)
    return found, dict(new_texts(source, found.replacements))


def _published(session: Session, texts: dict[str, str], ways: Ways, message: str, branch: str) -> Published:
    try:
        return publish_files(session, texts, ways, message, branch)
    except OSError as error:
        raise PolicySyncError(f"{error.filename} cannot be written: {error.strerror}") from error


def _message(stage: str, found: WrittenBack) -> Iterator[str]:
    yield f"take what was changed by hand in {stage} into git"
    yield ""
    for address, _, edit in found.written[:_LISTED]:
        told = row(edit.flipped())
        yield f"- {printable(str(address))} {told.path}: {told.values}"
    if len(found.written) > _LISTED:
        yield f"- showing {_LISTED} of {len(found.written)}"


def _tell(session: Session, found: WrittenBack, files: list[str], done: Published, form: str) -> None:
    for line in found.left:
        click.echo(f"left: {printable(line)}", err=True)
    count = len(found.written)
    click.echo(f"wrote {count} value{'' if count == 1 else 's'} back" if count else "nothing to write back", err=True)
    if done.branch:
        click.echo(f"on branch {done.branch}", err=True)
    if form == "json":
        click.echo(json.dumps(_document(found, done), indent=1))
        return
    for file in files:
        click.echo(file if done.commit else Path(os.path.relpath(session.project.root / file)).as_posix())
    if done.pull_request:
        click.echo(done.pull_request)


def _document(found: WrittenBack, done: Published) -> dict[str, Any]:
    return {
        "format_version": FORMAT_VERSION,
        "written": [_written(*one) for one in found.written],
        "left": found.left,
        "commit": done.commit,
        "branch": done.branch,
        "pull_request": done.pull_request,
    }


def _written(address: Address, file: str, edit: Edit) -> dict[str, str]:
    return {"resource": str(address), "file": file, "path": path_text(edit.path)}
