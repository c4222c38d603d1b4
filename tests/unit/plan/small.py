"""Small kinds, written as schema files and read as the product reads them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from policysync.kinds.kind import Kind
from policysync.kinds.load import load_kind
from policysync.plan.build import World, build
from policysync.plan.change import Plan
from policysync.secret import Secret
from policysync.state.normalize import desired_spec
from policysync.state.resource import Address, Resource
from policysync.state.wire import from_wire

SALT = "salt"
SWITCH: dict[str, Any] = {"type": "boolean", "default": False, "x-stricter": True}
NAMES: dict[str, Any] = {"type": "array", "items": {"type": "string"}, "default": [], "x-set": True}

POLICY: dict[str, Any] = {
    "name": {"type": "string"},
    "id": {"type": "integer", "x-read-only": True},
    "shipped": {"type": "boolean", "x-read-only": True},
    "enabled": {**SWITCH, "x-initial": True},
    "score": {"type": "number", "default": 0, "x-stricter": "lower", "x-gated-by": "enabled"},
    "note": {"type": "string", "default": ""},
    "region": {"type": "string", "default": "", "x-immutable": True},
    "scopes": {**NAMES, "default": ["Global"], "items": {"type": "string", "x-ref": "Scope"}, "x-stricter": "superset",
               "x-unlimited": "Global"},
    "exceptions": {**NAMES, "x-stricter": "subset"},
    "password": {"type": "string", "x-sensitive": True, "x-write-only": True},
    "rules": {
        "type": "array",
        "default": [],
        "x-key": "path",
        "x-stricter": "superset",
        "items": {"type": "object", "properties": {"path": {"type": "string"}, "deny": SWITCH}},
    },
}  # fmt: skip


def kind(folder: Path, name: str, properties: Mapping[str, Any], **about: Any) -> Kind:
    """Return a kind; `about` goes into x-kind, but `x_api` and `x_stricter`, which stand beside it."""
    beside = {
        word: about.pop(word.replace("-", "_")) for word in ("x-api", "x-stricter") if word.replace("-", "_") in about
    }
    schema = {
        "x-kind": {"name": name, "backend": "memory", "key": "name", **about},
        **beside,
        "type": "object",
        "properties": properties,
    }
    file = folder / f"{name.lower()}.json"
    file.write_text(json.dumps(schema))
    return load_kind(file)


def policies(folder: Path) -> dict[str, Kind]:
    """Return a kind of policies, one of what they refer to, and one that is all exceptions and knows no update."""
    builtins = [{"name": "Default"}, {"match": {"shipped": True}}]
    return {
        "Policy": kind(folder, "Policy", POLICY, builtins=builtins),
        "Scope": kind(folder, "Scope", {"name": {"type": "string"}, "note": {"type": "string", "default": ""}}),
        "Waiver": kind(
            folder,
            "Waiver",
            {"name": {"type": "string"}, "days": {"type": "integer", "default": 0}},
            x_api={"update": None},
            x_stricter=False,
        ),
    }


def desired(kinds: Mapping[str, Kind], of: str, name: str, **spec: Any) -> Resource:
    return Resource(Address(of, name), desired_spec(kinds[of], {"name": name, **spec}))


def live(kinds: Mapping[str, Kind], of: str, name: str, **body: Any) -> Resource:
    return from_wire(kinds[of], {"name": name, **body})


def applied(*resources: Resource) -> dict[Address, Mapping[str, Any]]:
    """Return what the ledger would say after these were applied."""
    return {
        resource.address: {
            name: {"$digest": value.digest(SALT)} if isinstance(value, Secret) else value
            for name, value in resource.spec.items()
        }
        for resource in resources
    }


def plan_of(
    kinds: Mapping[str, Kind],
    wanted: Iterable[Resource] = (),
    found: Iterable[Resource] = (),
    last: Iterable[Resource] = (),
    *,
    others: Iterable[Address] = (),
    protected: Iterable[Address] = (),
    **how: Any,
) -> Plan:
    world = World(tuple(wanted), tuple(found), applied(*last), frozenset(others), frozenset(protected), SALT)
    return build("dev", "console", world, kinds, **how)
