"""Which target a resource belongs to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from policysync.documents.project import BACKENDS, Target
from policysync.documents.serving import SERVES, belongs, serves
from policysync.kinds.kind import Kind
from policysync.kinds.load import load_kind
from policysync.state.resource import Address, Resource

BY_METHOD = {"by": "/install/method", "default": "helm", "manifests": "kubernetes", "ecs": "cloudformation"}


def connector(folder: Path, **about: Any) -> Kind:
    schema = {"x-kind": {"name": "Connector", "backend": BY_METHOD, "key": "name", **about}, "type": "object"}
    (folder / "connector.json").write_text(json.dumps(schema))
    return load_kind(folder / "connector.json")


@pytest.mark.parametrize(
    ("method", "backend", "target"),
    [
        (None, "helm", "kubernetes"),
        ("manifests", "kubernetes", "kubernetes"),
        ("ecs", "cloudformation", "cloudformation"),
    ],
)
def test_a_value_of_the_spec_chooses_who_serves_a_resource(
    tmp_path: Path, method: str | None, backend: str, target: str
) -> None:
    kind = connector(tmp_path)
    spec = {"install": {"method": method}} if method else {}
    resource = Resource(Address("Connector", "eu"), spec)
    assert kind.backend_of(spec) == backend
    assert belongs(Target("t", target), kind, resource)
    assert not belongs(Target("t", "aqua"), kind, resource)
    assert serves(Target("t", target), kind)


def test_a_resource_goes_to_the_target_it_names(tmp_path: Path) -> None:
    kind = connector(tmp_path, target={"/cluster/context": "context"})
    named = Resource(Address("Connector", "eu"), {"cluster": {"context": "eks-eu"}})
    assert belongs(Target("t", "helm", options={"context": "eks-eu"}), kind, named)
    assert not belongs(Target("t", "helm", options={"context": "eks-us"}), kind, named)
    assert belongs(Target("t", "helm"), kind, named)
    assert belongs(Target("t", "helm", options={"context": "eks-us"}), kind, Resource(Address("Connector", "eu"), {}))


def test_every_backend_says_what_it_serves() -> None:
    assert set(BACKENDS) - {"memory"} == set(SERVES)
