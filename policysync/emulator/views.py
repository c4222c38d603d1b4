"""Calls outside the five: views over several kinds, switches, and what the console has found out by itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote

import orjson

from policysync.emulator import paging
from policysync.emulator.auth import knows
from policysync.emulator.bodies import objects_in
from policysync.emulator.estate.estate import Estate
from policysync.emulator.estate.findings import Findings
from policysync.emulator.estate.images import Images
from policysync.emulator.estate.inventory import Inventory
from policysync.emulator.estate.system import System
from policysync.emulator.exchange import JSON, Request, Response, answer, refuse
from policysync.emulator.objects import refuse_body
from policysync.emulator.ordering import ordered
from policysync.emulator.quirks.access import SHORTEST, digest_of
from policysync.emulator.rest import Call, Rest
from policysync.emulator.routes import Routes
from policysync.kinds.kind import Kind

View = Callable[[Call], Response]
"""Answers one request."""


class Views:
    """Views by method and path. In a path `{}` stands for one name and `{+}` for one that may hold slashes."""

    def __init__(self, views: Mapping[tuple[str, str], View]) -> None:
        self.paths = tuple(views)
        self._exact = {place: view for place, view in views.items() if "{" not in place[1]}
        self._patterns = [
            (method, re.compile(_pattern(path)), view) for (method, path), view in views.items() if "{" in path
        ]

    def exact(self, method: str, path: str) -> View | None:
        return self._exact.get((method, path))

    def named(self, method: str, path: str) -> tuple[View | None, tuple[str, ...], bool]:
        """Return a view of something the path names, the names, and whether another method would do."""
        known = any(path == other for _, other in self._exact)
        for wanted, pattern, view in self._patterns:
            found = pattern.fullmatch(path)
            if found and method == wanted:
                return view, tuple(map(unquote, found.groups())), True
            known = known or bool(found)
        return None, (), known


def _pattern(path: str) -> str:
    return re.escape(path).replace(r"\{\+\}", "(.+)").replace(r"\{\}", "([^/]+)")


_ASSURANCE = "/api/v2/assurance_policy"
_RESPONSE = "/api/v2/response_policies"
_IDENTIFIERS = ("id", "name", "assurance_type", "runtime_type", "description", "author", "lastupdate")


def views_of(kinds: Mapping[str, Kind], routes: Routes, rest: Rest) -> Views:
    """Return the views that make sense for these kinds, by method and path."""
    estate = Estate(rest.store, rest.clock)
    views: dict[tuple[str, str], View] = {}
    for part in (Images(estate), Findings(estate), Inventory(estate), System(estate, _actions(kinds))):
        views |= part.views()
    views["POST", "/api/v2/self_service/change_password"] = lambda call: _new_password(call, rest)
    assurance = [
        k for k in kinds.values() if str((k.api.get("list") or {}).get("path", "")).startswith(_ASSURANCE + "/")
    ]
    if assurance:
        views["GET", _ASSURANCE] = lambda call: _every_type(call.request, assurance, rest)
    responses = routes.table.get(("GET", _RESPONSE))
    if responses is not None:
        kind = responses.kinds[0]
        views["GET", f"{_RESPONSE}/configs"] = lambda _: answer(200, _CONFIGS)
        views["PUT", f"{_RESPONSE}/{{}}/status"] = lambda call: _status(call, kind, rest)
        views["DELETE", _RESPONSE] = lambda _: _delete_all(kind, rest)
    return Views({path: view for path, view in views.items() if path not in routes.table})


def _actions(kinds: Mapping[str, Kind]) -> tuple[str, ...]:
    """Return the permission actions of the whole platform, as far as they are known."""
    kind = kinds.get("PermissionSetSaas")
    actions = kind.root.properties.get("actions") if kind else None
    return tuple(actions.each.known) if actions is not None and actions.each else ()


def _every_type(request: Request, kinds: list[Kind], rest: Rest) -> Response:
    """Source: reference, policies 4: one list for all types, trimmed with `identifiers_only=true`."""
    api = {"paging": "count"}
    names = [kind.name for kind in kinds]
    page = paging.page_of(request.query, api)
    items = ordered(rest.store, names, page.order, kinds[0])[page.start : page.start + page.size]
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
        before = rest.store.get([kind.name], call.parts[0])
        if before is None:
            raise refuse(404, f"{rest.served(kind).noun} doesn't exist")
        body: dict[str, Any] = {**orjson.loads(before.body), "enabled": wanted}
        rest.put(kind, body, before, call)
    return Response(200, b"{}", (JSON,))


def _new_password(call: Call, rest: Rest) -> Response:
    """Source: reference, platform 4, user; the codes are a guess."""
    (body,) = objects_in(call.request.body, "object", "password")
    said, wanted = str(body.get("current_password") or ""), str(body.get("new_password") or "")
    if not knows(call.user, said, rest.settings, rest.store):
        raise refuse(400, "the current password is not right")
    if len(wanted) < SHORTEST:
        raise refuse(400, f"a password needs {SHORTEST} characters or more")
    with rest.store.writing():
        rest.store.remember(f"password {call.user}", digest_of(call.user, wanted))
    return Response(204)


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
