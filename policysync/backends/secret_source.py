"""A `SecretSource` of a document → the secret it names.

Source: reference, connectors 0; the schema is `schemas/common/secret_source.json`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from policysync.backends.means import Secrets
from policysync.errors import PolicySyncError, Refused
from policysync.secret import Secret

FromCluster = Callable[[Mapping[str, Any]], Secret]
"""Takes namespace (may be missing), name and key of a Secret, and returns its value."""


def resolve(source: Mapping[str, Any], secrets: Secrets, cluster: FromCluster | None = None) -> Secret:
    """Return the secret that `source` names.

    Args:
        secrets: resolves references such as `${env:NAME}`.
        cluster: reads a Secret of the cluster; None where there is none.

    Raises:
        Refused: nothing is there, or it cannot be reached from here.
    """
    place, where = _stated(source)
    if place == "kubernetesSecret":
        if cluster is None:
            raise Refused(f"the Secret {where['name']} is in a cluster, and this target is none")
        return cluster(where)
    if place not in _REFERENCES:
        raise Refused(f"{place} is no place of a secret we know")
    try:
        return secrets(_REFERENCES[place](where))
    except Refused:
        raise
    except PolicySyncError as error:
        raise Refused(str(error)) from error


def named(source: Mapping[str, Any]) -> str:
    """Return in words where a secret is kept."""
    place, where = _stated(source)
    if place == "kubernetesSecret":
        return f"Secret {where['name']}, key {where['key']}"
    return f"{place} {where if isinstance(where, str) else ' '.join(str(v) for v in where.values())}"


def another(source: Mapping[str, Any]) -> dict[str, Any]:
    """Return how a place is shown that has another value than the one in use."""
    place, where = _stated(source)
    if isinstance(where, str):
        return {place: f"{where} (another value)"}
    last = list(where)[-1]
    return {place: {**where, last: f"{where[last]} (another value)"}}


def _stated(source: Mapping[str, Any]) -> tuple[str, Any]:
    """Return the one place that is said; the normal form may hold empty ones beside it."""
    return next(((place, where) for place, where in source.items() if where), ("nowhere", ""))


def _aws(where: Mapping[str, str]) -> str:
    secret = where["secretId"]
    if where.get("region") and not secret.startswith("arn:"):
        secret = f"{where['region']}:{secret}"
    return f"${{aws-secret:{secret}#{where['jsonKey']}}}" if where.get("jsonKey") else f"${{aws-secret:{secret}}}"


_REFERENCES: Mapping[str, Callable[[Any], str]] = {
    "env": lambda name: f"${{env:{name}}}",
    "file": lambda path: f"${{file:{path}}}",
    "vault": lambda where: f"${{vault:{where['path']}#{where['key']}}}",
    "awsSecretsManager": _aws,
}
