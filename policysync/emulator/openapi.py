"""An OpenAPI 3.1 description of what a console answers, made from the same schemas that it is made from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from policysync.emulator.paging import BARE_WITHOUT_PAGE
from policysync.emulator.routes import Route, Routes
from policysync.emulator.settings import Settings
from policysync.emulator.shape import Shape, shape_of
from policysync.emulator.sign_in import ENVIRONMENTS, LOGIN, SIGN_IN, TOKENS
from policysync.kinds.kind import Kind
from policysync.version import VERSION

_JSON = "application/json"
_ERRORS = ("400", "401", "403", "404", "405", "409", "422", "429")
_OPEN = {"/api": "get", LOGIN: "post", SIGN_IN: "post", TOKENS: "post", ENVIRONMENTS: "get"}
_PAGE = {
    "count": ("page", "pagesize", "order_by"),
    "data": ("page", "page_size", "scope", "title"),
    "current_page": ("page", "page_size", "order_by"),
    "offset": ("limit", "offset"),
    "pages": ("page", "size"),
}
_LISTED = {"count": "result", "data": "data", "current_page": "data", "offset": "data", "pages": "permissions"}

Node = dict[str, Any]


def description(kinds: Iterable[Kind], routes: Routes, views: Iterable[tuple[str, str]]) -> Node:
    """Return the description. `views` are calls of which no more than the path is known."""
    paths: dict[str, Node] = {path: {method: _open(path)} for path, method in _OPEN.items()}
    for (method, path), route in sorted(routes.table.items(), key=lambda item: item[0]):
        paths.setdefault(path, {})[method.lower()] = _operation(path, route)
    for method, path in views:
        named, names = _named(path)
        paths.setdefault(named, {})[method.lower()] = _view(method, named, names)
    settings = Settings()
    schemas = {kind.name: {**_schema(shape_of(kind.root, settings)), "type": "object"} for kind in kinds}
    schemas["Error"] = {
        "type": "object",
        "properties": {"message": {"type": "string"}, "code": {"type": "integer"}},
        "required": ["message"],
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "Emulated console", "version": VERSION},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"basic": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "basic": {"type": "http", "scheme": "basic"},
            },
        },
    }


def _operation(path: str, route: Route) -> Node:
    api, kind = route.api, route.kinds[0]
    parameters = [_in_path("id")] if "{id}" in path else []
    paging = api.get("paging", "count") if route.operation == "list" else ""
    parameters += [{"name": name, "in": "query", "schema": {"type": "string"}} for name in _PAGE.get(paging, ())]
    operation: Node = {
        "operationId": _ident(route.operation, path),
        "tags": [one.name for one in route.kinds],
        "summary": f"{route.operation} {kind.api.get('noun', kind.name)}",
        "parameters": parameters,
        "responses": _responses(route),
    }
    body = _body(route)
    return {**operation, "requestBody": {"content": {_JSON: {"schema": body}}}} if body else operation


def _responses(route: Route) -> Node:
    api = route.api
    codes = api.get("success", [200]) if route.operation != "get" else [200]
    shown = route.operation in ("list", "get") or api.get("answer", "empty") != "empty"
    found = _found(route)
    good = {str(c): _answer(found if shown and c != 204 else None) for c in dict.fromkeys((*codes, *_accepted(api)))}
    return {**good, **{code: _answer({"$ref": "#/components/schemas/Error"}) for code in _ERRORS}}


def _accepted(api: Mapping[str, Any]) -> tuple[int, ...]:
    return (int(api["canonical"]),) if "canonical" in api else ()


def _found(route: Route) -> Node:
    """Return the schema of a good answer."""
    one = _one(route)
    api = route.api
    if route.operation == "list":
        return _list(one, api)
    if api.get("answer") == "array":
        return {"type": "array", "items": one}
    if api.get("item"):
        return {"type": "object", "properties": {str(api["item"]).strip("/"): one}}
    return one


def _one(route: Route) -> Node:
    references: list[Node] = [{"$ref": f"#/components/schemas/{kind.name}"} for kind in route.kinds]
    return references[0] if len(references) == 1 else {"anyOf": references}


def _list(one: Node, api: Mapping[str, Any]) -> Node:
    whole: Node = {"type": "array", "items": one}
    array = {**whole, "type": ["array", "null"]}
    style = api.get("paging", "count")
    if style == "map":
        each = one if api.get("map-of") == "object" else array
        return {"type": "object", "additionalProperties": each}
    if style == "none":
        return whole
    page: Node = {"type": "object", "properties": {_LISTED.get(style, "result"): array}}
    return {"anyOf": [page, whole]} if api["path"] == BARE_WITHOUT_PAGE else page


def _body(route: Route) -> Node | None:
    if route.operation in ("list", "get"):
        return None
    form = route.api.get("body", "object" if route.operation != "delete" else None)
    if form is None:
        return None
    one: Node = {"type": "object"} if route.operation == "then" else _one(route)
    if form == "keys":
        return {"type": "array", "items": {"type": "string"}}
    if form == "array":
        return {"type": "array", "items": one}
    if isinstance(form, Mapping) and "wrap" in form:
        return {"type": "object", "properties": {form["wrap"]: {"type": "array", "items": one}}}
    return one


def _schema(shape: Shape) -> Node:
    """Return what a value looks like on the way in and on the way out: nothing is required, and null is allowed."""
    types = sorted({*shape.types, "null"}) if shape.types else None
    node: Node = {"type": types} if types else {}
    if shape.members is not None:
        node["properties"] = {name: _schema(sub) for name, sub in shape.members.items()}
    if shape.free is not None:
        node["additionalProperties"] = _schema(shape.free)
    if shape.each is not None:
        node["items"] = _schema(shape.each)
    return node


def _view(method: str, path: str, names: list[str]) -> Node:
    anything = {"description": "what the console has found out", "content": {_JSON: {"schema": {}}}}
    codes = ("200",) if method == "GET" else ("200", "201", "202", "204")
    operation: Node = {
        "operationId": _ident(method.lower(), path),
        "tags": ["views"],
        "parameters": [_in_path(name) for name in names],
        "responses": {
            **{code: anything if code == "200" else _answer(None) for code in codes},
            **{code: _answer({"$ref": "#/components/schemas/Error"}) for code in (*_ERRORS, "500")},
        },
    }
    if path.endswith("/stream"):
        operation["responses"]["200"] = {"description": "an archive", "content": {"application/zip": {}}}
    if method in ("POST", "PUT"):
        operation["requestBody"] = {"content": {_JSON: {"schema": {"type": "object"}}}}
    return operation


def _open(path: str) -> Node:
    operation = _view("GET" if _OPEN[path] == "get" else "POST", path, [])
    return {**operation, "tags": ["sign-in"], "security": []} if path != ENVIRONMENTS else operation


def _named(path: str) -> tuple[str, list[str]]:
    """Return a view's path with names for its places."""
    names: list[str] = []

    def name(_: re.Match[str]) -> str:
        names.append(f"name{len(names) + 1}")
        return f"{{{names[-1]}}}"

    return re.sub(r"\{\+?\}", name, path), names


def _in_path(name: str) -> Node:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _answer(schema: Node | None) -> Node:
    answer: Node = {"description": "done" if schema is None else "an answer"}
    return {**answer, "content": {_JSON: {"schema": schema}}} if schema is not None else answer


def _ident(operation: str, path: str) -> str:
    return operation + re.sub(r"[^A-Za-z0-9]+", "_", path).rstrip("_")
