"""A plan before its guards, with everything they may look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from policysync.apply.consoles import begun, consoles, taken
from policysync.backends.port import Backend
from policysync.commands.comparing import Comparing, Comparison
from policysync.commands.embedded_target import is_embedded
from policysync.documents.guard_settings import Threshold
from policysync.documents.project import Target
from policysync.documents.source import Released
from policysync.errors import Blocked, PolicySyncError
from policysync.plan.change import Plan
from policysync.plan.guards.case import Case, Consoles
from policysync.plan.guards.listed import not_liftable, refusals
from policysync.plan.guards.unmanaged_collision import collisions, first_sight


def case_of(against: Comparing, comparison: Comparison, plan: Plan, known: Consoles) -> Case:
    """Return what the guards judge. `plan` is the one of `comparison`, or the part of it that was reviewed."""
    target, settings = comparison.target, against.session.project.guard_settings
    _known_kinds(against, settings.deletes, settings.changes)
    case = Case(
        plan=plan,
        world=comparison.world,
        kinds=against.session.kinds,
        settings=settings,
        stated=sum(1 for _ in against.stated(target)),
        consoles=known,
        now=against.session.clock.now(),
        embedded=is_embedded(target),
        released=_released(against),
    )
    found = collisions(case)
    return replace(
        case,
        begun=begun(against.ledger, target.name, found),
        taken=taken(against.ledger, target.name, comparison.world.live, found),
    )


def _released(against: Comparing) -> str | None:
    if against.stage.first:
        return None
    source = against.source
    pin = source.pin if isinstance(source, Released) else against.session.pin(against.stage)
    return pin.id if pin else ""


def remembered_consoles(against: Comparing) -> Consoles:
    """Return which console every target of every stage was when it was last applied."""
    found: dict[tuple[str, str], str] = {}
    for stage in against.session.project.stages:
        ledger = against.ledger if stage.name == against.stage.name else against.ledger.beside(stage.name)
        names = [target.name for target in stage.targets]
        found |= {(stage.name, name): console for name, console in consoles(ledger, names).items()}
    return found


def seen(against: Comparing, target: Target, backend: Backend) -> Comparison:
    """Compare a target with git, and note which console it is."""
    identity = backend.probe().identity
    comparison = against.compare(target, backend)
    return replace(comparison, plan=replace(comparison.plan, identity=identity))


def with_notice(case: Case) -> Plan:
    """Return the plan with what only people can judge noted beside it."""
    notice = first_sight(case)
    return replace(case.plan, notices=(*case.plan.notices, notice)) if notice else case.plan


def refuse(case: Case, allowed: frozenset[str], forbid: tuple[str, ...]) -> None:
    """Go on only when no guard says no, or all that do were lifted.

    Raises:
        Blocked: one says no, or was to be lifted where that is forbidden.
    """
    barred = not_liftable(allowed, forbid)
    if barred:
        raise Blocked(
            f"stage {case.plan.stage} forbids --allow {', '.join(barred)} (`forbid_allow` in policysync.yaml)"
        )
    said = refusals(case, allowed)
    if said:
        lines = [f"  {name}: {why} ({_remedy(name, forbid)})" for name, why in said.items()]
        raise Blocked("\n".join([f"{case.plan.target}: a guard said no", *lines]))


def _remedy(name: str, forbid: tuple[str, ...]) -> str:
    return "no --allow lifts this guard here" if not_liftable([name], forbid) else f"--allow {name} lifts this guard"


def _known_kinds(against: Comparing, *thresholds: Threshold) -> None:
    kinds: Mapping[str, object] = against.session.kinds
    for name in (name for threshold in thresholds for name in threshold.kinds):
        if name not in kinds:
            raise PolicySyncError(f"policysync.yaml: guards: there is no kind {name}; `policysync kinds` lists them")
