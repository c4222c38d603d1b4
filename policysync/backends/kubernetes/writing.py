"""Writing one object: applied on the server, never by force.

A field that another manager applies stays with it, and the change is refused. A field that somebody changed by hand
is taken back first, by an ordinary patch of what was read: nobody is going to write it again. Docs: decision 0022.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from policysync.backends.kubernetes.client import MANAGER, Client
from policysync.backends.kubernetes.discovery import Served
from policysync.backends.kubernetes.failures import Conflict, Missing, Owned
from policysync.backends.kubernetes.managed import applied, owners
from policysync.backends.kubernetes.objects import Naming, body_of, created, resource_of, stated
from policysync.backends.kubernetes.preview import not_ours_to_make
from policysync.errors import Refused
from policysync.kinds.kind import Kind
from policysync.plan.change import Change
from policysync.plan.diff import diff
from policysync.pointer import MISSING
from policysync.render.cluster_object import OWNER_LABEL
from policysync.state.resource import Resource

Object = dict[str, Any]


class Writing:
    """Writes objects of one cluster. With `dry` everything is asked of the server and nothing is kept."""

    def __init__(self, client: Client, naming: Naming, by_hand: Iterable[str]) -> None:
        self._client = client
        self._naming = naming
        self._by_hand = frozenset(by_hand)

    def create(self, served: Served, kind: Kind, after: Resource, *, dry: bool = False) -> Object:
        """Make an object, unless it is there exactly as it is to be; then somebody asks twice.

        Raises:
            Refused: it exists and differs, or git does not state what it is made of.
        """
        namespace, name = self._naming.place(served, after.address.name)
        path = served.path(namespace, name)
        try:
            held = self._client.get(path)
        except Missing:
            if why := not_ours_to_make(kind, after):
                raise Refused(why) from None
            body = body_of(served, namespace, name, created(kind, after))
            return self._client.apply(path, body, dry=dry)
        live = resource_of(served, kind, held, after.address.name)
        if diff(kind.root, after.spec, live.spec, last=after.spec):
            raise Refused(f"{after.address} exists already, and differs from what was to be created")
        return held

    def update(self, served: Served, kind: Kind, change: Change, *, dry: bool = False) -> Object:
        """Change an object that was just read.

        Raises:
            Conflict: somebody else owns a field.
        """
        before, after = change.before, change.after
        if before is None or after is None:
            raise Refused(f"{change.id}: the change lacks the resource it is about; make the plan again")
        namespace, name = self._naming.place(served, after.address.name)
        path = served.path(namespace, name)
        if kind.api.get("update") == "merge":
            return self._client.merge(path, _content(served, stated(kind, after, {})), dry=dry)
        content = stated(kind, after, _kept(served, before.raw))
        body = body_of(served, namespace, name, content)
        try:
            held = self._client.apply(path, body, dry=dry)
        except Conflict as conflict:
            self._check(conflict.owned)
            taken = {**_content(served, content), "metadata": {"labels": body["metadata"]["labels"]}}
            held = self._client.merge(path, _at(before, taken), dry=dry)
            if dry:
                return held
            held = self._client.apply(path, body)
        return self._without_strangers(served, kind, after, path, held, dry=dry)

    def _without_strangers(
        self, served: Served, kind: Kind, after: Resource, path: str, held: Object, *, dry: bool
    ) -> Object:
        """Take out what git says is not there and an apply leaves alone, because we never owned it."""
        live = resource_of(served, kind, held, after.address.name)
        extra = [edit.path for edit in diff(kind.root, after.spec, live.spec, after.spec) if edit.after is MISSING]
        if not extra:
            return held
        content = (served.content,) if served.content else ()
        for one in extra:
            self._check(owners(held, (*content, *one)))
        taken: Object = {}
        for one in extra:
            _put(taken, one)
        return self._client.merge(path, _at(live, _content(served, taken)), dry=dry)

    def _check(self, owned: Iterable[Owned]) -> None:
        """Let nobody's field be taken but one that was changed by hand."""
        others = tuple(
            each
            for each in owned
            if each.manager != MANAGER and not (each.operation == "Update" and each.manager in self._by_hand)
        )
        if others:
            names = "; ".join(map(str, others))
            raise Conflict(f"{names}: agree with who writes it there, or take it out of git", others)


def marked(held: Mapping[str, Any]) -> bool:
    """Return whether an object carries the mark of the product."""
    return ((held.get("metadata") or {}).get("labels") or {}).get(OWNER_LABEL) == MANAGER


def _kept(served: Served, held: Mapping[str, Any]) -> dict[str, Any]:
    """Return what we applied before: a field that git no longer states is left as it is, not taken out."""
    return applied(held, MANAGER, served.content) if served.content else {}


def _content(served: Served, content: Mapping[str, Any]) -> Object:
    return {served.content: dict(content)} if served.content else dict(content)


def _at(live: Resource, body: Object) -> Object:
    """Return a patch that only fits the object as it was read."""
    version = (live.raw.get("metadata") or {}).get("resourceVersion")
    return {**body, "metadata": {**body.get("metadata", {}), "resourceVersion": version}} if version else body


def _put(body: Object, path: tuple[str, ...]) -> None:
    for step in path[:-1]:
        body = body.setdefault(step, {})
    body[path[-1]] = None
