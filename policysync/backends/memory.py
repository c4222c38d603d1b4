"""A backend in memory: the laws of the port with nothing else in the way, and rehearsals that touch nothing."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from policysync.backends.port import Facts
from policysync.errors import Refused
from policysync.kinds.kind import Kind
from policysync.plan.change import Action, Change
from policysync.plan.diff import diff
from policysync.state.resource import Address, Resource
from policysync.state.wire import from_wire, to_wire


class Memory:
    """Keeps bodies as a console would: what a change does not state keeps its value, and a new object gets defaults."""

    def __init__(
        self, kinds: Mapping[str, Kind], resources: Iterable[Resource] = (), *, identity: str = "memory"
    ) -> None:
        self._kinds = kinds
        self._identity = identity
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._bodies: dict[Address, dict[str, Any]] = {}
        for resource in resources:
            kind = kinds[resource.address.kind]
            self._bodies[resource.address] = self._new(kind, {**to_wire(kind, resource.spec), **resource.raw})

    @property
    def resources(self) -> tuple[Resource, ...]:
        """Everything that is there, by address."""
        with self._lock:
            return tuple(self._live(address, body) for address, body in sorted(self._bodies.items()))

    def probe(self) -> Facts:
        """Say what is there; see `port.Backend`."""
        return Facts(version="memory", identity=self._identity)

    def expect(self, stated: Mapping[Address, Mapping[str, Any]]) -> None:
        """Need no telling; see `port.Backend`."""

    def read(self, kind: Kind, names: frozenset[str] | None = None) -> Iterator[Resource]:
        """Yield the live resources of a kind; see `port.Backend`."""
        for resource in self.resources:
            wanted = resource.address.kind == kind.name and (names is None or resource.address.name in names)
            if wanted and not _is_products_own(kind, resource.raw):
                yield resource

    def list(self, kind: Kind) -> Iterator[str]:
        """Yield the names of the live resources of a kind."""
        for resource in self.read(kind):
            yield resource.address.name

    def write(self, change: Change, kind: Kind) -> None:
        """Carry out a change; see `port.Backend`."""
        with self._lock:
            if change.action is Action.DELETE:
                self._bodies.pop(change.address, None)
            elif change.after is None:
                raise Refused(f"{change.id}: the change lacks the resource it is about; make the plan again")
            elif change.action is Action.CREATE:
                self._create(kind, change.after)
            else:
                self._update(kind, change.after)

    def close(self) -> None:
        """Nothing to let go of."""

    def _create(self, kind: Kind, after: Resource) -> None:
        held = self._bodies.get(after.address)
        if held is None:
            self._bodies[after.address] = self._new(kind, to_wire(kind, after.spec, lookup=self._id_of))
        elif diff(kind.root, after.spec, self._live(after.address, held).spec, last=after.spec):
            raise Refused(f"{after.address} exists already, and differs from what was to be created")

    def _update(self, kind: Kind, after: Resource) -> None:
        held = self._bodies.get(after.address)
        if held is None:
            raise Refused(f"{after.address} is not there any more; make the plan again")
        kept = {name: held[name] for name in (_id_member(kind),) if name in held}
        self._bodies[after.address] = {**to_wire(kind, after.spec, raw=held, lookup=self._id_of), **kept}

    def _live(self, address: Address, body: Mapping[str, Any]) -> Resource:
        kind = self._kinds[address.kind]
        found = from_wire(kind, dict(body))
        # What git calls it need not stand on the wire, where another name may stand in its place.
        named = {} if len(kind.key) != 1 or found.address == address else {kind.key[0]: address.name}
        return replace(found, address=address, spec={**found.spec, **named})

    def _new(self, kind: Kind, body: dict[str, Any]) -> dict[str, Any]:
        member = _id_member(kind)
        return body if not member or body.get(member) else {**body, member: str(next(self._numbers))}

    def _id_of(self, kind_name: str, name: str) -> Any:
        held = self._bodies.get(Address(kind_name, name), {})
        return held.get(_id_member(self._kinds[kind_name]))


def _id_member(kind: Kind) -> str:
    return str(kind.api.get("id", ""))


def _is_products_own(kind: Kind, body: Mapping[str, Any]) -> bool:
    return bool(kind.exclude) and all(body.get(name) == value for name, value in kind.exclude.items())
