from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from unit.plan.test_minimal import KINDS, bodies_of, document

from policysync.documents.overlay import merge
from policysync.kinds.kind import Kind
from policysync.kinds.load import load_kinds
from policysync.plan.diff import diff
from policysync.plan.minimal import stated
from policysync.plan.overlaid import overlaid
from policysync.state.normalize import desired_spec, live_spec

POLICY = KINDS["ImageAssurancePolicy"]
ITEMS = "required_labels"


def live(kind: Kind, **members: Any) -> dict[str, Any]:
    return live_spec(kind, {"name": "strict", "application_scopes": ["Global"], **members})


def both(kind: Kind, base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    key = {member: base[member] for member in kind.key if member in base}
    return desired_spec(kind, {**merge(kind.root, base, over), **key})


@pytest.mark.parametrize("name", sorted(KINDS))
@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data(), full=st.booleans())
def test_laid_over_what_one_console_says_it_says_what_the_other_says(
    name: str, data: st.DataObject, full: bool
) -> None:
    kind = KINDS[name]
    first, second = (live_spec(kind, data.draw(bodies_of(kind))) for _ in range(2))
    base = document(kind, first, full=full)
    over = overlaid(kind, base, second).spec
    laid = both(kind, base, over)
    assert diff(kind.root, laid, second, laid) == []
    assert desired_spec(kind, document(kind, second)).keys() <= laid.keys()


@pytest.mark.parametrize("name", sorted(KINDS))
@settings(max_examples=15, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_two_consoles_alike_need_nothing(name: str, data: st.DataObject) -> None:
    kind = KINDS[name]
    first = live_spec(kind, data.draw(bodies_of(kind)))
    assert overlaid(kind, document(kind, first), first).spec == {}


CASES: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any]]] = {
    "another value": ({"maximum_score": 7}, {"maximum_score": 5}, {"maximum_score": 5}),
    "the default": ({"maximum_score": 7}, {}, {"maximum_score": 0}),
    "no list": ({"cves_black_list": ["CVE-1"]}, {}, {"cves_black_list": []}),
    "a plain list is replaced": (
        {"cves_black_list": ["CVE-1"]},
        {"cves_black_list": ["CVE-1", "CVE-2"]},
        {"cves_black_list": ["CVE-1", "CVE-2"]},
    ),
    "what the base does not say": ({}, {"description": "new"}, {"description": "new"}),
    "an element more": (
        {"custom_checks": [{"name": "a"}]},
        {"custom_checks": [{"name": "a"}, {"name": "b"}]},
        {"custom_checks": [{"name": "b"}]},
    ),
    "an element less": (
        {"custom_checks": [{"name": "a"}, {"name": "b"}]},
        {"custom_checks": [{"name": "b"}]},
        {"custom_checks": [{"name": "a", "$absent": True}]},
    ),
    "an element otherwise": (
        {"allowed_images": [{"registry": "r", "imagename": "a"}, {"registry": "r", "imagename": "b"}]},
        {
            "allowed_images": [
                {"registry": "r", "imagename": "a", "reason": ["x"]},
                {"registry": "r", "imagename": "b"},
            ]
        },
        {"allowed_images": [{"registry": "r", "imagename": "a", "reason": ["x"]}]},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_only_the_differences_are_said(case: str) -> None:
    before, after, over = CASES[case]
    base = {**stated(POLICY, live(POLICY, **before)).spec, "name": "strict"}
    found = overlaid(POLICY, base, live(POLICY, **after)).spec
    assert {name: value for name, value in found.items() if name not in {"auto_scan_time"}} == over
    assert diff(POLICY.root, both(POLICY, base, found), live(POLICY, **after)) == []


def test_a_key_that_occurs_twice_is_told_anew() -> None:
    image = {"registry": "r", "imagename": "a"}
    base = {"name": "strict", "application_scopes": ["Global"], "allowed_images": [{**image, "reason": ["x"]}]}
    twice = [{**image, "reason": ["y"]}, {**image, "reason": ["x"]}]
    found = overlaid(POLICY, base, live(POLICY, allowed_images=twice)).spec
    assert found["allowed_images"][0] == {**image, "$absent": True}
    assert diff(POLICY.root, both(POLICY, base, found), live(POLICY, allowed_images=twice)) == []


def test_secrets_of_the_base_stand_for_every_stage() -> None:
    kind = KINDS["Registry"]
    base = {"name": "harbor", "type": "V1/V2", "url": "https://a", "password": "${env:HARBOR}"}
    there = live_spec(kind, {"name": "harbor", "type": "V1/V2", "url": "https://b", "password": "hidden"})
    found = overlaid(kind, base, there, reference=lambda path: f"${{env:{path[-1].upper()}}}")
    assert found.spec["url"] == "https://b"
    assert "password" not in found.spec
    assert found.spec["client_key"] == "${env:CLIENT_KEY}"
    assert found.supplied == (("client_key",),)
    assert "hidden" not in repr(found)


def test_a_map_loses_and_gets_names() -> None:
    kind = load_kinds()["SsoSaml"]
    before, after = ({"role_mapping": mapping} for mapping in ({"A": ["x"], "B": ["y"]}, {"B": ["z"], "C": ["w"]}))
    found = overlaid(kind, before, live_spec(kind, after)).spec
    assert found == {"role_mapping": {"A": None, "B": ["z"], "C": ["w"]}}
    assert both(kind, before, found)["role_mapping"] == after["role_mapping"]


def test_what_a_whole_document_leaves_out_of_an_object_is_its_default() -> None:
    kind = KINDS["SecureAppConnector"]
    os = {"distribution": "ubuntu", "version": "22.04"}
    base = {"name": "one", "host": {"hostname": "one", "os": os}}
    there = live_spec(kind, {"name": "one", "host": {"hostname": "one", "os": os, "cpu": 8}})
    assert overlaid(kind, base, there).spec["host"] == {"cpu": 8}
