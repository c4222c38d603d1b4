"""What a target holds and git does not, over every kind that git could hold."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import partial

from policysync.backends.port import Backend
from policysync.commands.adopting import is_untouched
from policysync.commands.comparing import Comparing, Comparison
from policysync.commands.guarded import seen
from policysync.commands.surveying import by_kind, lacks
from policysync.commands.wish import can_adopt
from policysync.documents.project import Target
from policysync.documents.serving import serves
from policysync.errors import Refused
from policysync.kinds.kind import Kind
from policysync.plan.change import Plan
from policysync.state.resource import Address, Resource


def seen_whole(against: Comparing, target: Target, backend: Backend) -> Comparison:
    """Compare a target with git, and list everything there that git does not have. What the product ships is not."""
    comparison = seen(against, target, backend)
    found = _found(against, target, backend)
    managed = {resource.address for resource in against.stated(target)}
    managed |= against.ledger.last_applied(target.name).keys()
    loose = {address for address in found.objects if address not in managed and against.selection.has(address)}
    return replace(comparison, plan=_with(comparison.plan, loose, found.notices()))


def unmanaged(plan: Plan) -> dict[str, str]:
    """Return the refusal of a plan whose target holds more than git: its name, and why."""
    count = len(plan.unmanaged)
    if not count:
        return {}
    objects = "1 object that is" if count == 1 else f"{count} objects that are"
    return {
        "unmanaged": f"{plan.target} has {objects} not in git; take them in with `policysync adopt`, or delete them"
    }


@dataclass(frozen=True, slots=True)
class _Found:
    """Everything a target has, kinds its edition lacks, and kinds it did not give."""

    objects: frozenset[Address]
    lacking: tuple[str, ...]
    unread: tuple[str, ...]

    def notices(self) -> Iterator[str]:
        if self.lacking:
            yield f"not looked for, because this edition of the console does not have it: {', '.join(self.lacking)}"
        yield from (f"not looked for: {line}" for line in self.unread)


def _found(against: Comparing, target: Target, backend: Backend) -> _Found:
    kinds = [
        kind
        for kind in against.session.kinds.values()
        if serves(target, kind) and can_adopt(kind) and not kind.parts_of
    ]
    objects: set[Address] = set()
    lacking, unread = [], []
    for kind, result in by_kind(kinds, partial(_objects, backend)):
        if not isinstance(result, Refused):
            objects.update(result)
        elif lacks(result):
            lacking.append(kind.name)
        else:
            unread.append(f"{kind.name}: {result}")
    return _Found(frozenset(objects), tuple(sorted(lacking)), tuple(sorted(unread)))


def _objects(backend: Backend, kind: Kind) -> list[Address]:
    """Return the objects of a kind; whole ones are read only where their names do not tell whose they are."""
    told_by_name = not (kind.singleton or kind.slots or any(builtin.match for builtin in kind.builtins))
    if told_by_name:
        return [Address(kind.name, name) for name in backend.list(kind) if not kind.builtin(name)]
    return [resource.address for resource in backend.read(kind) if _is_made_by_hand(kind, resource)]


def _is_made_by_hand(kind: Kind, live: Resource) -> bool:
    return kind.builtin(live.address.name, {**live.raw, **live.spec}) is None and not is_untouched(kind, live)


def _with(plan: Plan, loose: Collection[Address], notices: Iterator[str]) -> Plan:
    more = set(loose) - set(plan.unmanaged)
    return replace(
        plan,
        unmanaged=tuple(sorted({*plan.unmanaged, *more})),
        live=plan.live + len(more),
        notices=(*plan.notices, *notices),
    )
