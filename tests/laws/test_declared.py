"""A policy in either form, and in any mixture of both over its layers, is the same resource."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from policysync.documents.declared import spelt, spelt_twice
from policysync.documents.document import Document
from policysync.documents.overlay import merge
from policysync.errors import Location
from policysync.kinds.load import load_kinds
from policysync.state.normalize import desired_spec, digest

KIND = load_kinds()["CompliancePolicy"]
NAMES = st.sampled_from(["cis", "nsa", "pss"])
BENCHMARKS = st.dictionaries(NAMES, st.booleans(), min_size=1)
LAYER = st.fixed_dictionaries(
    {}, optional={"schedule": st.sampled_from(["0 * * * *", "5 5 * * *"]), "complianceConfig": BENCHMARKS}
)
TARGET = {"cluster": {"context": "eu"}, "engine": "aqua-connector"}


def document(spec: dict[str, Any]) -> Document:
    return Document(Location("a.yaml"), 0, KIND.name, "p", "", spec)


def declared(spec: dict[str, Any]) -> dict[str, Any]:
    named = {"benchmarks" if name == "complianceConfig" else name: value for name, value in spec.items()}
    return {"target": TARGET, **named}


def resource(layers: list[dict[str, Any]]) -> dict[str, Any]:
    merged: Any = {"name": "p"}
    for layer in layers:
        merged = merge(KIND.root, merged, spelt(KIND, document(layer)).spec)
    return desired_spec(KIND, merged)


@settings(deadline=None)
@given(layers=st.lists(LAYER, min_size=1, max_size=3), data=st.data())
def test_both_forms_of_one_policy_are_the_same_resource(layers: list[dict[str, Any]], data: st.DataObject) -> None:
    wanted = resource(layers)
    mixed = [declared(layer) if data.draw(st.booleans()) else layer for layer in layers]
    assert resource(mixed) == wanted
    assert digest(resource(mixed)) == digest(wanted)
    assert not set(wanted) & {"target", "benchmarks"}


@given(spec=LAYER)
def test_a_place_in_the_spec_leads_back_to_its_name_in_the_file(spec: dict[str, Any]) -> None:
    stated = declared(spec)
    read = spelt(KIND, document(stated))
    assert {read.written((name,))[0] for name in read.spec} == set(stated)
    assert not list(spelt_twice(KIND, read.spec))


@given(spec=LAYER.filter(lambda spec: "complianceConfig" in spec), other=BENCHMARKS)
def test_both_names_in_one_document_are_an_error(spec: dict[str, Any], other: dict[str, bool]) -> None:
    read = spelt(KIND, document({**spec, "benchmarks": other}))
    (finding,) = spelt_twice(KIND, read.spec)
    assert finding.path == ("benchmarks",)
    assert not finding.warning
