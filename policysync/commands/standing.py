"""Looking at every target of some stages at once: what git, the ledger and live say of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice

from policysync.apply.ledger import Ledger
from policysync.apply.no_ledger import NoLedger
from policysync.apply.record import Record
from policysync.apply.record import State as Ended
from policysync.commands.comparing import Comparing, Comparison
from policysync.commands.guarded import case_of, remembered_consoles, seen
from policysync.commands.selection import Selection
from policysync.commands.session import Session
from policysync.documents.desired import desired_state
from policysync.documents.project import Stage, Target
from policysync.documents.source import Source
from policysync.errors import InvalidInput, PolicySyncError
from policysync.plan.build import World, build
from policysync.plan.change import Action, Cause, Change, Plan
from policysync.plan.drift import drift
from policysync.plan.guards.case import Consoles
from policysync.plan.guards.listed import refusals
from policysync.plan.minimal import holds_secret
from policysync.reports.standing import StageStanding, Standing, Status, Sync
from policysync.secret import Secret
from policysync.state.normalize import live_spec
from policysync.state.resource import Address, Resource

_AT_ONCE = 16
_RECORDS = 1000


@dataclass(frozen=True, slots=True)
class Looking:
    """One stage, ready to be looked at. `against` is None where its documents cannot be read."""

    stage: Stage
    about: StageStanding
    ledger: Ledger | NoLedger
    against: Comparing | None


def look(
    session: Session, stages: Sequence[Stage], *, offline: bool, looked: Callable[[], None] = lambda: None
) -> Status:
    """Return where the targets of some stages stand. `looked` hears of each target that is done."""
    ready = [_ready(session, stage, offline=offline) for stage in stages]
    first = next((one.against for one in ready if one.against), None)
    known: Consoles = remembered_consoles(first) if first and not offline else {}
    jobs = [(one, target) for one in ready for target in one.stage.targets]

    def stand(job: tuple[Looking, Target]) -> Standing:
        standing = _standing(session, *job, known=known, offline=offline)
        looked()
        return standing

    with ThreadPoolExecutor(max(1, min(len(jobs), _AT_ONCE))) as pool:
        found = iter(list(pool.map(stand, jobs)))
    standing = [
        # What is wrong with a ledger is known once it was read.
        replace(one.about, targets=tuple(islice(found, len(one.stage.targets))), notice=one.ledger.notice)
        for one in ready
    ]
    return Status(session.clock.now(), tuple(standing), offline)


def _ready(session: Session, stage: Stage, *, offline: bool) -> Looking:
    ledger = session.ledger(stage)
    released, problem, against = True, "", None
    revision, dirty = "", False
    source: Source = session.source()
    try:
        released = stage.first or session.pin(stage) is not None
        desired: tuple[Resource, ...] = ()
        if released:
            source = session.source_of(stage)
            revision, dirty = source.revision, source.dirty
            desired = stated(session, source, stage) if offline else session.desired(source, stage)[0]
        salt = ledger.salt
        against = Comparing(session, stage, source, desired, ledger, Selection(), salt)
    except InvalidInput as error:
        more = f" (and {len(error.problems) - 1} more)" if len(error.problems) > 1 else ""
        problem = f"{error.problems[0]}{more}"
    except PolicySyncError as error:
        problem = str(error)
    return Looking(stage, StageStanding(stage.name, revision, dirty, released, (), None, problem), ledger, against)


def stated(session: Session, source: Source, stage: Stage) -> tuple[Resource, ...]:
    """Return what git says of a stage, with references to secrets in place of secrets.

    Raises:
        InvalidInput: a document is wrong.
    """
    found = desired_state(source, session.project, stage, session.kinds, lambda reference: Secret(reference, reference))
    if found.errors:
        raise InvalidInput(found.errors)
    return found.resources


def _standing(session: Session, looking: Looking, target: Target, *, known: Consoles, offline: bool) -> Standing:
    try:
        standing = _remembered(looking.ledger, target)
    except PolicySyncError as error:
        return Standing(target.name, problem=str(error))
    against = looking.against
    if against is None:
        return replace(standing, live=False)
    if offline:
        plan = _offline_plan(against, target)
        return replace(standing, resources=_resources(against, target, plan, ()), live=False)
    try:
        with session.backend(target) as backend:
            comparison = seen(against, target, backend)
        return _compared(standing, against, comparison, known, released=looking.about.released)
    except PolicySyncError as error:
        return replace(standing, problem=str(error), live=False)


def _remembered(ledger: Ledger | NoLedger, target: Target) -> Standing:
    return Standing(
        target.name, _newest(ledger, target), ledger.unfinished(target.name), ledger.unrepaired(target.name)
    )


def _newest(ledger: Ledger | NoLedger, target: Target) -> Record | None:
    """Return the last apply that ended; where there was none, when live objects were taken into git."""
    adopted = None
    for record in islice(ledger.history(), _RECORDS):
        if record.target == target.name and record.state is Ended.ADOPTED:
            adopted = adopted or record
        elif record.target == target.name and record.state is not Ended.INTENT:
            return record
    return adopted


def _compared(
    standing: Standing, against: Comparing, comparison: Comparison, known: Consoles, *, released: bool
) -> Standing:
    plan, world = comparison.plan, comparison.world
    moved = drift(against.stage.name, comparison.target.name, world, against.session.kinds)
    # Where nothing is released git states nothing, and that is not a wish to have nothing.
    guards = refusals(case_of(against, comparison, plan, known)) if released and plan.changes else {}
    return replace(
        standing,
        resources=_resources(against, comparison.target, plan, moved.changes, standing.unrepaired),
        guards=guards,
        spared=moved.spared,
        blocked=plan.blocked,
    )


def _resources(
    against: Comparing,
    target: Target,
    plan: Plan,
    moved: Iterable[Change],
    undone: Iterable[Address] = (),
) -> dict[Address, Sync]:
    found = {resource.address: Sync.IN_SYNC for resource in against.stated(target)}
    found |= {spared.address: Sync.ACCEPTED for spared in plan.spared}
    found |= {address: Sync.FAILED for address in undone if address in found}
    found |= {change.address: Sync.DRIFT for change in moved}
    for change in plan.changes:
        causes = {edit.cause for edit in change.edits} or {change.cause}
        if causes != {Cause.DRIFT}:
            both = found.get(change.address) is Sync.DRIFT
            found[change.address] = Sync.CONFLICT if both else Sync.PENDING
    return found | {blockage.address: Sync.BLOCKED for blockage in plan.blocked}


def _offline_plan(against: Comparing, target: Target) -> Plan:
    """Return what git wants otherwise than it was last applied. Secrets cannot be told apart without resolving them."""
    last = against.ledger.last_applied(target.name)
    kinds = against.session.kinds
    applied = tuple(Resource(a, live_spec(kinds[a.kind], spec)) for a, spec in last.items() if a.kind in kinds)
    stated = tuple(against.stated(target))
    plan = build(against.stage.name, target.name, World(stated, applied, last, salt=against.salt), kinds)
    waves = tuple(tuple(_without_secrets(wave)) for wave in plan.waves)
    return replace(plan, waves=waves)


def _without_secrets(changes: Iterable[Change]) -> Iterator[Change]:
    for change in changes:
        edits = tuple(edit for edit in change.edits if not (holds_secret(edit.before) or holds_secret(edit.after)))
        if edits or change.action is not Action.UPDATE:
            yield replace(change, edits=edits)
