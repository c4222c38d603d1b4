"""Documents of a cluster as manifests, and the definitions nobody publishes."""

from __future__ import annotations

import pytest
import yaml
from jsonschema import Draft202012Validator

from policysync.kinds.load import load_kinds
from policysync.render.cluster_object import render
from policysync.render.crds import PROPOSED, crds
from policysync.secret import Secret
from policysync.state.normalize import desired_spec
from policysync.state.resource import Address, Resource

KINDS = load_kinds()


def test_a_manifest_says_what_git_says() -> None:
    stated = {"name": "aqua/kube", "config": {"cluster_name": "eu"}, "token": Secret("token-in-clear")}
    spec = desired_spec(KINDS["AquaKubeEnforcer"], stated)
    resource = Resource(Address("AquaKubeEnforcer", "aqua/kube"), spec, labels={"team": "web"})
    (artefact,) = render(resource, KINDS["AquaKubeEnforcer"])
    assert artefact.name == "kube.yaml"
    assert yaml.safe_load(artefact.text) == {
        "apiVersion": "operator.aquasec.com/v1alpha1",
        "kind": "AquaKubeEnforcer",
        "metadata": {"name": "kube", "namespace": "aqua", "labels": {"app.kubernetes.io/managed-by": "policysync"}},
        "spec": {"config": {"cluster_name": "eu"}, "token": "<secret>"},
    }


def test_what_is_cluster_wide_has_no_namespace() -> None:
    resource = Resource(Address("RuntimePolicy", "p"), {"name": "p", "mode": "audit"})
    (artefact,) = render(resource, KINDS["RuntimePolicy"])
    assert yaml.safe_load(artefact.text)["metadata"] == {"name": "p"}


def structural(schema: object) -> bool:
    """Return whether a schema has nothing that a definition may not say."""
    if isinstance(schema, list):
        return all(map(structural, schema))
    if not isinstance(schema, dict):
        return True
    odd = [name for name in schema if name.startswith("x-") and not name.startswith("x-kubernetes-")]
    return not odd and schema.get("additionalProperties") is not False and all(map(structural, schema.values()))


@pytest.mark.parametrize("artefact", crds(), ids=lambda artefact: artefact.name)
def test_a_definition_is_structural_and_takes_what_the_kind_takes(artefact: object) -> None:
    definition = yaml.safe_load(artefact.text)  # type: ignore[attr-defined]  # parametrized, so its type is lost
    assert definition["spec"]["names"]["kind"] in PROPOSED
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    assert structural(schema)
    selector = {"namespaceSelector": {"any": True}, "schedule": "0 * * * *", "complianceConfig": {"a": True}}
    rules = {"rules": {"processExecution": [{"executables": ["/bin/sh"], "action": "audit"}]}}
    assert Draft202012Validator(schema).is_valid({"spec": {**selector, **rules}})
    assert not Draft202012Validator(schema).is_valid({"spec": {"namespaceSelector": {"any": "yes"}}})


def test_the_definitions_can_be_piped_together() -> None:
    text = "".join(artefact.text for artefact in crds())
    assert [each["kind"] for each in yaml.safe_load_all(text)] == ["CustomResourceDefinition"] * 3
