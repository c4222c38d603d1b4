"""One cluster, as a backend."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from policysync.backends.kubernetes.client import Client
from policysync.backends.kubernetes.discovery import Discovery, Served, facts_of
from policysync.backends.kubernetes.failures import Forbidden, Missing
from policysync.backends.kubernetes.health import healths, preflight
from policysync.backends.kubernetes.managed import BY_HAND
from policysync.backends.kubernetes.objects import OWNED, Naming, resource_of, unreadable
from policysync.backends.kubernetes.preview import previewed
from policysync.backends.kubernetes.settling import settled, wait_until_gone
from policysync.backends.kubernetes.writing import Writing, marked
from policysync.backends.port import Facts, Level, Sign
from policysync.clock import Clock
from policysync.errors import BackendError, NotServed, Refused
from policysync.kinds.kind import Kind
from policysync.plan.change import Action, Change
from policysync.state.resource import Address, Resource

_log = logging.getLogger(__name__)

_FEW = 4
"""Up to so many objects are fetched one by one; more come in a list."""


class Kubernetes:
    """Any kind of object that has a schema file; see `port.Backend`."""

    def __init__(
        self,
        client: Client,
        kinds: Mapping[str, Kind],
        clock: Clock,
        *,
        wait: float = 60.0,
        by_hand: Iterable[str] = (),
    ) -> None:
        """
        Args:
            wait: seconds to wait until a controller has seen a change, or until what is deleted is gone.
            by_hand: further managers whose edits may be taken back.
        """
        self.client = client
        self._kinds = kinds
        self._clock = clock
        self._wait = wait
        self._discovery = Discovery(client)
        self._naming = Naming(client.namespace)
        self._writing = Writing(client, self._naming, {*BY_HAND, *by_hand})

    def probe(self) -> Facts:
        """Say which cluster it is; see `port.Backend`."""
        return facts_of(self.client)

    def expect(self, stated: Mapping[Address, Mapping[str, Any]]) -> None:
        """Learn which objects git calls by their short names."""
        self._naming.expect(stated)

    def read(self, kind: Kind, names: frozenset[str] | None = None) -> Iterator[Resource]:
        """Yield the live objects of a kind; see `port.Backend`."""
        served = self._discovery.served(kind)
        if names is not None and len(names) <= _FEW:
            yield from self._each(served, kind, names)
            return
        try:
            held = list(self._all(served))
        except Forbidden:
            if names is None:
                raise
            yield from self._each(served, kind, names)
            return
        wanted = {self._naming.place(served, name): name for name in names} if names is not None else None
        for each in held:
            about = each.get("metadata") or {}
            place = (str(about.get("namespace") or "") if served.namespaced else "", str(about.get("name") or ""))
            if wanted is None:
                yield resource_of(served, kind, each, self._naming.called(served, kind, each))
            elif place in wanted:
                yield resource_of(served, kind, each, wanted[place])

    def _each(self, served: Served, kind: Kind, names: frozenset[str]) -> Iterator[Resource]:
        for name in sorted(names):
            try:
                held = self.client.get(served.path(*self._naming.place(served, name)))
            except Missing:
                continue
            except Forbidden as error:
                yield unreadable(kind, name, str(error))
                continue
            yield resource_of(served, kind, held, name)

    def list(self, kind: Kind) -> Iterator[str]:
        """Yield the names of the live objects of a kind."""
        served = self._discovery.served(kind)
        for held in self._all(served, names_only=True):
            yield self._naming.called(served, kind, held)

    def _all(self, served: Served, *, names_only: bool = False) -> Iterator[dict[str, Any]]:
        try:
            yield from self.client.list(served.path(), names_only=names_only)
        except Forbidden:
            # Who may work in some namespaces only may not list them all; what git mentions is what counts then.
            if not served.namespaced:
                raise
            for space in self._naming.spaces:
                yield from self.client.list(served.path(space), names_only=names_only)

    def write(self, change: Change, kind: Kind) -> None:
        """Carry out a change; see `port.Backend`. A replacement is a delete and a create."""
        served = self._discovery.served(kind)
        if change.action is Action.DELETE or change.replace:
            self._delete(served, change)
        if change.action is Action.DELETE:
            return
        after = change.after
        if after is None:
            raise Refused(f"{change.id}: the change lacks the resource it is about; make the plan again")
        if change.action is Action.CREATE or change.replace:
            held = self._writing.create(served, kind, after)
        else:
            held = self._writing.update(served, kind, change)
        path = served.path(*self._naming.place(served, after.address.name))
        said = settled(held, lambda: self.client.get(path), self._clock, self._wait)
        if said:
            _log.warning("%s: %s", after.address, said)

    def rehearse(self, change: Change, kind: Kind) -> None:
        """Ask the server what it would say of a change, and change nothing.

        Raises:
            Refused: it would refuse.
        """
        served = self._discovery.served(kind)
        if change.action is Action.DELETE:
            self._delete(served, change, dry=True)
        elif change.action is Action.CREATE and change.after is not None:
            self._writing.create(served, kind, change.after, dry=True)
        elif change.after is not None:
            live = next(iter(self.read(kind, frozenset({change.address.name}))), None)
            if live is None:
                raise Refused(f"{change.address} is not there any more; make the plan again")
            fresh = Change(change.action, change.address, live, change.after, change.edits)
            self._writing.update(served, kind, fresh, dry=True)

    def preview(self, change: Change, kind: Kind) -> tuple[str, ...]:
        """Return what a change can do to workloads; see `port.Previews`."""
        return tuple(previewed(self.client, change, kind))

    def check(self, resource: Resource) -> Iterator[Sign]:
        """Yield what there is to say of an object; see `port.Checks`."""
        kind = self._kinds[resource.address.kind]
        try:
            served = self._discovery.served(kind)
        except NotServed as error:
            yield Sign("preflight/engine", Level.ERROR, error.reason, str(error))
            return
        yield Sign("preflight/engine", Level.OK, "", f"{served.api_version} serves {served.plural}")
        namespace, name = self._naming.place(served, resource.address.name)
        yield from preflight(self.client, served, namespace, resource.spec)
        try:
            held = self.client.get(served.path(namespace, name))
        except Missing:
            yield Sign(
                "health/object", Level.WARNING, "absent", "it is not in the cluster; `policysync apply` makes it"
            )
            return
        except BackendError as error:
            yield Sign("health/object", Level.UNKNOWN, "unreadable", str(error))
            return
        schedule = str(resource.spec.get("schedule") or resource.spec.get("cron") or "")
        yield from healths(held, schedule, self._clock.now())

    def _delete(self, served: Served, change: Change, *, dry: bool = False) -> None:
        path = served.path(*self._naming.place(served, change.address.name))
        try:
            held = self.client.get(path)
        except Missing:
            return
        if not marked(held):
            raise Refused(
                f"{change.address} does not carry the label {OWNED}, so somebody else made it or took it over:"
                " label it to let policysync delete it, or delete it with `kubectl delete`"
            )
        uid = str((held.get("metadata") or {}).get("uid") or "")
        try:
            self.client.delete(path, uid=uid, dry=dry)
        except Missing:
            return
        if not dry:
            wait_until_gone(lambda: self.client.get(path), uid, self._clock, self._wait)

    def close(self) -> None:
        """Let go of connections."""
        self.client.close()
