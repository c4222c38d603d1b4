"""The guard `dirty-tree`."""

from __future__ import annotations

import pytest
from unit.plan.guards.cases import case_of

from policysync.kinds.kind import Kind
from policysync.plan.guards.dirty_tree import dirty_tree


@pytest.mark.parametrize(
    ("dirty", "embedded", "refused"), [(True, False, True), (True, True, False), (False, False, False)]
)
def test_what_is_not_committed_goes_only_to_an_embedded_console(
    kinds: dict[str, Kind], dirty: bool, embedded: bool, refused: bool
) -> None:
    assert bool(dirty_tree(case_of(kinds, plan={"dirty": dirty}, embedded=embedded))) is refused
