"""`policysync check`."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

import click

from policysync.backends.port import Checks, ChecksInside, Level, Sign
from policysync.commands.depending import depending, registries_sign
from policysync.commands.options import format_option
from policysync.commands.selection import Selection
from policysync.commands.session import Session, open_session
from policysync.documents.desired import desired_state
from policysync.documents.project import Stage, Target
from policysync.documents.serving import belongs
from policysync.errors import Exit, InvalidInput, PolicySyncError
from policysync.secret import told
from policysync.state.resource import Address, Resource

FORMAT_VERSION = 1
_TARGET = "target"
_COLOURS = {Level.OK: "green", Level.WARNING: "yellow", Level.ERROR: "red", Level.UNKNOWN: "blue"}
_WIDTH = max(map(len, Level))


@dataclass(frozen=True, slots=True)
class Checked:
    """One resource in one target, and everything there is to say of it."""

    stage: str
    target: str
    address: Address
    signs: tuple[Sign, ...]


@click.command(name="check", short_help="Check connectors: before installing, and how they are.")
@click.argument("names", nargs=-1, metavar="[KIND/NAME]...")
@click.option("--stage", "-s", help="Only this stage, as policysync.yaml names it; all of them by default.")
@click.option("--target", "targets", multiple=True, help="Only this target of the stage; may be repeated.")
@click.option("--preflight", is_flag=True, help="Only what has to be there before a connector can be installed.")
@click.option("--health", is_flag=True, help="Only how the connector is that is there.")
@click.option("--probe-cluster", is_flag=True, help="Try the hosts of tunnels from a pod that is deleted again.")
@format_option
def command(
    *,
    names: tuple[str, ...],
    stage: str | None,
    targets: tuple[str, ...],
    preflight: bool,
    health: bool,
    probe_cluster: bool,
    form: str,
) -> int:
    """Check connectors: what has to be there before one can be installed, and how those do that are.

    Changes nothing; with --probe-cluster a pod runs for some seconds in the namespace of each connector. Exit status:
    1 when something is an error, 0 otherwise; a warning and what cannot be told from here are shown and are no errors.

    \b
    Example:
      policysync check --stage prod
      policysync check AquaCloudConnector/eu --stage prod --health --format json
      policysync check --stage prod --preflight --probe-cluster
    """
    if probe_cluster and health and not preflight:
        raise PolicySyncError("--probe-cluster looks at what --health leaves out; take one of them, or add --preflight")
    if targets and not stage:
        raise PolicySyncError("--target needs --stage: targets belong to stages")
    session = open_session()
    wanted = [f"{group}/" for group, asked in (("preflight", preflight), ("health", health)) if asked]
    selection = Selection.of((), names, ())
    stages = (session.project.stage(stage),) if stage else session.released()
    checked = [
        each for one in stages for each in _stage(session, one, targets, selection, tuple(wanted), inside=probe_cluster)
    ]
    if not checked and names:
        raise PolicySyncError(f"there is nothing to check for {' '.join(names)} in these targets")
    if form == "json":
        click.echo(json.dumps(_document(checked), indent=2, ensure_ascii=False))
    elif checked:
        click.echo(_text(checked))
    signs = [sign for each in checked for sign in each.signs]
    click.echo(_summary(checked, signs), err=True)
    return Exit.ERROR if any(sign.level is Level.ERROR for sign in signs) else Exit.DONE


def _stage(
    session: Session,
    stage: Stage,
    names: Sequence[str],
    selection: Selection,
    groups: tuple[str, ...],
    *,
    inside: bool,
) -> Iterator[Checked]:
    # Secrets of other kinds are none of a check's business, so references are not resolved.
    state = desired_state(session.source_of(stage), session.project, stage, session.kinds)
    if state.errors:
        raise InvalidInput(state.problems)
    resources = selection.of_resources(state.resources)
    needed = depending(session.project, stage, state.resources)
    for target in session.targets(stage, names) if names or stage.targets else ():
        mine = [r for r in resources if belongs(target, session.kinds[r.address.kind], r)]
        # A target is spoken to only where something can be checked; connectors are, policies are not.
        mine = [r for r in mine if _checkable(session, r)]
        for address, signs in _of_target(session, target, mine, inside=inside):
            said = (registries_sign(needed[address], signs),) if address in needed else ()
            shown = tuple(s for s in (*signs, *said) if not groups or s.name.startswith((*groups, _TARGET)))
            yield Checked(stage.name, target.name, address, shown)


def _of_target(
    session: Session, target: Target, resources: Sequence[Resource], *, inside: bool
) -> Iterator[tuple[Address, tuple[Sign, ...]]]:
    """Yield every sign of each resource; that a target cannot be used is one too."""
    if not resources:
        return
    looked: dict[Address, tuple[Sign, ...]] = {}
    try:
        with session.backend(target) as backend:
            if not isinstance(backend, Checks):
                return
            backend.expect({r.address: r.spec for r in resources})
            look = backend.check_inside if inside and isinstance(backend, ChecksInside) else backend.check
            for resource in resources:
                looked[resource.address] = tuple(look(resource))
    except PolicySyncError as error:
        unusable = Sign(_TARGET, Level.ERROR, "target-unusable", str(error))
        looked |= {r.address: (unusable,) for r in resources if r.address not in looked}
    yield from looked.items()


def _checkable(session: Session, resource: Resource) -> bool:
    return session.kinds[resource.address.kind].backend_of(resource.spec) != "aqua"


def _text(checked: Sequence[Checked]) -> str:
    colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return "\n".join(line for each in checked for line in _lines(each, colour=colour))


def _lines(checked: Checked, *, colour: bool) -> Iterator[str]:
    yield f"{checked.address} in {checked.target} of {checked.stage}"
    for sign in checked.signs:
        level = f"{sign.level.value:<{_WIDTH}}"
        shown = click.style(level, fg=_COLOURS[sign.level]) if colour else level
        reason = f" [{sign.reason}]" if sign.reason else ""
        yield f"  {shown}  {sign.name}: {told(sign.message)}{reason}"


def _summary(checked: Sequence[Checked], signs: Sequence[Sign]) -> str:
    counts = ", ".join(f"{sum(sign.level is level for sign in signs)} {level.value}" for level in Level)
    return f"{len(checked)} checked: {counts}"


def _document(checked: Sequence[Checked]) -> dict[str, object]:
    return {
        "format_version": FORMAT_VERSION,
        "checked": [
            {
                "stage": each.stage,
                "target": each.target,
                "kind": each.address.kind,
                "name": each.address.name,
                "signs": [{**asdict(sign), "message": told(sign.message)} for sign in each.signs],
            }
            for each in checked
        ],
    }
