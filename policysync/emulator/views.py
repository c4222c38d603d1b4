"""Calls outside the five: views over several kinds, switches, and pages of what nobody has put there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from policysync.emulator import paging
from policysync.emulator.exchange import JSON, Request, Response, answer, refuse
from policysync.emulator.objects import refuse_body
from policysync.emulator.rest import Call, Rest
from policysync.emulator.routes import Routes
from policysync.kinds.kind import Kind

View = Callable[[Call], Response]
"""Answers one request."""

_ASSURANCE = "/api/v2/assurance_policy"
_RESPONSE = "/api/v2/response_policies"
_EMPTY_PAGES = (
    "/api/v2/images",
    "/api/v2/repositories",
    "/api/v2/risks/vulnerabilities",
    "/api/v2/containers",
    "/api/v2/serverless/functions",
    "/api/v1/hosts",
    "/api/v1/hostsbatch",
    "/api/v1/hosts/images",
    "/api/v2/hub/inventory/assets/images/list",
    "/api/v2/hub/inventory/assets/vms/list",
)
_EMPTY_LISTS = ("/api/v1/servers", "/api/v1/consoles")
_IDENTIFIERS = ("id", "name", "assurance_type", "runtime_type", "description", "author", "lastupdate")


def views_of(kinds: Mapping[str, Kind], routes: Routes, rest: Rest) -> Mapping[tuple[str, str], View]:
    """Return the views that make sense for these kinds, by method and path."""
    views: dict[tuple[str, str], View] = {("GET", path): _empty_page for path in _EMPTY_PAGES}
    views.update({("GET", f"{path}/count"): lambda _: answer(200, {"count": 0}) for path in _EMPTY_PAGES})
    views.update({("GET", path): lambda _: answer(200, []) for path in _EMPTY_LISTS})
    assurance = [k for k in kinds.values() if str(k.api.get("list", {}).get("path", "")).startswith(_ASSURANCE + "/")]
    if assurance:
        views["GET", _ASSURANCE] = lambda call: _every_type(call.request, assurance, rest)
    responses = routes.table.get(("GET", _RESPONSE))
    if responses is not None:
        kind = responses.kinds[0]
        views["GET", f"{_RESPONSE}/configs"] = lambda _: answer(200, _CONFIGS)
        views["PUT", f"{_RESPONSE}/{{id}}/status"] = lambda call: _status(call, kind, rest)
        views["DELETE", _RESPONSE] = lambda _: _delete_all(kind, rest)
    return {path: view for path, view in views.items() if path not in routes.table}


def _empty_page(call: Call) -> Response:
    page = paging.page_of(call.request.query, {"paging": "count", "size": ("pagesize", "page_size")})
    return paging.wrap([], 0, page, {"paging": "count"})


def _every_type(request: Request, kinds: list[Kind], rest: Rest) -> Response:
    """Source: reference, policies 4: one list for all types, trimmed with `identifiers_only=true`."""
    api = {"paging": "count"}
    names = [kind.name for kind in kinds]
    page = paging.page_of(request.query, api)
    items = rest.store.page(names, page.order, page.start, page.size)
    if request.query.get("identifiers_only") == "true":
        items = [orjson.dumps({n: v for n, v in orjson.loads(i).items() if n in _IDENTIFIERS}) for i in items]
    return paging.wrap(items, rest.store.count(names), page, api)


def _status(call: Call, kind: Kind, rest: Rest) -> Response:
    """Source: reference, policies 7: `PUT …/{id}/status` with `{"enabled": true}`."""
    try:
        wanted = orjson.loads(call.request.body).get("enabled")
    except (orjson.JSONDecodeError, AttributeError):
        wanted = None
    if not isinstance(wanted, bool):
        raise refuse_body("policy", "Unmarshal type error: expected=bool, got=null, field=enabled, offset=0")
    with rest.store.writing():
        before = rest.store.get([kind.name], call.ident)
        if before is None:
            raise refuse(404, f"{rest.served(kind).noun} doesn't exist")
        body: dict[str, Any] = {**orjson.loads(before.body), "enabled": wanted}
        rest.put(kind, body, before, call)
    return Response(200, b"{}", (JSON,))


def _delete_all(kind: Kind, rest: Rest) -> Response:
    """Source: reference, policies 7: a delete without an id removes every response policy."""
    with rest.store.writing():
        rest.store.clear([kind.name])
    return Response(204)


def _choices(names: tuple[str, ...], kind: str) -> list[dict[str, Any]]:
    return [{"name": name, "type": kind, "display_name": name, "enabled": True} for name in names]


_CONFIGS: Mapping[str, Any] = {
    "triggers": [
        {"name": "Incidents with critical severity", "type": "predefined"},
        {"name": "Incident event", "type": "input"},
    ],
    "input": {
        "asset_types": [{"display_name": "Cluster", "field": "cluster", "value": "cluster"}],
        "attributes": [
            {**choice, "input_type": "text", "asset_types": ["cluster"], "options": []}
            for choice in _choices(("cluster", "namespace", "severity"), "string")
        ],
        "operations": _choices(("equals", "not_equals", "contains"), "string"),
    },
}
"""The form is the reference's (policies 7); apart from the first trigger the values are examples."""
