"""`x-api` of a kind: which calls serve it, and what goes into their paths and bodies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from policysync.errors import Refused
from policysync.kinds.kind import Kind

Body = str | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """One call.

    Attributes:
        path: below the base address; `{id}` stands for the object's id.
        missing: statuses that say that there is no such object.
        body: "object", "array" (one element), or {"wrap": member, "lift": [members]}: the object goes into an
            array under `wrap`, and the lifted members stand beside it.
        conflict: the status that says that the name is taken.
    """

    method: str
    path: str
    missing: frozenset[int] = frozenset({404})
    body: Body | None = None
    conflict: int = 409


@dataclass(frozen=True, slots=True)
class Listing:
    """The call that lists a kind.

    Attributes:
        items: pointer to the array in the answer; None lets the paging style decide.
        query: always sent.
        where: only entries with these values are of this kind.
        rename: names of the answer → the names we send.
    """

    method: str
    path: str
    paging: str = "count"
    summary: bool = False
    items: str | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    where: Mapping[str, Any] = field(default_factory=dict)
    rename: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Routes:
    """The calls of one kind. `id` is the member of the body that stands for `{id}`, empty when the kind has none."""

    base: str
    id: str
    noun: str
    list: Listing
    get: Call | None
    create: Call | None
    update: Call | None
    delete: Call | None


def routes_of(kind: Kind) -> Routes:
    """Return the calls of a kind.

    Raises:
        Refused: its schema says nothing about calls.
    """
    api = kind.api
    if "list" not in api:
        raise Refused(f"{kind.name} has no calls: its schema lacks x-api (schema {kind.file})")
    listed = api["list"]
    return Routes(
        base=api.get("base", "console"),
        id=api.get("id", ""),
        noun=api.get("noun", kind.name),
        list=Listing(
            method=listed.get("method", "GET"),
            path=listed["path"],
            paging=listed.get("paging", "count"),
            summary=listed.get("bodies", "full") == "summary",
            items=listed.get("items"),
            query=listed.get("query", {}),
            where=listed.get("where", {}),
            rename=listed.get("rename", {}),
        ),
        get=_call(api.get("get")),
        create=_call(api.get("create")),
        update=_call(api.get("update")),
        delete=_call(api.get("delete")),
    )


def _call(call: Mapping[str, Any] | None) -> Call | None:
    if not call:
        return None
    return Call(
        method=call["method"],
        path=call["path"],
        missing=frozenset({404, *call.get("missing", ())}),
        body=call.get("body"),
        conflict=call.get("conflict", 409),
    )


def item_path(call: Call, ident: str, noun: str) -> str:
    """Return the path of one object, its id percent-encoded as one segment.

    Raises:
        Refused: with this id the path would lead to the whole collection, where a DELETE removes everything.
    """
    if "{id}" not in call.path:
        return call.path
    if ident in ("", ".", ".."):
        raise Refused(f"{call.method} {call.path}: {ident!r} cannot address a {noun}: it would mean the collection")
    return call.path.replace("{id}", quote(ident, safe=""))


def with_query(path: str, query: Mapping[str, Any]) -> str:
    """Return a path with a query."""
    return f"{path}?{urlencode(query, quote_via=quote)}" if query else path


def shaped(body: Body | None, value: dict[str, Any]) -> Any:
    """Return an object as the body of a call wants it."""
    if isinstance(body, Mapping):
        lifted = {name: value[name] for name in body.get("lift", ()) if name in value}
        return {**lifted, body["wrap"]: [{name: v for name, v in value.items() if name not in lifted}]}
    return [value] if body == "array" else value
