"""`policysync render`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import click

from policysync.commands.options import format_option
from policysync.commands.selection import Selection
from policysync.commands.session import Session, open_session
from policysync.documents.desired import desired_state
from policysync.documents.project import Stage
from policysync.errors import InvalidInput, PolicySyncError
from policysync.render.artefact import Artefact
from policysync.render.crds import crds
from policysync.render.listed import RENDERERS
from policysync.state.resource import Address

FORMAT_VERSION = 1
_CRDS = "crds"


@dataclass(frozen=True, slots=True)
class Rendered:
    """One artefact of one resource; `folder` is where it stands below the folder that is written to."""

    stage: str
    address: Address | None
    artefact: Artefact
    folder: str

    @property
    def path(self) -> str:
        """The path of the file, with slashes."""
        return f"{self.folder}/{self.artefact.name}" if self.folder else self.artefact.name


@click.command(name="render", short_help="Write connectors as the vendors' artefacts.")
@click.argument("what", nargs=-1, metavar="[KIND/NAME]...")
@click.option("--stage", "-s", help="Only this stage, as policysync.yaml names it; all of them by default.")
@click.option("--revision", help="Read the documents from this git revision instead of the work tree.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), help="Write files here instead of on stdout.")
@format_option
def command(what: tuple[str, ...], stage: str | None, revision: str | None, out: Path | None, form: str) -> None:
    """Write connectors as the vendors' artefacts: Helm values, manifests, templates, command lines.

    Offline, and in the form that can be reviewed: a secret stands as `<secret>`. `crds` instead of a name gives
    the definitions of Kubernetes kinds that no vendor publishes.

    \b
    Example:
      policysync render AquaCloudConnector/eu --stage prod
      policysync render --stage prod --out build/
      policysync render crds
    """
    found = list(_definitions() if what == (_CRDS,) else _of_stages(what, stage, revision))
    if not found:
        click.echo("nothing to render: git has no connector here", err=True)
    if out is not None:
        for each in found:
            _write(out, each)
        click.echo(f"wrote {len(found)} file{'' if len(found) == 1 else 's'} to {out}", err=True)
    elif form == "json":
        click.echo(json.dumps(_document(found), indent=2, ensure_ascii=False))
    else:
        click.echo("\n".join(_text(found)), nl=bool(found))


def _definitions() -> Iterator[Rendered]:
    for artefact in crds():
        yield Rendered("", None, artefact, "")


def _of_stages(what: tuple[str, ...], stage: str | None, revision: str | None) -> Iterator[Rendered]:
    session = open_session()
    selection = Selection.of((), what, ())
    stages = (session.project.stage(stage),) if stage else session.project.stages if revision else session.released()
    found = [each for one in stages for each in _of_stage(session, one, selection, revision, nested=not stage)]
    if not found and what:
        raise PolicySyncError(f"there is nothing to render for {' '.join(what)}; `policysync kinds` lists the kinds")
    yield from found


def _of_stage(
    session: Session, stage: Stage, selection: Selection, revision: str | None, *, nested: bool
) -> Iterator[Rendered]:
    source = session.source_of(stage, revision)
    # References are not resolved: what is shown never holds a secret.
    state = desired_state(source, session.project, stage, session.kinds, in_order=True)
    if state.errors:
        raise InvalidInput(state.problems)
    for problem in state.problems:
        click.echo(str(problem), err=True)
    # A document that stands for resources of another kind is rendered by its own name too.
    named = {resource.address for resource in selection.of_resources(state.resources)}
    named |= {made for made, document in state.documents.items() if selection.has(document)}
    for resource in state.resources:
        if resource.address not in named:
            continue
        kind = session.kinds[resource.address.kind]
        renderer = RENDERERS.get(kind.schema.get("x-render", {}).get("by", ""))
        below = f"{kind.name}/{quote(resource.address.name, safe=' ')}"
        folder = f"{stage.name}/{below}" if nested else below
        for artefact in renderer(resource, kind) if renderer else ():
            yield Rendered(stage.name, resource.address, artefact, folder)


def _write(out: Path, each: Rendered) -> None:
    path = out / each.path
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(each.artefact.text, encoding="utf-8")


def _text(found: list[Rendered]) -> Iterator[str]:
    for each in found:
        yield f"# {each.path}"
        yield each.artefact.text.rstrip(os.linesep)


def _document(found: list[Rendered]) -> dict[str, object]:
    return {
        "format_version": FORMAT_VERSION,
        "artefacts": [
            {
                "stage": each.stage,
                "kind": each.address.kind if each.address else "",
                "name": each.address.name if each.address else "",
                "file": each.artefact.name,
                "path": each.path,
                "text": each.artefact.text,
            }
            for each in found
        ],
    }
