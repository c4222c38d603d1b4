"""Why the two sides of `policysync diff` differ, read from git and the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from policysync.commands.sides import Side, Sides, meant_for
from policysync.commands.standing import stated
from policysync.documents.catalog import Catalog, load
from policysync.documents.document import Document
from policysync.documents.project import Stage
from policysync.documents.source import Source
from policysync.documents.stage import Staging
from policysync.errors import Location, PolicySyncError
from policysync.plan.between import State, between
from policysync.plan.build import World, build
from policysync.plan.change import Action, Cause, Plan
from policysync.plan.minimal import holds_secret
from policysync.plan.paths import Path
from policysync.plan.reasons import Reasons, Told
from policysync.state.resource import Address, Resource


@dataclass(frozen=True, slots=True)
class _Git:
    """What git says of the stage of one side."""

    stage: Stage
    source: Source | None
    resources: tuple[Resource, ...] = ()

    @property
    def revision(self) -> str:
        return self.source.revision if self.source else ""


def reasons(sides: Sides, before: State, after: State) -> Reasons | None:
    """Return what explains the differences; None where a side is a file and has no stage."""
    if sides.first.file or sides.second.file:
        return None
    first, second = _git(sides, sides.first), _git(sides, sides.second)
    kinds = sides.session.kinds
    same: Plan | None = None
    if first.source and second.source and not _alike(first.source, second.source):
        # What is still apart when the later stage is where the earlier one is does not go with a promotion.
        common = first.source if _comes_first(sides, first.stage, second.stage) else second.source
        same = between(
            State(_stated(sides, sides.first, first.stage, common)),
            State(_stated(sides, sides.second, second.stage, common)),
            kinds,
        )
    return Reasons(
        _told(sides, sides.first, first, before),
        _told(sides, sides.second, second, after),
        between(State(first.resources), State(second.resources), kinds),
        same,
    )


def _comes_first(sides: Sides, one: Stage, other: Stage) -> bool:
    names = [stage.name for stage in sides.session.project.stages]
    return names.index(one.name) < names.index(other.name)


def _alike(one: Source, other: Source) -> bool:
    return (one.revision, one.dirty) == (other.revision, other.dirty)


def _git(sides: Sides, side: Side) -> _Git:
    stage = sides.stage_of(side)
    try:
        source = sides.session.source_of(stage, side.revision or None)
    except PolicySyncError:
        # What is live can be compared although nothing was ever released to its stage.
        return _Git(stage, None)
    return _Git(stage, source, _stated(sides, side, stage, source))


def _stated(sides: Sides, side: Side, stage: Stage, source: Source) -> tuple[Resource, ...]:
    return meant_for(stage, side.target, stated(sides.session, source, stage), sides.session.kinds)


def _told(sides: Sides, side: Side, git: _Git, state: State) -> Told:
    session = sides.session
    if git.source is None:
        return Told(git.stage.name, "", {}, {}, lambda document, _: document.where)
    catalog = load(git.source, session.project, session.kinds)
    staging = Staging(catalog, session.kinds)
    overlays = catalog.overlays.get(git.stage.name, {})
    gone = [name for name, overlay in overlays.items() if overlay.absent]
    taken = zip(staging.drafts(git.stage, gone), (overlays[name] for name in gone), strict=True)
    return Told(
        git.stage.name,
        git.revision,
        {draft.address: draft for draft in staging.resources(git.stage, staging.names(git.stage))},
        {draft.address: overlay for draft, overlay in taken},
        partial(_place, catalog),
        _moved(sides, side, git, state) if state.live else {},
        state.live,
    )


def _place(catalog: Catalog, document: Document, pointer: str) -> Location:
    return catalog.placing.at(document.where, document.index, pointer)


def _moved(sides: Sides, side: Side, git: _Git, state: State) -> Mapping[Address, Mapping[Path, Cause]]:
    """Return where live is not as git says it, and who moved."""
    ledger = sides.session.ledger(git.stage)
    target = side.target or git.stage.targets[0].name
    kinds = {resource.address.kind for resource in state.resources} | {r.address.kind for r in git.resources}
    last = {a: spec for a, spec in ledger.last_applied(target).items() if a.kind in kinds}
    plan = build(
        git.stage.name, target, World(git.resources, state.resources, last, salt=ledger.salt), sides.session.kinds
    )
    found: dict[Address, dict[Path, Cause]] = {}
    for change in plan.changes:
        if change.action is not Action.UPDATE:
            found[change.address] = {(): change.cause}
            continue
        plain = (e for e in change.edits if not (holds_secret(e.before) or holds_secret(e.after)))
        found[change.address] = {edit.path: edit.cause for edit in plain}
    return found
