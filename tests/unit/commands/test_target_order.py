"""Targets are applied as listed, but what is deleted goes before what it refers to."""

from __future__ import annotations

from policysync.commands.target_order import ordered
from policysync.kinds.load import load_kinds
from policysync.state.resource import Address, Resource

KINDS = load_kinds()
LISTED = ["member", "other", "management"]


def connector(name: str) -> dict[Address, Resource]:
    address = Address("AponoConnector", name)
    return {address: Resource(address, {"connectorId": name})}


def role(name: str, to: str) -> dict[Address, Resource]:
    address = Address("AponoOrganizationRole", name)
    return {address: Resource(address, {"name": name, "connectorRef": to})}


def test_a_target_whose_deleted_resources_refer_to_another_goes_before_it() -> None:
    going = {"member": connector("eu"), "management": role("org", "eu"), "other": connector("us")}
    assert ordered(LISTED, going, {}, KINDS) == ["other", "management", "member"]


def test_targets_stay_as_listed_when_nothing_that_goes_refers_across() -> None:
    assert ordered(LISTED, {}, {"member": role("org", "eu"), "management": connector("eu")}, KINDS) == LISTED
    assert ordered(LISTED, {"member": connector("eu"), "management": role("org", "us")}, {}, KINDS) == LISTED
    both = connector("eu") | role("org", "eu")
    assert ordered(LISTED, {"member": both, "management": both}, {}, KINDS) == LISTED


def test_targets_stay_as_listed_when_creating_wants_it_the_other_way() -> None:
    going = {"member": connector("eu"), "management": role("org", "eu")}
    coming = {"member": connector("us"), "management": role("new", "us")}
    assert ordered(LISTED, going, coming, KINDS) == LISTED
