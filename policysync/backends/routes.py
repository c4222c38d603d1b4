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
        body: "object", "array" (one element), "keys" (an array of the id), {"wrap": member, "lift": [members]}: the
            object goes into an array under `wrap`, and the lifted members stand beside it; {"only": [members]}; or
            {"const": what is sent, with `$id` in the place of the id}.
        conflict: the status that says that the name is taken.
        query: always sent.
        missing_text: what an error answer says, of whatever status, when there is no such object.
        item: pointer to the object in the answer.
        when, instead: the path for objects that have these values now.
        withheld: why the call is never made.
    """

    method: str
    path: str
    missing: frozenset[int] = frozenset({404})
    body: Body | None = None
    conflict: int = 409
    query: Mapping[str, str] = field(default_factory=dict)
    missing_text: str = ""
    item: str = ""
    when: Mapping[str, Any] = field(default_factory=dict)
    instead: str = ""
    withheld: str = ""


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A call of its own after a create or update.

    Attributes:
        changed: made when one of these members changed; empty for a call for each element.
        event, list: "added" or "removed", and the keyed list whose elements come or go.
        of: the kind whose resource an element's key names, and whose id stands in the path; empty for the object's.
        body: what is sent; `$id` is the object's id, `$name` a member of the element, or of the object.
    """

    call: Call
    body: Mapping[str, Any]
    changed: frozenset[str] = frozenset()
    event: str = ""
    list: str = ""
    of: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """One document of a composite, and its members that belong to the composite."""

    get: Call
    update: Call
    only: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """The call that lists a kind.

    Attributes:
        items: pointers to the array in the answer, of which the first that leads somewhere counts; empty lets the
            paging style decide.
        map: the member of an entry that the names of a map stand for; each holds an array of entries, or one entry
            where `single`.
        query: always sent.
        where: only entries with these values are of this kind.
        rename: names of the answer → the names we send.
        silent: an answer without a body says that there is none.
    """

    method: str
    path: str
    paging: str = "count"
    summary: bool = False
    items: tuple[str, ...] = ()
    query: Mapping[str, str] = field(default_factory=dict)
    where: Mapping[str, Any] = field(default_factory=dict)
    rename: Mapping[str, str] = field(default_factory=dict)
    map: str = ""
    single: bool = False
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Routes:
    """The calls of one kind. `id` is the member of the body that stands for `{id}`, empty when the kind has none.

    `list` is None where nothing is listed: there is one object, or the ids have to be known. A composite has `parts`.
    """

    base: str
    id: str
    noun: str
    list: Listing | None
    get: Call | None
    create: Call | None
    update: Call | None
    delete: Call | None
    then: tuple[FollowUp, ...] = ()
    parts: Mapping[str, Part] = field(default_factory=dict)


def routes_of(kind: Kind) -> Routes:
    """Return the calls of a kind.

    Raises:
        Refused: its schema says nothing about calls.
    """
    api = kind.api
    if "list" not in api:
        raise Refused(f"{kind.name} has no calls: its schema lacks x-api (schema {kind.file})")
    return Routes(
        base=api.get("base", "console"),
        id=api.get("id", ""),
        noun=api.get("noun", kind.name),
        list=_listing(api["list"]) if api["list"] else None,
        get=_optional(api.get("get")),
        create=_optional(api.get("create")),
        update=_optional(api.get("update")),
        delete=_optional(api.get("delete")),
        then=tuple(_follow_up(call) for call in api.get("then", ())),
        parts={
            name: Part(_call(part["get"]), _call(part["update"]), tuple(part["only"]))
            for name, part in api.get("parts", {}).items()
        },
    )


def _listing(listed: Mapping[str, Any]) -> Listing:
    items = listed.get("items", ())
    return Listing(
        method=listed.get("method", "GET"),
        path=listed["path"],
        paging=listed.get("paging", "count"),
        summary=listed.get("bodies", "full") == "summary",
        items=(items,) if isinstance(items, str) else tuple(items),
        query=listed.get("query", {}),
        where=listed.get("where", {}),
        rename=listed.get("rename", {}),
        map=listed.get("map", ""),
        single=listed.get("map-of") == "object",
        silent=204 in listed.get("success", ()),
    )


def _optional(call: Mapping[str, Any] | None) -> Call | None:
    return _call(call) if call else None


def _call(call: Mapping[str, Any]) -> Call:
    instead = call.get("instead", {})
    return Call(
        method=call["method"],
        path=call["path"],
        missing=frozenset({404, *call.get("missing", ())}),
        body=call.get("body"),
        conflict=call.get("conflict", 409),
        query=call.get("query", {}),
        missing_text=call.get("missing-text", ""),
        item=call.get("item", ""),
        when=instead.get("when", {}),
        instead=instead.get("path", ""),
        withheld=call.get("withheld", ""),
    )


def _follow_up(call: Mapping[str, Any]) -> FollowUp:
    event, listed = next(iter(call.get("for-each", {}).items()), ("", ""))
    changed = frozenset(call.get("when-changed", ()))
    return FollowUp(Call(call["method"], call["path"]), call["body"], changed, event, listed, call.get("of", ""))


def item_path(call: Call, ident: str, noun: str) -> str:
    """Return the path of one object with the call's query, its id percent-encoded as one segment.

    Raises:
        Refused: with this id the path would lead to the whole collection, where a DELETE removes everything.
    """
    if "{id}" not in call.path:
        return with_query(call.path, call.query)
    if ident in ("", ".", ".."):
        raise Refused(f"{call.method} {call.path}: {ident!r} cannot address a {noun}: it would mean the collection")
    return with_query(call.path.replace("{id}", quote(ident, safe="")), call.query)


def with_query(path: str, query: Mapping[str, Any]) -> str:
    """Return a path with a query."""
    return f"{path}?{urlencode(query, quote_via=quote)}" if query else path


def shaped(body: Body | None, value: dict[str, Any], ident: Any = None) -> Any:
    """Return an object as the body of a call wants it. `ident` is its id, as the console spells it."""
    if body == "keys":
        return [ident]
    if isinstance(body, Mapping) and "only" in body:
        return {name: value[name] for name in body["only"] if name in value}
    if isinstance(body, Mapping) and "const" in body:
        return filled(body["const"], {"id": ident})
    if isinstance(body, Mapping):
        lifted = {name: value[name] for name in body.get("lift", ()) if name in value}
        return {**lifted, body["wrap"]: [{name: v for name, v in value.items() if name not in lifted}]}
    return [value] if body == "array" else value


def filled(template: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a body with each text `$name` replaced by that value; a member without a value is left out."""
    body = {}
    for member, text in template.items():
        if not (isinstance(text, str) and text.startswith("$")):
            body[member] = text
        elif text[1:] in values:
            body[member] = values[text[1:]]
    return body
