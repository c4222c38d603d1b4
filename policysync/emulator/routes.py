"""Method and path → the call that is meant, built once from the kinds' own `x-api`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from policysync.kinds.kind import Kind

OPERATIONS = ("list", "get", "create", "update", "delete")
EDGE = "/supply_chain"
"""Calls of the supply-chain API are also found below this, as on the edge host."""
_OLDER = {"/api/v2/assurance_policy/image": "/api/v2/image_assurance"}
"""Where old consoles have the same collection (reference, policies 4)."""


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
        for operation in OPERATIONS:
            api = kind.api.get(operation)
            if not api:
                continue
            for path in _paths(kind, api["path"]):
                before = table.get((api["method"], path))
                if before is not None and before.operation != operation:
                    continue
                table[api["method"], path] = Route(operation, (*(before.kinds if before else ()), kind), api)
    return Routes(table, frozenset(path for _, path in table))


def _paths(kind: Kind, path: str) -> Iterable[str]:
    yield path
    if kind.api.get("base") == "supply-chain":
        yield EDGE + path
    collection = path.removesuffix("/{id}")
    if collection in _OLDER:
        yield _OLDER[collection] + path.removeprefix(collection)
