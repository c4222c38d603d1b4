"""A REST API driven by `x-api`: every kind of a console through the same few lines."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from policysync.backends.answer import Answer, decoded, failure
from policysync.backends.paging import page_through
from policysync.backends.port import Again
from policysync.backends.routes import Call, Routes, item_path, routes_of, shaped
from policysync.backends.session import Session
from policysync.errors import Refused
from policysync.kinds.kind import Kind
from policysync.plan.change import Action, Change
from policysync.plan.diff import diff
from policysync.state.resource import Resource
from policysync.state.wire import from_wire, to_wire

_log = logging.getLogger(__name__)
Wire = dict[str, Any]


class Rest:
    """Reads and writes resources over a session."""

    def __init__(
        self,
        session: Session,
        kinds: Mapping[str, Kind],
        *,
        again: Again[Any],
        hosts: Mapping[str, str],
        parallelism: int = 10,
    ) -> None:
        """`hosts` maps each `x-api.base` but "console" to its address."""
        self._session = session
        self._kinds = kinds
        self._again = again
        self._hosts = hosts
        self._pool = ThreadPoolExecutor(max_workers=parallelism, thread_name_prefix="read")
        self._routes: dict[str, Routes] = {}
        self._ids: dict[str, dict[str, Any]] = {}
        self._ids_lock = threading.Lock()

    def read(self, kind: Kind, names: frozenset[str] | None = None) -> Iterator[Resource]:
        """Yield the live resources of a kind; see `port.Backend`."""
        routes = self._routes_of(kind)
        if names is not None and routes.get and kind.key == (routes.id,):
            bodies = self._fetched(kind, routes, sorted(names))
        elif routes.list.summary:
            entries = (e for e in self._entries(kind, routes) if names is None or _may_be(kind, e, names))
            bodies = self._fetched(kind, routes, (str(entry.get(routes.id) or "") for entry in entries))
        else:
            bodies = list(self._entries(kind, routes))
        for resource in _distinct(kind, routes, bodies):
            if names is None or resource.address.name in names:
                yield resource

    def list(self, kind: Kind) -> Iterator[str]:
        """Yield the names of the live resources of a kind, from the list alone."""
        routes = self._routes_of(kind)
        entries = self._entries(kind, routes)
        yield from dict.fromkeys(name for entry in entries if (name := from_wire(kind, entry).address.name))

    def write(self, change: Change, kind: Kind) -> None:
        """Carry out a change; see `port.Backend`."""
        routes = self._routes_of(kind)
        with self._ids_lock:
            self._ids.pop(kind.name, None)
        if change.action is Action.CREATE and change.after:
            self._create(kind, routes, change.after)
        elif change.action is Action.DELETE and change.before:
            self._delete(kind, routes, change.before)
        elif change.before and change.after:
            if change.replace or routes.update is None:
                self._replace(kind, routes, change.before, change.after)
            else:
                self._update(kind, routes, routes.update, change.before, change.after)
        else:
            raise Refused(f"{change.id}: the change lacks the resource it is about; make the plan again")

    def close(self) -> None:
        """Let go of connections and threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._session.http.close()

    # Reading

    def _entries(self, kind: Kind, routes: Routes) -> Iterator[Wire]:
        listing = routes.list
        for entry in page_through(listing, lambda path: self._get(routes, path)):
            for theirs, ours in listing.rename.items():
                if theirs in entry:
                    entry[ours] = entry.pop(theirs)
            if _has(entry, listing.where) and not _is_products_own(kind, entry):
                yield entry

    def _fetched(self, kind: Kind, routes: Routes, idents: Iterable[str]) -> Sequence[Wire]:
        """Return the bodies of these objects, without those that are gone. The first failure ends it all."""
        call = routes.get
        if call is None:
            raise Refused(f"{kind.name} lists summaries and has no call for one object (schema {kind.file})")
        # Submitting while the list is still being paged overlaps the two.
        futures: Sequence[Future[Wire | None]] = [
            self._pool.submit(self._one, kind, routes, call, ident) for ident in dict.fromkeys(idents) if ident
        ]
        try:
            return [body for future in futures if (body := future.result()) is not None]
        finally:
            for future in futures:
                future.cancel()

    def _one(self, kind: Kind, routes: Routes, call: Call, ident: str) -> Wire | None:
        body = self._get(routes, item_path(call, ident, routes.noun), call.missing)
        # Some consoles answer with an empty object where there is none.
        if not isinstance(body, dict) or not body.get(routes.id):
            return None
        return body if _has(body, routes.list.where) and not _is_products_own(kind, body) else None

    def _get(self, routes: Routes, path: str, missing: frozenset[int] = frozenset()) -> Any:
        def once() -> Any:
            answer = self._session.call("GET", path, base=self._base(routes))
            return None if answer.status in missing else decoded(_accepted(answer, writes=False))

        return self._again(once)

    # Writing

    def _create(self, kind: Kind, routes: Routes, after: Resource) -> None:
        call = _required(routes.create, "created", kind)
        body = to_wire(kind, after.spec, lookup=self._id_of)
        answer = self._send(routes, call, call.path, shaped(call.body, body))
        if answer.status == call.conflict and self._is_there(kind, after):
            return
        _accepted(answer, writes=True)

    def _is_there(self, kind: Kind, after: Resource) -> bool:
        """Return whether the object exists exactly as it was to be created: then somebody is asking twice."""
        live = next(self.read(kind, frozenset({after.address.name})), None)
        return live is not None and not diff(kind.root, after.spec, live.spec, last=after.spec)

    def _update(self, kind: Kind, routes: Routes, call: Call, before: Resource, after: Resource) -> None:
        body = to_wire(kind, after.spec, raw=before.raw, lookup=self._id_of)
        path = item_path(call, before.id, routes.noun)
        _accepted(self._send(routes, call, path, shaped(call.body, body)), writes=True)

    def _delete(self, kind: Kind, routes: Routes, before: Resource) -> None:
        call = _required(routes.delete, "deleted", kind)
        payload = shaped(call.body, to_wire(kind, before.spec)) if call.body else None
        answer = self._send(routes, call, item_path(call, before.id, routes.noun), payload)
        if answer.status not in call.missing:
            _accepted(answer, writes=True)

    def _replace(self, kind: Kind, routes: Routes, before: Resource, after: Resource) -> None:
        """Delete and create. What git does not state is created as it was."""
        _required(routes.create, "created", kind)
        self._delete(kind, routes, before)
        spec = _overlaid(before.spec, after.spec)
        try:
            self._create(kind, routes, Resource(after.address, spec))
        except Refused as error:
            raise Refused(
                f"{after.address} was deleted to be replaced and could not be created again: {error}"
            ) from error

    def _send(self, routes: Routes, call: Call, path: str, payload: Any) -> Answer:
        return self._session.call(call.method, path, payload, base=self._base(routes), writes=True)

    # Addresses

    def _id_of(self, kind_name: str, name: str) -> Any:
        """Return the id an object has on this console, None when there is no such object."""
        kind = self._kinds[kind_name]
        with self._ids_lock:
            known = self._ids.get(kind_name, {})
            if name not in known:
                routes = self._routes_of(kind)
                entries = self._entries(kind, routes)
                known = {from_wire(kind, entry).address.name: entry.get(routes.id) for entry in entries}
                self._ids[kind_name] = known
            return known.get(name)

    def _routes_of(self, kind: Kind) -> Routes:
        if kind.name not in self._routes:
            self._routes[kind.name] = routes_of(kind)
        return self._routes[kind.name]

    def _base(self, routes: Routes) -> str:
        if routes.base == "console":
            return self._session.base
        if routes.base not in self._hosts:
            advice = (
                f"only SaaS has it; elsewhere name its host in the target's options (hosts: {{{routes.base}: URL}})"
            )
            raise Refused(f"a {routes.noun} is served by the {routes.base} API: {advice}")
        return self._hosts[routes.base]


