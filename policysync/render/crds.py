"""Definitions of the kinds that no vendor publishes, made of their schema files.

They are a proposal: where a cluster serves the group already, its own definitions win. Decision 0023 says why.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policysync.kinds.kind import Kind
from policysync.kinds.load import load_kinds
from policysync.pointer import MISSING
from policysync.render.artefact import Artefact, yaml_text

PROPOSED = ("CompliancePolicy", "RuntimePolicy", "VulnerabilityPolicy")
"""The kinds one document describes and nobody publishes. Source: reference, connectors 2.1."""

_KEPT = frozenset(
    {
        "description",
        "default",
        "enum",
        "items",
        "maxItems",
        "maxLength",
        "maxProperties",
        "maximum",
        "minItems",
        "minLength",
        "minProperties",
        "minimum",
        "pattern",
        "required",
        "type",
    }
)
"""What a structural schema may say. Source: Kubernetes, "Specifying a structural schema"."""


def crds() -> tuple[Artefact, ...]:
    """Return one definition for each proposed kind, ready for `kubectl apply`."""
    kinds = load_kinds()
    return tuple(
        Artefact(f"{kinds[name].api['plural']}.yaml", "---\n" + yaml_text(definition(kinds[name], namespaced=False)))
        for name in PROPOSED
    )


def definition(kind: Kind, *, namespaced: bool) -> dict[str, Any]:
    """Return the CustomResourceDefinition of a kind that a cluster serves, as its schema file describes it."""
    api = kind.api
    plural, group = str(api["plural"]), str(api["group"])
    names = {"kind": kind.name, "listKind": f"{kind.name}List", "plural": plural, "singular": kind.name.lower()}
    spec = _structural(kind.schema)
    fields = kind.root.properties
    properties = {
        name: member
        for name, member in spec["properties"].items()
        if name not in kind.key and fields[name].held and fields[name].stated is MISSING
    }
    status = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {
        "name": api["version"],
        "served": True,
        "storage": True,
        "subresources": {"status": {}},
        "schema": {
            "openAPIV3Schema": {
                "type": "object",
                "required": ["spec"],
                "properties": {"spec": {**spec, "properties": properties}, "status": status},
            }
        },
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {
            "group": group,
            "scope": "Namespaced" if namespaced else "Cluster",
            "names": names,
            "versions": [version],
        },
    }


def _structural(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a resolved schema that a definition may hold: no conditions, and no closed objects."""
    kept: dict[str, Any] = {}
    for name, value in schema.items():
        if name == "items":
            kept[name] = _structural(value)
        elif name == "properties":
            kept[name] = {member: _structural(below) for member, below in value.items()}
        elif name == "additionalProperties" and isinstance(value, Mapping):
            kept[name] = _structural(value)
        elif name in _KEPT:
            kept[name] = value
    if kept.get("type") == "object" and not kept.keys() & {"properties", "additionalProperties"}:
        kept["x-kubernetes-preserve-unknown-fields"] = True
    return kept
