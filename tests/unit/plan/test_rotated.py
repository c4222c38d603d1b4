"""A secret that was rotated is told from an edit by hand."""

from __future__ import annotations

from policysync.plan.rotated import as_held
from policysync.state.resource import Address, Resource

ADDRESS = Address("Connector", "eu")
APPLIED = {ADDRESS: {"name": "eu", "auth": {"from": {"env": "TOKEN"}, "method": "token"}}}
LIVE = {"name": "eu", "auth": {"from": {"env": "TOKEN (another value)"}, "method": "user"}}


def test_only_what_was_rotated_counts_as_it_is_live() -> None:
    held = as_held(APPLIED, [Resource(ADDRESS, LIVE, rotated=("/auth/from",))])
    assert held == {ADDRESS: {"name": "eu", "auth": {"from": {"env": "TOKEN (another value)"}, "method": "token"}}}
    assert APPLIED[ADDRESS]["auth"] == {"from": {"env": "TOKEN"}, "method": "token"}


def test_nothing_is_made_up_of_what_was_never_applied() -> None:
    assert as_held(APPLIED, [Resource(ADDRESS, LIVE)]) == APPLIED
    assert as_held({}, [Resource(ADDRESS, LIVE, rotated=("/auth/from",))]) == {}
    assert as_held(APPLIED, [Resource(ADDRESS, LIVE, rotated=("/other",))]) == APPLIED
