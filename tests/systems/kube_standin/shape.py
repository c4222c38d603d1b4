"""What a definition says of an object: its defaults, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_TYPES: Mapping[str, Any] = {
    "string": str,
    "object": Mapping,
    "array": list,
    "boolean": bool,
    "integer": int,
    "number": (int, float),
}


def defaulted(schema: Mapping[str, Any], value: Any) -> Any:
    """Return a value with the defaults of the members it leaves out."""
    if isinstance(value, Mapping):
        members = schema.get("properties", {})
        whole = {name: sub["default"] for name, sub in members.items() if "default" in sub and name not in value}
        free = schema.get("additionalProperties")
        below = {name: members.get(name) or (free if isinstance(free, Mapping) else {}) for name in value}
        return {**{name: defaulted(below[name], v) for name, v in value.items()}, **whole}
    if isinstance(value, list):
        return [defaulted(schema.get("items", {}), item) for item in value]
    return value


def unknown(schema: Mapping[str, Any], value: Any, at: str = "") -> Iterator[str]:
    """Yield the members no definition has."""
    if isinstance(value, Mapping) and schema.get("type") == "object":
        if schema.get("x-kubernetes-preserve-unknown-fields"):
            return
        members, free = schema.get("properties", {}), schema.get("additionalProperties")
        for name, below in value.items():
            here = f"{at}.{name}" if at else name
            if name in members:
                yield from unknown(members[name], below, here)
            elif isinstance(free, Mapping):
                yield from unknown(free, below, here)
            elif at or name not in ("apiVersion", "kind", "metadata"):
                yield here
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from unknown(schema.get("items", {}), item, f"{at}[{index}]")


def pruned(schema: Mapping[str, Any], value: Any, *, root: bool = True) -> Any:
    """Return a value without the members no definition has."""
    if isinstance(value, Mapping) and schema.get("type") == "object":
        if schema.get("x-kubernetes-preserve-unknown-fields"):
            return value
        members, free = schema.get("properties", {}), schema.get("additionalProperties")
        kept = {}
        for name, below in value.items():
            if name in members:
                kept[name] = pruned(members[name], below, root=False)
            elif isinstance(free, Mapping):
                kept[name] = pruned(free, below, root=False)
            elif root and name in ("apiVersion", "kind", "metadata"):
                kept[name] = below
        return kept
    return [pruned(schema.get("items", {}), i, root=False) for i in value] if isinstance(value, list) else value


def wrong(schema: Mapping[str, Any], value: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Yield the place and the sentence of everything a definition forbids."""
    wanted = schema.get("type")
    if wanted and (not isinstance(value, _TYPES[wanted]) or (isinstance(value, bool) and wanted != "boolean")):
        yield at, f"Invalid value: {value!r}: {at} in body must be of type {wanted}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield at, f"Unsupported value: {value!r}: supported values: {', '.join(map(repr, schema['enum']))}"
    if isinstance(value, str) and "pattern" in schema and not re.search(schema["pattern"], value):
        yield at, f"Invalid value: {value!r}: {at} in body should match '{schema['pattern']}'"
    if isinstance(value, Mapping):
        for name in schema.get("required", ()):
            if name not in value:
                yield f"{at}.{name}" if at else name, "Required value"
        if len(value) < schema.get("minProperties", 0):
            yield at, f"Invalid value: {len(value)}: should have at least {schema['minProperties']} properties"
        free = schema.get("additionalProperties")
        for name, below in value.items():
            sub = schema.get("properties", {}).get(name) or (free if isinstance(free, Mapping) else {})
            yield from wrong(sub, below, f"{at}.{name}" if at else name)
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from wrong(schema.get("items", {}), item, f"{at}[{index}]")
