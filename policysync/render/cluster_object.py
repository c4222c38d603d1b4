"""The object of a cluster that a document is, for teams whose own pipeline applies it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policysync.kinds.kind import Kind
from policysync.render.artefact import PLACEHOLDER, Artefact, yaml_text
from policysync.secret import Secret
from policysync.state.resource import Resource

OWNER_LABEL = "app.kubernetes.io/managed-by"
"""The label that says who manages an object; `x-api.mark` says by which member of a spec it is compared."""


def render(resource: Resource, kind: Kind) -> tuple[Artefact, ...]:
    """Return one manifest, with what git states and nothing else; or a patch, where others make the object."""
    name = resource.address.name.rpartition("/")[2]
    return (Artefact(f"{name}.yaml", yaml_text(_patch(resource, kind) or _manifest(resource, kind))),)


def _manifest(resource: Resource, kind: Kind) -> dict[str, Any]:
    api, (namespace, _, name) = kind.api, resource.address.name.rpartition("/")
    metadata: dict[str, Any] = {"name": name, **({"namespace": namespace} if namespace else {})}
    mark = str(api.get("mark", ""))
    if mark in resource.spec:
        metadata["labels"] = {OWNER_LABEL: resource.spec[mark]}
    version = "/".join(filter(None, (api["group"], api["version"])))
    return {"apiVersion": version, "kind": kind.name, "metadata": metadata, "spec": _content(resource, kind)}


def _patch(resource: Resource, kind: Kind) -> dict[str, Any]:
    """Return the request that changes an object which somebody else has to make; nothing for one that git makes."""
    lacks = any(field.required_on and name not in resource.spec for name, field in kind.root.properties.items())
    if kind.api["update"] != "merge" or not lacks:
        return {}
    api = kind.api
    return {
        "method": "PATCH",
        "path": f"/apis/{api['group']}/{api['version']}/{api['plural']}/{resource.address.name}",
        "contentType": "application/merge-patch+json",
        "body": {"spec": _content(resource, kind)},
    }


def _content(resource: Resource, kind: Kind) -> Any:
    away = (*kind.key, kind.api.get("mark"))
    return _shown({member: value for member, value in resource.spec.items() if member not in away})


def _shown(value: Any) -> Any:
    if isinstance(value, Secret):
        return PLACEHOLDER
    if isinstance(value, Mapping):
        return {name: _shown(below) for name, below in value.items()}
    return [_shown(item) for item in value] if isinstance(value, list) else value
