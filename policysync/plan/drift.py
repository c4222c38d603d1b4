"""What somebody changed by hand: live against last-applied, told the way round it happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from policysync.kinds.kind import Kind
from policysync.plan.build import World, build
from policysync.plan.change import OPPOSITE, Action, Cause, Change, Plan
from policysync.state.resource import Resource


def drift(stage: str, target: str, world: World, kinds: Mapping[str, Kind]) -> Plan:
    """Return a plan-shaped report: its changes say what happened to the target since the last apply.

        action   somebody
        UPDATE   edited the object; `before` of an edit is what was applied, `after` what is there now
        DELETE   deleted it

    Only what git stated when it was applied counts; what policysync.yaml accepts stands under `spared` instead. It
    is for showing: it is not to be carried out.
    """
    applied = tuple(_applied(world, kinds))
    healing = build(stage, target, replace(world, desired=applied), kinds)
    return replace(healing, waves=((*(_told(change) for change in healing.changes),),) if healing.changes else ())


def _applied(world: World, kinds: Mapping[str, Kind]) -> Iterator[Resource]:
    for address, spec in sorted(world.last_applied.items()):
        if address.kind in kinds:
            yield Resource(address, spec)


def _told(change: Change) -> Change:
    action = Action.DELETE if change.action is Action.CREATE else change.action
    edits = (
        tuple(replace(edit.flipped(), cause=Cause.DRIFT) for edit in change.edits) if action is Action.UPDATE else ()
    )
    posture = OPPOSITE.get(change.posture, change.posture)
    return replace(change, action=action, edits=edits, cause=Cause.DRIFT, posture=posture)
