"""`policysync adopt`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from policysync.commands.adopting import Adopted
from policysync.commands.adoption import Adopting, Adoption, Options
from policysync.commands.options import format_option, stage_option
from policysync.commands.publishing import Ways
from policysync.commands.remembering import remember
from policysync.commands.selection import Selection
from policysync.commands.session import open_session
from policysync.commands.wish import Wish, known_kinds
from policysync.commands.writing_back import Asked, write_drift_back
from policysync.errors import Exit, PolicySyncError
from policysync.reports.view import path_text, printable

FORMAT_VERSION = 1


@click.command(short_help="Take live objects into git as files.")
@stage_option
@click.option("--target", "targets", multiple=True, help="Only this target of the stage; may be repeated.")
@click.option("--kind", "kind_names", multiple=True, metavar="KIND", help="Only this kind; may be repeated.")
@click.option("--only", multiple=True, metavar="KIND/NAME", help="Only these; * matches anything, [*] a star.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write below this folder instead.")
@click.option("--full", is_flag=True, help="Say every member, not only what a new object would not get.")
@click.option("--builtins", is_flag=True, help="Also the objects the product ships.")
@click.option(
    "--secrets",
    type=click.Choice(["omit", "reference"]),
    default="omit",
    help="Leave secrets out, or refer to environment variables and list them.",
)
@click.option(
    "--overlays/--no-overlays",
    "overlaid",
    default=None,
    help="Write what git says otherwise as overlays of the stage; without either, for every stage but the first.",
)
@click.option("--write-back", is_flag=True, help="Take what drifted into git, instead.")
@click.option(
    "--into",
    type=click.Choice(["overlay", "base"]),
    help="With --write-back: into overlays of the stage, or where it is stated; by default only the first does that.",
)
@click.option("--branch", default="", help="With --write-back: commit to a new branch, beside the work tree.")
@click.option("--commit", is_flag=True, help="With --write-back: commit what was written, and nothing else.")
@click.option("--push", is_flag=True, help="Push that commit as well.")
@click.option("--pull-request", is_flag=True, help="Push it to a branch of its own, and ask for a review.")
@click.option("--base", default="", help="Into which branch the pull request goes; the checked-out one.")
@format_option
def command(
    *,
    stage: str,
    targets: Sequence[str],
    kind_names: Sequence[str],
    only: Sequence[str],
    write_back: bool,
    into: str | None,
    branch: str,
    commit: bool,
    push: bool,
    pull_request: bool,
    base: str,
    form: str,
    **manner: Any,
) -> int:
    """Take live objects that git does not have into git, a file each below policies/base.

    A file says only what a new object would not get by itself, so that a plan is clean at once. Files that are there
    are never overwritten. Secrets are never written: a comment says where one belongs, or with --secrets reference
    the name of an environment variable stands there.

    A second console adopted into the same files gets overlays below policies/stages/STAGE with what it has otherwise,
    and `absent: true` for what it lacks; what only it has goes into policies/base for its targets alone.

    With --write-back, what somebody changed by hand is taken into git, and nothing else. For the first stage it goes
    where it is stated, overlay or base; for a later one into its overlay, so that no other stage gets it. Only values
    change; comments and layout stay. With --pull-request it is offered for review, and the work tree is left alone.

    \b
    Example:
      policysync adopt --stage dev
      policysync adopt --stage nonprod --secrets reference
      policysync adopt --stage dev --kind Registry --only 'Label/*' --full
      policysync adopt --stage dev --write-back
      policysync adopt --stage prod --write-back --only Label/pci --pull-request
    """
    session = open_session()
    selection = Selection.of((), only, ())
    if write_back:
        ways = Ways(commit, push, pull_request, base, branch)
        return write_drift_back(session, stage, Asked(targets, selection, kind_names, form, into or "", ways))
    if into or branch or commit or push or pull_request or base:
        raise click.UsageError("--into, --branch, --commit, --push, --pull-request and --base want --write-back")
    wish = Wish(selection, tuple(known_kinds(session.kinds, kind_names)), manner["builtins"])
    return _adopt(Adopting(session, session.project.stage(stage), targets, Options(**manner)), wish, form)


def _adopt(adopting: Adopting, wish: Wish, form: str) -> Exit:
    adoption, stage = adopting.adopt(wish), adopting.stage.name
    for document in adoption.sound.documents:
        _write(document)
    if adopting.options.out is None:
        remember(adopting.session, stage, adoption)
    _tell(adoption)
    _show(adoption, stage, form)
    return Exit.ERROR if adoption.sound.refused or adoption.seen.unread else Exit.DONE


def _write(document: Adopted) -> None:
    try:
        document.file.parent.mkdir(parents=True, exist_ok=True)
        with document.file.open("x", encoding="utf-8", newline="\n") as file:
            file.write(document.text)
    except OSError as error:
        raise PolicySyncError(f"{document.file} cannot be written: {error.strerror}") from error


def _tell(adoption: Adoption) -> None:
    for line in _remarks(adoption):
        click.echo(printable(line), err=True)
    count = len(adoption.sound.documents)
    if count:
        click.echo(f"adopted {count} resource{'' if count == 1 else 's'}", err=True)
    elif not adoption.found and not adoption.left:
        click.echo("nothing to adopt: git has everything that was asked for", err=True)


def _remarks(adoption: Adoption) -> Iterator[str]:
    sound = adoption.sound
    yield from (f"not read: {note}" for note in (*adoption.seen.not_there, *adoption.seen.notes, *adoption.seen.unread))
    yield from (f"not there: {name}" for name in adoption.absent)
    yield from (f"left alone: {line}" for line in adoption.left)
    for found in adoption.found:
        if found.others:
            others = ", ".join(found.others)
            yield f"differs: {found.live.address} was taken from {found.targets[0]}; {others} has it otherwise"
    yield from (f"refused: {address}: {why}" for address, why in sound.refused.items())
    for address, paths in sound.unclean.items():
        yield f"differs: {address}: git cannot say {', '.join(paths)} as it is; a plan will show it"
    for document in sound.documents:
        if document.secrets:
            yield f"secret, not adopted: {document.address}: {', '.join(document.secrets)}"
    for document in sound.documents:
        for path, variable in document.supplied:
            yield f"secret to supply: {variable} for {document.address} {path_text(path)}"


def _show(adoption: Adoption, stage: str, form: str) -> None:
    if form == "json":
        click.echo(json.dumps(_document(adoption, stage), indent=1))
        return
    for document in adoption.sound.documents:
        click.echo(_shown(document.file))


def _document(adoption: Adoption, stage: str) -> dict[str, Any]:
    return {
        "format_version": FORMAT_VERSION,
        "stage": stage,
        "adopted": [
            {"resource": str(d.address), "file": _shown(d.file), "secrets": list(d.secrets)}
            for d in adoption.sound.documents
        ],
        "refused": [{"resource": str(a), "why": why} for a, why in adoption.sound.refused.items()],
        "supply": [
            {"variable": variable, "resource": str(d.address), "path": path_text(path), "file": _shown(d.file)}
            for d in adoption.sound.documents
            for path, variable in d.supplied
        ],
        "left": adoption.left,
        "not_read": [*adoption.seen.not_there, *adoption.seen.notes, *adoption.seen.unread],
    }


def _shown(file: Path) -> str:
    return Path(os.path.relpath(file)).as_posix()
