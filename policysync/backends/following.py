"""Calls of their own after a create or update, for what the first call ignores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from policysync.backends.routes import Call, FollowUp, filled
from policysync.kinds.kind import Kind
from policysync.state.normalize import item_key, says
from policysync.state.resource import Resource
from policysync.state.wire import plain


class After(NamedTuple):
    """One such call. `of` and `name` say whose id stands in its path; `of` is empty for the object's own."""

    call: Call
    body: dict[str, Any]
    of: str = ""
    name: str = ""


class Done(NamedTuple):
    """What has just been done.

    Attributes:
        ident: the object's id, as the console spells it.
        before: the object as it was; None when it has just been made.
        changed: the members an update has changed.
    """

    kind: Kind
    ident: Any
    before: Resource | None
    after: Resource
    changed: frozenset[str] = frozenset()


def calls_after(done: Done, follow_ups: Iterable[FollowUp]) -> Iterator[After]:
    """Yield the calls that follow a create or update."""
    for follow in follow_ups:
        if follow.changed & done.changed:
            yield After(follow.call, filled(follow.body, {**_stated(done.after.spec), "id": done.ident}))
        elif follow.list in done.after.spec:
            for item in _elements(done, follow):
                name = str(item[done.kind.root.properties[follow.list].key[0]])
                yield After(follow.call, filled(follow.body, {**_stated(item), "id": done.ident}), follow.of, name)


def _elements(done: Done, follow: FollowUp) -> Iterator[Mapping[str, Any]]:
    """Yield the elements of a keyed list that come or change, or those that go."""
    field = done.kind.root.properties[follow.list]
    live = {item_key(field, item): item for item in (done.before.spec.get(follow.list, []) if done.before else [])}
    stated = {item_key(field, item): item for item in done.after.spec[follow.list]}
    if follow.event == "removed":
        yield from (item for key, item in live.items() if key not in stated)
    else:
        yield from (item for key, item in stated.items() if key not in live or not says(live[key], item))


def _stated(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in spec.items()}
