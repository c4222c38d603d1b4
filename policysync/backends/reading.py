"""Reading a kind over REST, whether its objects are listed, looked up, or there is one that may have parts."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

from policysync.backends.paging import page_through
from policysync.backends.reach import Reach
from policysync.backends.routes import Call, Listing, Routes
from policysync.errors import Refused
from policysync.kinds.kind import SINGLETON, Kind
from policysync.state.resource import Resource
from policysync.state.slots import is_reset
from policysync.state.wire import from_wire

_log = logging.getLogger(__name__)
Wire = dict[str, Any]

_AHEAD = 32
"""How many bodies are read ahead of the one in use, for each worker: enough to keep it busy, and no more to hold."""


class Reading:
    """Reads resources; objects that have to be read one by one are read in parallel."""

    def __init__(self, reach: Reach, parallelism: int) -> None:
        self._reach = reach
        self._ahead = _AHEAD * parallelism
        self._pool = ThreadPoolExecutor(max_workers=parallelism, thread_name_prefix="read")

    def close(self) -> None:
        """Let go of threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def read(self, kind: Kind, names: frozenset[str] | None) -> Iterator[Resource]:
        """Yield the live resources of a kind, all or those with these names; see `port.Backend`."""
        routes = self._reach.routes(kind)
        for resource in _distinct(kind, routes, self._bodies(kind, routes, names)):
            if names is None and is_reset(kind, resource):
                continue
            if names is None or resource.address.name in names:
                yield resource

    def names(self, kind: Kind) -> Iterator[str]:
        """Yield the names of the live resources of a kind, from the list alone, without slots that hold nothing."""
        routes = self._reach.routes(kind)
        if kind.singleton:
            yield SINGLETON
        live = (from_wire(kind, entry) for entry in self.entries(kind, routes))
        yield from dict.fromkeys(r.address.name for r in live if r.address.name and not is_reset(kind, r))

    def entries(self, kind: Kind, routes: Routes) -> Iterator[Wire]:
        """Yield what the list of a kind holds."""
        listing = routes.list
        if listing is None:
            return
        for entry in page_through(listing, lambda path: self._reach.read(routes, path)):
            for theirs, ours in listing.rename.items():
                if theirs in entry:
                    entry[ours] = entry.pop(theirs)
            if is_managed(kind, listing, entry):
                yield entry

    def _bodies(self, kind: Kind, routes: Routes, names: frozenset[str] | None) -> Iterable[Wire]:
        if kind.singleton:
            return self._only(routes) if names is None or SINGLETON in names else ()
        if names is not None and routes.get and kind.key == (routes.id,) and not kind.slots:
            return self._fetched(kind, routes, sorted(names))
        if routes.list is not None and routes.list.summary:
            entries = (e for e in self.entries(kind, routes) if names is None or _may_be(kind, e, names))
            return self._fetched(kind, routes, (str(entry.get(routes.id) or "") for entry in entries))
        return list(self.entries(kind, routes))

    def _only(self, routes: Routes) -> Iterator[Wire]:
        if routes.get is not None and (body := self._reach.one(routes, routes.get)) is not None:
            yield body
        parts = {name: self._reach.one(routes, part.get) for name, part in routes.parts.items()}
        there = {name: body for name, body in parts.items() if body is not None}
        if there:
            yield there

    def _fetched(self, kind: Kind, routes: Routes, idents: Iterable[str]) -> Iterator[Wire]:
        """Yield the bodies of these objects, without those that are gone. The first failure ends it all."""
        call = routes.get
        if call is None:
            raise Refused(f"{kind.name} lists summaries and has no call for one object (schema {kind.file})")
        futures: deque[Future[Wire | None]] = deque()
        try:
            for ident in _once(idents):
                # With its context, a read that is part of a write that is tried again shares that one's attempts.
                futures.append(self._pool.submit(copy_context().run, self._one, kind, routes, call, ident))
                if len(futures) > self._ahead and (body := futures.popleft().result()) is not None:
                    yield body
            while futures:
                if (body := futures.popleft().result()) is not None:
                    yield body
        finally:
            for future in futures:
                future.cancel()

    def _one(self, kind: Kind, routes: Routes, call: Call, ident: str) -> Wire | None:
        body = self._reach.one(routes, call, ident)
        # Some consoles answer with an empty object where there is none.
        if body is None or not body.get(routes.id):
            return None
        return body if is_managed(kind, routes.list, body) else None


def has(body: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Return whether a body holds these values."""
    return all(body.get(name) == value for name, value in values.items())


def is_managed(kind: Kind, listing: Listing | None, body: Mapping[str, Any]) -> bool:
    """Return whether a body is of this kind, and not the product's own."""
    return has(body, listing.where if listing else {}) and not (kind.exclude and has(body, kind.exclude))


def _distinct(kind: Kind, routes: Routes, bodies: Iterable[Wire]) -> Iterator[Resource]:
    """Yield a resource for each object, once.

    Raises:
        Refused: two objects have the same name, so git cannot say which one it means.
    """
    seen: dict[str, Any] = {}
    for body in bodies:
        resource = from_wire(kind, body)
        name = resource.address.name
        # Where the console gives an object no id, what it says tells it from others.
        identity = body.get(routes.id) or resource.spec
        if not name:
            _log.warning("a %s without a name is left out: git has no way to name it", routes.noun)
        elif name not in seen:
            seen[name] = identity
            yield resource
        elif identity != seen[name]:
            raise Refused(f"{resource.address}: the console has two of this name; rename or delete one of them")


def _once(idents: Iterable[str]) -> Iterator[str]:
    """Yield each ident that is none of those before it, as soon as it is known."""
    seen = {""}
    for ident in idents:
        if ident not in seen:
            seen.add(ident)
            yield ident


def _may_be(kind: Kind, entry: Wire, names: frozenset[str]) -> bool:
    name = from_wire(kind, entry).address.name
    return not name or name in names
