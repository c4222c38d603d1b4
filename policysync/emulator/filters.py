"""Query parameters that narrow a list.

Source: reference, policies 7, 10, 13 and 14; platform 4. A parameter nobody knows is ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from policysync.kinds.kind import Kind

Keep = Callable[[Mapping[str, Any]], bool]

_SEARCHES = ("text_search", "search")
_EXACT = ("name", "id", "engine", "type", "status", "batch_name", "cluster", "registry", "runtime_type")
_PARTS = ("title",)
_SHALLOW = (str, int, float)


def filtered(kind: Kind, query: Mapping[str, str]) -> Keep | None:
    """Return what an object has to be like to be listed; None when the query asks for all."""
    if not query:
        return None
    fields = kind.root.properties
    tests: list[Keep] = [_found(query[name]) for name in _SEARCHES if query.get(name)]
    fixed = (kind.api.get("list") or {}).get("query", {})
    asked = (name for name in _EXACT if query.get(name) and name not in fixed)
    tests += [
        _equal(_member(name, kind), query[name]) for name in asked if _member(name, kind) in fields or kind.read_only
    ]
    tests += [_part(name, query[name]) for name in _PARTS if query.get(name) and name in fields]
    if query.get("scope") and "application_scopes" in fields:
        tests.append(_scoped(query["scope"]))
    if not tests:
        return None
    return lambda body: all(test(body) for test in tests)


def _member(name: str, kind: Kind) -> str:
    """Return the member that a parameter means: `id` is whatever number the server gives objects of the kind."""
    given = str(kind.api.get("id") or "")
    return given if name == "id" and name not in kind.root.properties and given not in kind.key else name


def _found(text: str) -> Keep:
    wanted = text.lower()
    return lambda body: any(wanted in str(v).lower() for v in body.values() if isinstance(v, _SHALLOW))


def _equal(name: str, value: str) -> Keep:
    return lambda body: str(body.get(name)) == value


def _part(name: str, value: str) -> Keep:
    return lambda body: value.lower() in str(body.get(name)).lower()


def _scoped(scope: str) -> Keep:
    return lambda body: scope in (body.get("application_scopes") or ())
