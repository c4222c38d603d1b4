"""The product's own repository is a policy repository: its example is valid, complete and keeps its promises."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest

from policysync.documents.desired import Desired, desired_state
from policysync.documents.project import load_project
from policysync.documents.source import WorkTree
from policysync.kinds.kind import Kind
from policysync.kinds.load import builtin_schemas, load_kinds
from policysync.state.resource import Address

ROOT = builtin_schemas().parent
BESIDE = Path(__file__).parent / "saas"
KINDS = load_kinds()
PROJECT = load_project(ROOT, {})
STAGES = [stage.name for stage in PROJECT.stages]
CUSTOM = Address("ImageAssurancePolicy", "Example_Customer_Custom_Image_assurancePolicy")
CARDHOLDER = {
    Address("ApplicationScope", "payments-cardholder"),
    Address("ImageAssurancePolicy", "cardholder-images"),
}


@cache
def desired(stage: str) -> Desired:
    return desired_state(WorkTree(ROOT), PROJECT, PROJECT.stage(stage), KINDS)


def specs(stage: str) -> dict[Address, Any]:
    return {resource.address: resource.spec for resource in desired(stage).resources}


def test_three_embedded_stages_in_order() -> None:
    assert STAGES == ["dev", "nonprod", "prod"]
    assert [target.url for stage in PROJECT.stages for target in stage.targets] == [f"embedded:{s}" for s in STAGES]


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_has_no_problem_and_needs_no_environment(stage: str) -> None:
    assert desired(stage).problems == ()
    assert len(desired(stage).resources) >= 15


def is_shown(kind: Kind) -> bool:
    """Whether the example has one: it can be in git, the console itself serves it, and making one takes no secret."""
    needs_secret = any(f.sensitive and f.required_on == "create" for f in kind.root.properties.values())
    return is_of_a_console(kind) and not (kind.read_only or kind.api["base"] in {"front", "account"} or needs_secret)


def is_of_a_console(kind: Kind) -> bool:
    """Whether a console serves it; what clusters and accounts serve is shown in docs/."""
    return "aqua" in kind.backends and not kind.manual


def test_every_kind_has_an_example() -> None:
    shown = {address.kind for stage in STAGES for address in specs(stage)}
    assert shown == {name for name in KINDS if is_shown(KINDS[name])}


def test_every_kind_with_one_console_has_an_example_in_the_first_stage() -> None:
    shown = {address.kind for address in specs("dev")}
    assert {name for name in KINDS if is_shown(KINDS[name])} <= shown


def test_the_other_kinds_are_shown_beside_the_tests() -> None:
    project = load_project(BESIDE, {})
    found = desired_state(WorkTree(BESIDE), project, project.stage("cloud"), KINDS)
    assert found.problems == ()
    kinds = {resource.address.kind for resource in found.resources}
    others = {name for name in KINDS if is_of_a_console(KINDS[name]) and not is_shown(KINDS[name])}
    assert kinds >= {name for name in others if not KINDS[name].read_only}


@pytest.mark.parametrize("stage", STAGES)
def test_the_customers_gate_has_the_agreed_controls_and_no_others(stage: str) -> None:
    spec = specs(stage)[CUSTOM]
    actions = {"audit_on_failure", "block_failed", "fail_cicd"}
    on = {name for name, value in spec.items() if value is True}
    assert on - actions == {
        "disallow_malware",
        "scan_sensitive_data",
        "only_none_root_users",
        "maximum_score_enabled",
        "cvss_severity_enabled",
        "custom_severity_enabled",
    }
    assert (spec["maximum_score"], spec["cvss_severity"]) == (0, "high")


@pytest.mark.parametrize("name", ["Default", "DTA"])
def test_policies_that_come_with_the_console_are_changed(name: str) -> None:
    assert all(specs(stage)[Address("ImageAssurancePolicy", name)] for stage in STAGES)


def test_overlays_make_dev_looser_and_prod_stricter() -> None:
    image = Address("ImageAssurancePolicy", "Default")
    periods = [specs(stage)[image].get("ignore_recently_published_vln_period") for stage in STAGES]
    assert periods == [30, 14, None]
    runtime = Address("ContainerRuntimePolicy", "payments-containers")
    assert [specs(stage)[runtime]["enforce"] for stage in STAGES] == [False, False, True]


def test_what_belongs_to_cardholder_data_is_in_prod_only() -> None:
    assert [set(specs(stage)) >= CARDHOLDER for stage in STAGES] == [False, False, True]
    assert not CARDHOLDER & (set(specs("dev")) | set(specs("nonprod")))


def test_no_secret_stands_in_the_example() -> None:
    sensitive = [
        resource for stage in STAGES for resource in desired(stage).resources if "Secret" in repr(resource.spec)
    ]
    assert sensitive == []
