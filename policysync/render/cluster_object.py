"""The object of a cluster that a document is, for teams whose own pipeline applies it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policysync.kinds.kind import Kind
from policysync.render.artefact import PLACEHOLDER, Artefact, yaml_text
from policysync.secret import Secret
from policysync.state.resource import Resource


def render(resource: Resource, kind: Kind) -> tuple[Artefact, ...]:
    """Return one manifest, with what git states and nothing else."""
    api, (namespace, _, name) = kind.api, resource.address.name.rpartition("/")
    version = "/".join(filter(None, (api["group"], api["version"])))
    metadata: dict[str, Any] = {"name": name, **({"namespace": namespace} if namespace else {})}
    if resource.labels:
        metadata["labels"] = dict(resource.labels)
    content = _shown({member: value for member, value in resource.spec.items() if member not in kind.key})
    head = {"apiVersion": version, "kind": kind.name, "metadata": metadata}
    return (Artefact(f"{name}.yaml", yaml_text({**head, "spec": content})),)


def _shown(value: Any) -> Any:
    if isinstance(value, Secret):
        return PLACEHOLDER
    if isinstance(value, Mapping):
        return {name: _shown(below) for name, below in value.items()}
    return [_shown(item) for item in value] if isinstance(value, list) else value
