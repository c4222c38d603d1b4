"""Desired, live and last-applied → a plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from policysync.documents.accepted import Accepted
from policysync.kinds.field import Field
from policysync.kinds.kind import Kind
from policysync.plan.accepted import sparing
from policysync.plan.change import Action, Blockage, Cause, Change, Edit, Plan, Release
from policysync.plan.diff import diff, released
from policysync.plan.manual import by_hand
from policysync.plan.order import references, waves
from policysync.plan.posture import posture_of_change
from policysync.pointer import MISSING
from policysync.state.normalize import live_spec, new_spec
from policysync.state.resource import Address, Hindrance, Resource

LastApplied = Mapping[Address, Mapping[str, Any]]
"""The specs as they were last applied; a secret in them stands as `{"$digest": …}`."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything a plan is made of, for one target.

    Attributes:
        desired: what git says, only of this target.
        live: the live resources that git or last-applied name.
        last_applied: empty where there is no ledger; then every difference is pending.
        others: further live resources of the same kinds.
        protected: what git asked never to delete when it was last applied.
        remembers: the ledger knows something of the target, whatever was selected.
        blocked: kinds that nothing in the target serves, by name.
        accepted: edits by hand that are left as they are.
        salt: with which the digests in `last_applied` were made.
    """

    desired: tuple[Resource, ...]
    live: tuple[Resource, ...]
    last_applied: LastApplied = field(default_factory=dict)
    others: frozenset[Address] = frozenset()
    protected: frozenset[Address] = frozenset()
    salt: str = ""
    remembers: bool = False
    blocked: Mapping[str, Hindrance] = field(default_factory=dict)
    accepted: tuple[Accepted, ...] = ()

    def hindrances(self, kinds: Mapping[str, Kind]) -> dict[Address, Hindrance]:
        """Return what can neither be compared nor changed: itself, or because it refers to what is not there."""
        live = {resource.address for resource in self.live}
        known = {*self.last_applied, *(resource.address for resource in self.desired)}
        found = {address: self.blocked[address.kind] for address in known if address.kind in self.blocked}
        found |= {resource.address: resource.hindrance for resource in self.live if resource.hindrance}
        missing = found.keys() - live
        while missing:
            waiting = {
                r.address: sorted(behind)[0]
                for r in self.desired
                if r.address not in found and (behind := references(kinds[r.address.kind], r) & missing)
            }
            found |= {a: Hindrance("blocked", "refers-to-blocked", f"refers to {to}") for a, to in waiting.items()}
            missing = waiting.keys() - live
        return found


def build(
    stage: str,
    target: str,
    world: World,
    kinds: Mapping[str, Kind],
    *,
    prune: bool = False,
    revision: str = "",
    dirty: bool = False,
    notices: Iterable[str] = (),
) -> Plan:
    """Return what makes the target match git. Nothing is deleted without `prune`."""
    live = {resource.address: resource for resource in world.live}
    desired = {resource.address: resource for resource in world.desired}
    hindered = world.hindrances(kinds)
    gone = [
        live[address]
        for address in sorted(world.last_applied)
        if address in live and address not in desired and address not in hindered
    ]
    deletable = [r for r in gone if _deletable(r, kinds[r.address.kind], world)] if prune else []
    held = _held({r.address for r in deletable}, world, kinds) if deletable else {}
    free = [r for r in world.desired if r.address not in hindered]
    left = sparing(world.accepted, free, live, last=world.last_applied, kinds=kinds, salt=world.salt)
    changes = [change for r in left.desired if (change := _change(r, live.get(r.address), world, kinds))]
    changes = [replace(change, remembered=left.remembered.get(change.address)) for change in changes]
    changes += [_delete(r, kinds[r.address.kind]) for r in deletable if r.address not in held]
    changes = [by_hand(change, kinds[change.address.kind]) for change in changes]
    doomed = {change.address for change in changes if change.action is Action.DELETE}
    return Plan(
        stage=stage,
        target=target,
        revision=revision,
        dirty=dirty,
        waves=waves(changes, kinds),
        unmanaged=tuple(sorted(_unmanaged(world, live, kinds))),
        released=tuple(_released(world, kinds)),
        kept=tuple(resource.address for resource in gone if resource.address not in doomed),
        live=len(live) + len(world.others),
        desired=len(desired),
        schemas=tuple(sorted({c.address.kind: kinds[c.address.kind].digest for c in changes}.items())),
        blocked=tuple(Blockage(address, why) for address, why in sorted(hindered.items())),
        spared=left.spared,
        notices=(*notices, *(f"{address} is kept: {by} still refers to it" for address, by in sorted(held.items()))),
    )


def _change(resource: Resource, live: Resource | None, world: World, kinds: Mapping[str, Kind]) -> Change | None:
    kind = kinds[resource.address.kind]
    last = world.last_applied.get(resource.address, MISSING)
    if live is None:
        return _create(resource, kind, Cause.PENDING if last is MISSING else Cause.DRIFT)
    edits = diff(kind.root, resource.spec, live.spec, last, world.salt)
    if not edits:
        return None
    immutable = any(_is_immutable(kind.root, edit.path) for edit in edits)
    return Change(
        Action.UPDATE,
        resource.address,
        live,
        resource,
        tuple(edits),
        _overall(edit.cause for edit in edits),
        posture_of_change(Action.UPDATE, kind.root, edits),
        replace=immutable or not (kind.api.get("update", True) or kind.singleton),
        immutable=immutable,
    )


def _create(resource: Resource, kind: Kind, cause: Cause) -> Change:
    edits = [
        replace(edit, before=MISSING, cause=cause)
        for edit in diff(kind.root, new_spec(kind, resource.spec), _nothing(kind))
        if edit.path[0] not in kind.key
    ]
    # A number or a switch that git states is worth seeing even where it is the default.
    shown = {edit.path[0] for edit in edits} | set(kind.key)
    stated = ((n, v) for n, v in resource.spec.items() if n not in shown and isinstance(v, int | float))
    edits += [Edit((name,), MISSING, value, cause) for name, value in stated]
    edits.sort(key=lambda edit: edit.path[0])
    posture = posture_of_change(Action.CREATE, kind.root, edits)
    return Change(Action.CREATE, resource.address, None, resource, tuple(edits), cause, posture)


def _delete(resource: Resource, kind: Kind) -> Change:
    taken = diff(kind.root, _nothing(kind), resource.spec)
    posture = posture_of_change(Action.DELETE, kind.root, taken)
    return Change(Action.DELETE, resource.address, resource, None, (), Cause.PENDING, posture)


def _nothing(kind: Kind) -> dict[str, Any]:
    """Return what a resource that does not exist does: nothing is switched on, and nothing is covered."""
    return _uncovered(kind.root, live_spec(kind, {}))


def _uncovered(field: Field, spec: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: _uncovered(below, value) if isinstance(value, Mapping) and below.properties else value
        for name, value in spec.items()
        if not _says_coverage(below := field.properties[name])
    }


def _says_coverage(field: Field) -> bool:
    return field.stricter == "superset" and (field.empty_means_all or field.unlimited is not MISSING)


def _overall(causes: Iterable[Cause]) -> Cause:
    seen = set(causes)
    if Cause.CONFLICT in seen:
        return Cause.CONFLICT
    return Cause.DRIFT if seen == {Cause.DRIFT} else Cause.PENDING


def _is_immutable(field: Field, path: Sequence[str]) -> bool:
    """Return whether a field that cannot be changed lies on the path."""
    if field.immutable or not path:
        return field.immutable
    position = int(path[0]) if field.positions and int(path[0]) < len(field.positions) else None
    below = field.properties.get(path[0]) or field.values or field.each
    if position is not None:
        below = field.positions[position]
    return below is not None and _is_immutable(below, path[1:])


def _deletable(resource: Resource, kind: Kind, world: World) -> bool:
    # What the product ships may be known by a member that only the body has.
    values = {**resource.raw, **resource.spec}
    if kind.singleton:
        return False
    return resource.address not in world.protected and kind.builtin(resource.address.name, values) is None


def _held(going: set[Address], world: World, kinds: Mapping[str, Kind]) -> dict[Address, Address]:
    """Return which of the resources that are to go are still referred to by one that stays, and by which."""
    if not going:
        return {}
    specs: dict[Address, dict[str, Any]] = {}
    for resource in (*world.live, *world.desired):
        specs[resource.address] = {**specs.get(resource.address, {}), **resource.spec}
    refs = {a: references(kinds[a.kind], Resource(a, spec)) & going for a, spec in specs.items()}
    held: dict[Address, Address] = {}
    while True:
        staying = (address for address in sorted(refs) if address not in going or address in held)
        found = {target: address for address in staying for target in refs[address] if target not in held}
        if not found:
            return held
        held |= found


def _unmanaged(world: World, live: Mapping[Address, Resource], kinds: Mapping[str, Kind]) -> Iterator[Address]:
    managed = {resource.address for resource in world.desired} | world.last_applied.keys()
    for address in {a for a in {*live, *world.others} - managed if not kinds[a.kind].singleton}:
        found = live.get(address)
        values = {**found.raw, **found.spec} if found else None
        if kinds[address.kind].builtin(address.name, values) is None:
            yield address


def _released(world: World, kinds: Mapping[str, Kind]) -> Iterator[Release]:
    for resource in world.desired:
        last = world.last_applied.get(resource.address)
        # A document that states everything releases nothing: what it leaves out is the default, or gone.
        if last is not None and not kinds[resource.address.kind].whole:
            yield from (
                Release(resource.address, path)
                for path in released(kinds[resource.address.kind].root, resource.spec, last)
            )