def _distinct(kind: Kind, routes: Routes, bodies: Iterable[Wire]) -> Iterator[Resource]:
    """Yield a resource for each object, once.

    Raises:
        Refused: two objects have the same name, so git cannot say which one it means.
    """
    seen: dict[str, Resource] = {}
    for body in bodies:
        resource = from_wire(kind, body)
        name = resource.address.name
        if not name:
            _log.warning("a %s without a name is left out: git has no way to name it", routes.noun)
        elif name not in seen:
            seen[name] = resource
            yield resource
        elif (body.get(routes.id), resource.spec) != (seen[name].raw.get(routes.id), seen[name].spec):
            same = routes.id and body.get(routes.id) == seen[name].raw.get(routes.id)
            if not same:
                raise Refused(f"{resource.address}: the console has two of this name; rename or delete one of them")


def _accepted(answer: Answer, *, writes: bool) -> Answer:
    error = failure(answer, writes=writes)
    if error is not None:
        raise error
    return answer


def _has(body: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    return all(body.get(name) == value for name, value in values.items())


def _is_products_own(kind: Kind, body: Mapping[str, Any]) -> bool:
    return bool(kind.exclude) and _has(body, kind.exclude)


def _may_be(kind: Kind, entry: Wire, names: frozenset[str]) -> bool:
    name = from_wire(kind, entry).address.name
    return not name or name in names


def _required(call: Call | None, done: str, kind: Kind) -> Call:
    if call is None:
        raise Refused(f"a {kind.name} cannot be {done} over the API; do it in the console")
    return call


def _overlaid(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for name, value in over.items():
        below = merged.get(name)
        merged[name] = _overlaid(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged
