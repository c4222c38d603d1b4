"""Method and path → the call that is meant, built once from the kinds' own `x-api`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from policysync.kinds.kind import Kind

OPERATIONS = ("list", "get", "create", "update", "delete")
EDGE = "/supply_chain"
"""Calls of the supply-chain API are also found below this, as on the edge host."""
_ELSEWHERE: Mapping[str, str] = {
    # Where older consoles have the same collection (reference, policies 4; platform 4).
    "/api/v2/assurance_policy/image": "/api/v2/image_assurance",
    "/api/cspm/v2/samlmappings": "/v2/samlmappings",
    "/v2/apikeys": "/api/v1/apikeys",
}
_LISTED_ALSO: Mapping[str, str] = {"/api/v1/registries": "/api/v2/registries", "/api/v1/users": "/api/v2/users"}
"""Bare lists that newer consoles also give in pages."""
_UPDATED_ALSO: Mapping[str, str] = {"/api/v2/scanner_groups/{id}": "/api/v2/migrate_scanner_groups"}


@dataclass(frozen=True, slots=True)
class Route:
    """One call. `kinds` share its path; `api` is what `x-api` says of the call for the first of them."""

    operation: str
    kinds: tuple[Kind, ...]
    api: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Routes:
    """Every call of a console: by method, and path with `{id}` where a name stands."""

    table: Mapping[tuple[str, str], Route]
    paths: frozenset[str] = field(default_factory=frozenset)

    def find(self, method: str, path: str) -> tuple[Route | None, str, bool]:
        """Return the call, the name in its path, and whether the path exists at all.

        The path is split before it is decoded: a name may hold an encoded slash.
        """
        plain = path.rstrip("/") if len(path) > 1 else path
        parts = plain.split("/")
        known = False
        for template, ident in ((plain, ""), *_templates(parts)):
            route = self.table.get((method, template))
            if route is not None:
                return route, unquote(ident), True
            known = known or template in self.paths
        return None, "", known


def _templates(parts: list[str]) -> Iterable[tuple[str, str]]:
    for at in range(len(parts) - 1, 0, -1):
        yield "/".join((*parts[:at], "{id}", *parts[at + 1 :])), parts[at]


def routes_of(kinds: Iterable[Kind]) -> Routes:
    """Return the calls of these kinds. Kinds with the same path form one collection."""
    table: dict[tuple[str, str], Route] = {}
    for kind in kinds:
        for operation, api in _calls(kind):
            for path, differing in _paths(kind, operation, api["path"].partition("?")[0]):
                before = table.get((api["method"], path))
                if before is not None and (before.operation != operation or kind in before.kinds):
                    continue
                together = (*(before.kinds if before else ()), kind)
                table[api["method"], path] = Route(operation, together, {**api, **differing})
    return Routes(table, frozenset(path for _, path in table))


def _calls(kind: Kind) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the calls of a kind. Where nothing is ever made or removed, writing is one call, whatever it means."""
    fixed = kind.singleton or bool(kind.slots)
    update = kind.api.get("update") or kind.api.get("create") or {}
    for operation in OPERATIONS:
        api = kind.api.get(operation) or {}
        same = bool(api) and (api["method"], api["path"]) == (update.get("method"), update.get("path"))
        if fixed and same:
            yield "update", api
        elif api and not (fixed and operation == "create"):
            yield operation, api
    for follow_up in kind.api.get("then", ()):
        if "of" not in follow_up:
            yield "then", follow_up


def _paths(kind: Kind, operation: str, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield path, {}
    if kind.api.get("base") == "supply-chain":
        yield EDGE + path, {}
    collection = path.removesuffix("/{id}")
    if collection in _ELSEWHERE:
        yield _ELSEWHERE[collection] + path.removeprefix(collection), {}
    if operation == "list" and path in _LISTED_ALSO:
        yield _LISTED_ALSO[path], {"paging": "count"}
    if operation == "update" and path in _UPDATED_ALSO:
        yield _UPDATED_ALSO[path], {}
