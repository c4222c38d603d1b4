"""What is found of a connector in a cluster, and what a document says of where to look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from policysync.backends.helm.login import Holdings
from policysync.state.resource import Hindrance

Spec = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """A connector that is there: what it says, or why nobody can tell.

    Attributes:
        spec: without the places of its secrets, which `Reader` adds.
        logins: what the cluster holds of the secrets of each login.
        marks: the annotations among which their fingerprints are.
        rotated: pointers into the spec; see `Resource.rotated`.
    """

    spec: Spec
    hindrance: Hindrance | None = None
    logins: Mapping[str, Holdings] = field(default_factory=dict, repr=False)
    marks: Mapping[str, Any] = field(default_factory=dict)
    rotated: tuple[str, ...] = ()


def named_release(spec: Spec) -> tuple[str, str]:
    """Return name and namespace of the release a spec describes."""
    release = spec.get("release") or {}
    return str(release.get("name") or "aqua-cloud-connector"), str(release.get("namespace") or "aqua")


def echoed(declared: Spec) -> dict[str, Any]:
    """Return what a document says and no cluster can: it is taken to be as git says."""
    kept = {
        name: declared[name] for name in ("name", "cluster", "install", "release", "healthPort") if name in declared
    }
    return {**kept, "chart": dict(declared.get("chart") or {})}
