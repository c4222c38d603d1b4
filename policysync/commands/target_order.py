"""In which order the targets of a stage are applied."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from policysync.commands.comparing import Comparing
from policysync.documents.project import Target
from policysync.kinds.kind import Kind
from policysync.plan.order import references
from policysync.state.resource import Address, Resource

Resources = Mapping[str, Mapping[Address, Resource]]
"""Some resources of each target, by the name of the target."""


def in_order(against: Comparing, names: Sequence[str]) -> tuple[Target, ...]:
    """Return the targets as they are listed, but so that what is deleted goes before what it refers to.

    What is to be created needs what it refers to first; where the two want it both ways, targets stay as listed.
    """
    listed = against.session.targets(against.stage, names)
    if not against.prune or len(listed) < 2:
        return listed
    going, coming = {}, {}
    for target in listed:
        stated = {resource.address: resource for resource in against.stated(target)}
        known, _ = against.ledger.remembered(target.name)
        going[target.name] = {a: Resource(a, spec) for a, spec in known.items() if a not in stated}
        coming[target.name] = {a: resource for a, resource in stated.items() if a not in known}
    by_name = {target.name: target for target in listed}
    return tuple(by_name[name] for name in ordered(list(by_name), going, coming, against.session.kinds))


def ordered(listed: Sequence[str], going: Resources, coming: Resources, kinds: Mapping[str, Kind]) -> list[str]:
    """Return the names of targets in the order they are applied in; `going` is deleted there, `coming` created."""
    first: dict[str, set[str]] = {name: set() for name in listed}
    for referring, referred in _across(going, kinds):
        first[referred].add(referring)
    if not any(first.values()):
        return list(listed)
    for referring, referred in _across(coming, kinds):
        first[referring].add(referred)
    found: list[str] = []
    left = list(listed)
    while left:
        name = next((name for name in left if first[name].isdisjoint(left)), None)
        if name is None:
            return list(listed)
        left.remove(name)
        found.append(name)
    return found


def _across(resources: Resources, kinds: Mapping[str, Kind]) -> Iterator[tuple[str, str]]:
    """Yield the targets of a resource and of one it refers to, where the target of the one does not hold the other."""
    homes: dict[Address, set[str]] = {}
    for name, held in resources.items():
        for address in held:
            homes.setdefault(address, set()).add(name)
    for name, held in resources.items():
        for address, resource in held.items():
            if address.kind in kinds:
                meant = (homes.get(other, set()) for other in references(kinds[address.kind], resource))
                yield from ((name, home) for them in meant if name not in them for home in them)
