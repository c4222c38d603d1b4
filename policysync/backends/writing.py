"""Writing a change over REST: which call carries it, and what goes into its body."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import Any

from policysync.backends.answer import Answer, decoded
from policysync.backends.following import Done, calls_after
from policysync.backends.reach import Reach, accepted, inside
from policysync.backends.reading import Reading, has
from policysync.backends.routes import Call, Routes, item_path, shaped
from policysync.errors import BackendError, OutcomeUnknown, Refused, Unavailable
from policysync.kinds.kind import Kind
from policysync.plan.change import Action, Change
from policysync.plan.diff import diff
from policysync.state.resource import Resource
from policysync.state.wire import from_wire, to_wire


class Writing:
    """Writes changes. Threads may share it."""

    def __init__(self, reach: Reach, reading: Reading, kinds: Mapping[str, Kind]) -> None:
        self._reach = reach
        self._reading = reading
        self._kinds = kinds
        self._ids: dict[str, dict[str, Any]] = {}
        self._ids_lock = threading.Lock()

    def write(self, change: Change, kind: Kind) -> None:
        """Carry out a change; see `port.Backend`."""
        if kind.read_only:
            raise Refused(f"{change.id}: a {kind.name} can only be read")
        routes = self._reach.routes(kind)
        with self._ids_lock:
            self._ids.pop(kind.name, None)
        if change.action is Action.CREATE and change.after:
            self._make(kind, routes, change.after)
        elif change.action is Action.DELETE and change.before:
            self._delete(kind, routes, change.before)
        elif change.before and change.after:
            self._change(kind, routes, change, change.before, change.after)
        else:
            raise Refused(f"{change.id}: the change lacks the resource it is about; make the plan again")

    def _make(self, kind: Kind, routes: Routes, after: Resource) -> None:
        if kind.singleton:
            # What there is one of is there already, even if it was not to be seen when the plan was made.
            live = next(iter(self._reading.read(kind, None)), None)
            self._overwrite(kind, routes, live or Resource(after.address, {}), after)
        else:
            self._create(kind, routes, after)

    def _change(self, kind: Kind, routes: Routes, change: Change, before: Resource, after: Resource) -> None:
        if routes.parts or (routes.update is not None and not change.replace):
            self._overwrite(kind, routes, before, after)
            changed = frozenset(edit.path[0] for edit in change.edits)
            self._follow_up(routes, Done(kind, before.raw.get(routes.id), before, after, changed))
        else:
            self._replace(kind, routes, before, after)

    def _create(self, kind: Kind, routes: Routes, after: Resource) -> None:
        call = _required(routes.create, "created", kind)
        body = to_wire(kind, after.spec, lookup=self._id_of)
        _complete(kind, after, body)
        ident = body.get(routes.id)
        path = item_path(call, "" if ident is None else str(ident), routes.noun)
        answer = self._reach.send(routes, call, path, shaped(call.body, body, ident))
        if answer.status == call.conflict and self._is_there(kind, after):
            return
        made = _object(accepted(answer, writes=True), call)
        if routes.then:
            with once_begun():
                ident = self._id_made(kind, routes, made, after)
            self._follow_up(routes, Done(kind, ident, None, after))

    def _is_there(self, kind: Kind, after: Resource) -> bool:
        """Return whether the object exists exactly as it was to be created: then somebody is asking twice."""
        live = self._live(kind, after)
        return live is not None and not diff(kind.root, after.spec, live.spec, last=after.spec)

    def _id_made(self, kind: Kind, routes: Routes, made: Mapping[str, Any], after: Resource) -> Any:
        if made.get(routes.id) is not None:
            return made[routes.id]
        live = self._live(kind, after)
        return live.raw.get(routes.id) if live else None

    def _live(self, kind: Kind, after: Resource) -> Resource | None:
        return next(iter(self._reading.read(kind, frozenset({after.address.name}))), None)

    def _overwrite(self, kind: Kind, routes: Routes, before: Resource, after: Resource) -> None:
        body = to_wire(kind, after.spec, raw=before.raw, lookup=self._id_of)
        differing = [name for name in routes.parts if name in after.spec and _differs(kind, name, before, after)]
        for name in differing:
            part = routes.parts[name]
            whole = {**before.raw.get(name, {}), **{m: body[name][m] for m in part.only if m in body[name]}}
            with once_begun() if name != differing[0] else nullcontext():
                accepted(self._reach.send(routes, part.update, part.update.path, whole), writes=True)
        if routes.parts:
            return
        call = _required(routes.update, "changed", kind)
        path = item_path(_at(call, before.raw), before.id, routes.noun)
        ident = before.raw.get(routes.id)
        accepted(self._reach.send(routes, call, path, shaped(call.body, body, ident)), writes=True)

    def _delete(self, kind: Kind, routes: Routes, before: Resource) -> None:
        call = _required(routes.delete, "deleted", kind)
        payload = shaped(call.body, to_wire(kind, before.spec), before.raw.get(routes.id)) if call.body else None
        answer = self._reach.send(routes, call, item_path(call, before.id, routes.noun), payload)
        if answer.status not in call.missing:
            accepted(answer, writes=True)

    def _replace(self, kind: Kind, routes: Routes, before: Resource, after: Resource) -> None:
        """Delete and create. What git does not state is created as it was."""
        call = _required(routes.create, "created", kind)
        if call.withheld:
            raise Refused(f"{after.address} cannot be replaced: {call.withheld}")
        spec = overlaid(before.spec, after.spec)
        _complete(kind, after, to_wire(kind, spec))
        self._delete(kind, routes, before)
        try:
            with once_begun():
                self._create(kind, routes, Resource(after.address, spec))
        except Refused as error:
            raise Refused(
                f"{after.address} was deleted to be replaced and could not be created again: {error}"
            ) from error

    def _follow_up(self, routes: Routes, done: Done) -> None:
        for made in calls_after(done, routes.then):
            with once_begun():
                target = self._id_of(made.of, made.name) if made.of else done.ident
                if target is None:
                    lacking = f"{made.of} {made.name!r}" if made.of else "id of it"
                    raise Refused(f"{done.after.address}: there is no {lacking} on this console")
                path = item_path(made.call, str(target), routes.noun)
                accepted(self._reach.send(routes, made.call, path, made.body), writes=True)

    def _id_of(self, kind_name: str, name: str) -> Any:
        """Return the id an object has on this console, None when there is no such object."""
        kind = self._kinds[kind_name]
        with self._ids_lock:
            known = self._ids.get(kind_name, {})
            if name not in known:
                routes = self._reach.routes(kind)
                entries = self._reading.entries(kind, routes)
                known = {from_wire(kind, entry).address.name: entry.get(routes.id) for entry in entries}
                self._ids[kind_name] = known
            return known.get(name)


def _at(call: Call, body: Mapping[str, Any]) -> Call:
    """Return the call for an object that is like this now."""
    if call.instead and has(body, call.when):
        return Call(call.method, call.instead, query=call.query)
    return call


def _differs(kind: Kind, part: str, before: Resource, after: Resource) -> bool:
    return bool(diff(kind.root.properties[part], after.spec[part], before.spec.get(part, {})))


def _complete(kind: Kind, after: Resource, body: Mapping[str, Any]) -> None:
    """Refuse to make an object without what only its making needs."""
    lacking = [name for name, field in kind.root.properties.items() if field.required_on == "create"]
    for name in lacking:
        if not body.get(name):
            reference = ", as a reference such as ${env:NAME}" if kind.root.properties[name].sensitive else ""
            raise Refused(f"{after.address} cannot be created without {name}; state it{reference}")


def _object(answer: Answer, call: Call) -> Mapping[str, Any]:
    """Return the object an answer to a create holds; nothing when it holds none.

    Raises:
        OutcomeUnknown: the answer says that it was done, and cannot be read.
    """
    try:
        found = inside(decoded(answer), call) if answer.body[:1] in (b"{", b"[") else None
    except BackendError as error:
        raise OutcomeUnknown(str(error)) from error
    return found if isinstance(found, Mapping) else {}


@contextmanager
def once_begun() -> Iterator[None]:
    """Say of what may work later that nobody knows: a call before it did some of the change already."""
    try:
        yield
    except Unavailable as error:
        raise OutcomeUnknown(str(error), error.retry_after) from error


def _required(call: Call | None, done: str, kind: Kind) -> Call:
    if call is None:
        raise Refused(f"a {kind.name} cannot be {done} over the API; do it in the console")
    return call


def overlaid(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return `base` with what `over` states; objects are merged, everything else is replaced."""
    merged = dict(base)
    for name, value in over.items():
        below = merged.get(name)
        merged[name] = overlaid(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
    return merged
