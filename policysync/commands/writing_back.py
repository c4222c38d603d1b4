"""`policysync adopt --write-back`: what drifted, into the documents that state it."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import click

from policysync.commands.comparing import comparing
from policysync.commands.drifted import WrittenBack, drifted, new_texts
from policysync.commands.options import Selection
from policysync.commands.session import Session
from policysync.documents.catalog import load
from policysync.documents.stage import Staging
from policysync.errors import Exit, PolicySyncError
from policysync.reports.view import path_text

FORMAT_VERSION = 1


def write_drift_back(
    session: Session, stage_name: str, targets: Sequence[str], selection: Selection, *, kinds: Sequence[str], form: str
) -> int:
    """Write live values into the documents of a stage, and say what was left.

    Raises:
        PolicySyncError: the stage has several targets and none was named, or a file cannot be written.
    """
    against = comparing(session, stage_name, None, selection)
    chosen = session.targets(against.stage, targets)
    if len(chosen) > 1:
        names = ", ".join(target.name for target in chosen)
        raise PolicySyncError(
            f"stage {stage_name} has several targets ({names}); say with --target whose values to take"
        )
    catalog = load(against.source, session.project, session.kinds)
    staging = Staging(catalog, session.kinds)
    drafts = {draft.address: draft for draft in staging.drafts(against.stage, staging.names(against.stage))}
    with session.backend(chosen[0]) as backend:
        comparison = against.compare(chosen[0], backend)
    found = drifted(comparison, drafts, frozenset(address for address in drafts if not kinds or address.kind in kinds))
    files = list(new_texts(session.project.root, found.replacements))
    for file, text in files:
        _write(file, text)
    _tell(found, [Path(os.path.relpath(file)).as_posix() for file, _ in files], form)
    return Exit.DONE


def _write(file: Path, text: str) -> None:
    try:
        file.write_bytes(text.encode())
    except OSError as error:
        raise PolicySyncError(f"{file} cannot be written: {error.strerror}") from error


def _tell(found: WrittenBack, files: list[str], form: str) -> None:
    for line in found.left:
        click.echo(f"left: {line}", err=True)
    count = len(found.replacements)
    click.echo(f"wrote {count} value{'' if count == 1 else 's'} back" if count else "nothing to write back", err=True)
    if form == "json":
        values = [
            {"resource": str(one.document), "file": one.document.where.file, "path": path_text(one.path)}
            for one in found.replacements
        ]
        click.echo(json.dumps({"format_version": FORMAT_VERSION, "written": values, "left": found.left}, indent=1))
        return
    for file in files:
        click.echo(file)
