"""What has to change to turn one state into another, whichever two they are: git or live, of any stage or revision."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from policysync.kinds.kind import Kind
from policysync.plan.build import World, build
from policysync.plan.change import OPPOSITE, Action, Change, Edit, Plan
from policysync.plan.diff import diff
from policysync.plan.posture import posture_of_change
from policysync.pointer import MISSING
from policysync.state.normalize import live_spec
from policysync.state.resource import Address, Resource

_OPPOSITE_ACTION = {Action.CREATE: Action.DELETE, Action.DELETE: Action.CREATE, Action.UPDATE: Action.UPDATE}


@dataclass(frozen=True, slots=True)
class State:
    """One of the two: what git states, or what a target holds."""

    resources: tuple[Resource, ...]
    live: bool = False


def between(before: State, after: State, kinds: Mapping[str, Kind], labels: tuple[str, str] = ("", "")) -> Plan:
    """Return what turns `before` into `after`, in one wave, by address. `labels` stand as stage and target.

    Two states of the same sort are compared whole: what git leaves unsaid is the default. Git and live are compared
    only in what git states, and live resources that git does not have are unmanaged.
    """
    unmanaged: tuple[Address, ...] = ()
    if before.live is after.live:
        changes = list(_whole(before, after, kinds))
    elif before.live:
        changes, unmanaged = _stated(after.resources, before.resources, kinds)
    else:
        found, unmanaged = _stated(before.resources, after.resources, kinds)
        changes = [flipped(change) for change in found]
    changes.sort(key=lambda change: change.address)
    waves = (tuple(changes),) if changes else ()
    return Plan(labels[0], labels[1], waves=waves, unmanaged=unmanaged)


def flipped(change: Change) -> Change:
    """Return the change that takes this one back. A delete shows no edits."""
    action = _OPPOSITE_ACTION[change.action]
    return replace(
        change,
        action=action,
        before=change.after,
        after=change.before,
        edits=() if action is Action.DELETE else tuple(edit.flipped() for edit in change.edits),
        posture=OPPOSITE.get(change.posture, change.posture),
    )


def _stated(
    desired: tuple[Resource, ...], live: tuple[Resource, ...], kinds: Mapping[str, Kind]
) -> tuple[list[Change], tuple[Address, ...]]:
    plan = build("", "", World(desired=desired, live=live), kinds)
    return list(plan.changes), plan.unmanaged


def _whole(before: State, after: State, kinds: Mapping[str, Kind]) -> Iterator[Change]:
    was = {resource.address: resource for resource in before.resources}
    now = {resource.address: resource for resource in after.resources}
    yield from _created((resource for address, resource in now.items() if address not in was), kinds)
    for change in _created((resource for address, resource in was.items() if address not in now), kinds):
        yield flipped(change)
    for address in now.keys() & was.keys():
        yield from _updated(was[address], now[address], kinds[address.kind])


def _created(resources: Iterable[Resource], kinds: Mapping[str, Kind]) -> tuple[Change, ...]:
    return build("", "", World(desired=tuple(resources), live=()), kinds).changes


def _updated(was: Resource, now: Resource, kind: Kind) -> Iterator[Change]:
    edits = tuple(edits_between(kind, live_spec(kind, was.spec), live_spec(kind, now.spec)))
    if edits:
        posture = posture_of_change(Action.UPDATE, kind.root, edits)
        yield Change(Action.UPDATE, now.address, was, now, edits, posture=posture)


def edits_between(kind: Kind, was: Mapping[str, Any], now: Mapping[str, Any]) -> list[Edit]:
    """Return the edits that turn one whole spec into another, by path.

    A comparison sees what its first side states, so members that only the other side has need it the other way round.
    """
    edits = {edit.path: edit for edit in diff(kind.root, now, was, last=was)}
    for edit in diff(kind.root, was, now, last=now):
        there = edits.setdefault(edit.path, edit.flipped())
        # What a write-only field held is not known of a console, but of git it is.
        if there.before is MISSING:
            edits[edit.path] = replace(there, before=edit.after)
    return [edits[path] for path in sorted(edits)]
