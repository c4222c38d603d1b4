"""`policysync adopt`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from policysync.backends.port import Backend
from policysync.commands.adopting import Adopted, Found, Sound, Writer, in_git, judged, together
from policysync.commands.options import Selection, format_option, stage_option
from policysync.commands.session import Session, open_session
from policysync.commands.writing_back import write_drift_back
from policysync.documents.catalog import load
from policysync.documents.desired import desired_state
from policysync.documents.project import Target
from policysync.documents.suggest import did_you_mean
from policysync.errors import Exit, InvalidInput, PolicySyncError, Refused
from policysync.kinds.kind import Kind
from policysync.state.resource import Address, Resource

FORMAT_VERSION = 1
_KINDS_AT_ONCE = 4
_WILD = frozenset("*?[")


@click.command(short_help="Take live objects into git as files.")
@stage_option
@click.option("--target", "targets", multiple=True, help="Only this target of the stage; may be repeated.")
@click.option("--kind", "kind_names", multiple=True, metavar="KIND", help="Only this kind; may be repeated.")
@click.option("--only", multiple=True, metavar="KIND/NAME", help="Only these; * matches anything.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write below this folder instead.")
@click.option("--full", is_flag=True, help="Say every member, not only what a new object would not get.")
@click.option("--builtins", is_flag=True, help="Also the objects the product ships.")
@click.option("--write-back", is_flag=True, help="Take what drifted into the documents that state it, instead.")
@format_option
def command(
    *,
    stage: str,
    targets: Sequence[str],
    kind_names: Sequence[str],
    only: Sequence[str],
    out: Path | None,
    full: bool,
    builtins: bool,
    write_back: bool,
    form: str,
) -> int:
    """Take live objects that git does not have into git, a file each below policies/base.

    A file says only what a new object would not get by itself, so that a plan is clean at once. Files that are there
    are never overwritten. Secrets are never written: a comment says where one belongs.

    With --write-back, what somebody changed by hand is written into the documents that are there already: into the
    overlay where it states the field, else into the base. Only the values change; comments and layout stay.

    \b
    Example:
      policysync adopt --stage dev
      policysync adopt --stage dev --kind Registry --only 'Label/*' --full
      policysync adopt --stage dev --write-back
    """
    session = open_session()
    if write_back:
        return write_drift_back(session, stage, targets, Selection.of((), only, ()), kinds=kind_names, form=form)
    wish = _Wish(Selection.of((), only, ()), tuple(_known(session, kind_names)), builtins)
    adoption = _adopt(session, stage, targets, wish, out, full=full)
    for document in adoption.sound.documents:
        _write(document)
    _tell(adoption)
    _show(adoption, stage, form)
    return Exit.ERROR if adoption.sound.refused or adoption.unread else Exit.DONE


@dataclass(frozen=True, slots=True)
class _Wish:
    """What was asked for."""

    selection: Selection
    kinds: tuple[str, ...]
    builtins: bool

    def of_target(self, session: Session, target: Target) -> list[Kind]:
        """Return the kinds to read from a target."""
        patterns = [pattern.partition("/")[0] for pattern in self.selection.only]
        literal = [name for name in patterns if not _WILD & set(name)]
        wanted = {*self.kinds, *_known(session, literal)} if len(literal) == len(patterns) else set(self.kinds)
        return [
            kind
            for name, kind in session.kinds.items()
            if kind.backend == target.backend and (name in wanted or not wanted) and _can_adopt(kind)
        ]

    def names(self, kind: Kind) -> frozenset[str] | None:
        """Return the names to read, None for all of them."""
        patterns = [pattern.partition("/") for pattern in self.selection.only]
        if kind.name in self.kinds or not patterns or any(_WILD & {*of, *name} for of, _, name in patterns):
            return None
        return frozenset(name for of, _, name in patterns if of == kind.name)

    def has(self, kind: Kind, resource: Resource) -> bool:
        """Return whether a live resource was asked for. A built-in one has to be named."""
        address = resource.address
        if str(address) in self.selection.only:
            return True
        if kind.builtin(address.name, resource.raw) and not self.builtins:
            return False
        return (kind.name in self.kinds) or (
            self.selection.has(address) and bool(self.selection.only or not self.kinds)
        )


@dataclass
class _Adoption:
    """What came of it."""

    sound: Sound
    found: list[Found]
    elsewhere: list[Address] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def _adopt(
    session: Session, stage_name: str, targets: Sequence[str], wish: _Wish, out: Path | None, *, full: bool
) -> _Adoption:
    stage = session.project.stage(stage_name)
    source = session.source()
    catalog = load(source, session.project, session.kinds)
    desired = desired_state(source, session.project, stage, session.kinds)
    if desired.errors:
        raise InvalidInput(desired.errors)
    known = in_git(catalog, session.kinds, desired.resources)
    adoption = _Adoption(Sound((), {}, {}), [])
    live = [pair for target in session.targets(stage, targets) for pair in _live(session, target, wish, adoption)]
    managed = {resource.address for resource in desired.resources}
    adoption.elsewhere = sorted({r.address for _, r in live if r.address in known and r.address not in managed})
    adoption.absent = sorted(_absent(wish, {str(resource.address) for _, resource in live}))
    adoption.found = together((name, resource) for name, resource in live if resource.address not in known)
    writer = Writer(session.project, stage, out.absolute() if out else None, set(catalog.base))
    documents = [writer.document(session.kinds[f.live.address.kind], f, full=full) for f in adoption.found]
    adoption.sound = judged(documents, source, session.project, stage, session.kinds)
    return adoption


def _live(session: Session, target: Target, wish: _Wish, adoption: _Adoption) -> list[tuple[str, Resource]]:
    """Return what a target holds of what was asked for; a kind it cannot give is noted."""
    found = []
    with session.backend(target) as backend, ThreadPoolExecutor(_KINDS_AT_ONCE) as pool:
        backend.probe()
        jobs = [(kind, pool.submit(_read, backend, kind, wish)) for kind in wish.of_target(session, target)]
        for kind, job in jobs:
            try:
                found += [(target.name, resource) for resource in job.result()]
            except Refused as error:
                saas = kind.schema["x-kind"].get("edition") == "saas" and kind.name not in wish.kinds
                (adoption.notes if saas else adoption.unread).append(f"{target.name}: {kind.name}: {error}")
    return found


def _read(backend: Backend, kind: Kind, wish: _Wish) -> list[Resource]:
    return [resource for resource in backend.read(kind, wish.names(kind)) if wish.has(kind, resource)]


def _can_adopt(kind: Kind) -> bool:
    """Return whether git can hold objects of a kind: it can name them, and policysync can list and write them."""
    named = kind.key and all(kind.root.properties[member].compared for member in kind.key)
    return bool(named and kind.api.get("list") and (kind.api.get("create") or kind.api.get("update")))


def _known(session: Session, names: Sequence[str]) -> Iterator[str]:
    for name in names:
        if name not in session.kinds:
            hint = did_you_mean(name, session.kinds) or "; `policysync kinds` lists them"
            raise PolicySyncError(f"there is no kind {name}{hint}")
        if not _can_adopt(session.kinds[name]):
            raise PolicySyncError(f"objects of kind {name} cannot be adopted: git cannot name them, or not make them")
        yield name


def _absent(wish: _Wish, live: set[str]) -> Iterator[str]:
    for pattern in wish.selection.only:
        if not _WILD & set(pattern) and pattern not in live:
            yield pattern


def _write(document: Adopted) -> None:
    try:
        document.file.parent.mkdir(parents=True, exist_ok=True)
        with document.file.open("x", encoding="utf-8", newline="\n") as file:
            file.write(document.text)
    except OSError as error:
        raise PolicySyncError(f"{document.file} cannot be written: {error.strerror}") from error


def _tell(adoption: _Adoption) -> None:
    for line in _remarks(adoption):
        click.echo(line, err=True)
    count = len(adoption.sound.documents)
    if count:
        click.echo(f"adopted {count} resource{'' if count == 1 else 's'}", err=True)
    elif not adoption.found:
        click.echo("nothing to adopt: git has everything that was asked for", err=True)


def _remarks(adoption: _Adoption) -> Iterator[str]:
    sound = adoption.sound
    yield from (f"not read: {note}" for note in (*adoption.notes, *adoption.unread))
    yield from (f"not there: {name}" for name in adoption.absent)
    yield from (f"left alone: {address} is in git, but not for this stage" for address in adoption.elsewhere)
    for found in adoption.found:
        if found.others:
            others = ", ".join(found.others)
            yield f"differs: {found.live.address} was taken from {found.targets[0]}; {others} has it otherwise"
    yield from (f"refused: {address}: {why}" for address, why in sound.refused.items())
    for address, paths in sound.unclean.items():
        yield f"differs: {address}: git cannot say {', '.join(paths)} as it is; a plan will show it"
    for document in sound.documents:
        if document.secrets:
            yield f"secret, not adopted: {document.live.address}: {', '.join(document.secrets)}"


def _show(adoption: _Adoption, stage: str, form: str) -> None:
    if form == "json":
        click.echo(json.dumps(_document(adoption, stage), indent=1))
        return
    for document in adoption.sound.documents:
        click.echo(_shown(document.file))


def _document(adoption: _Adoption, stage: str) -> dict[str, Any]:
    return {
        "format_version": FORMAT_VERSION,
        "stage": stage,
        "adopted": [
            {"resource": str(d.live.address), "file": _shown(d.file), "secrets": list(d.secrets)}
            for d in adoption.sound.documents
        ],
        "refused": [{"resource": str(a), "why": why} for a, why in adoption.sound.refused.items()],
        "not_read": [*adoption.notes, *adoption.unread],
    }


def _shown(file: Path) -> str:
    return Path(os.path.relpath(file)).as_posix()
