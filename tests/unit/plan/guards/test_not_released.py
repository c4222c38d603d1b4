"""The guard `not-released`."""

from __future__ import annotations

import pytest
from unit.plan.guards.cases import case_of

from policysync.kinds.kind import Kind
from policysync.plan.guards.not_released import not_released


@pytest.mark.parametrize(
    ("released", "said"),
    [
        (None, None),
        ("a" * 40, None),
        ("b" * 40, "aaaaaaaaaaaa is not released to dev, releases/dev.yaml names bbbbbbbbbbbb; "),
        ("", "aaaaaaaaaaaa is not released to dev, nothing is; "),
    ],
)
def test_only_what_the_pin_names_is_applied(kinds: dict[str, Kind], released: str | None, said: str | None) -> None:
    refused = not_released(case_of(kinds, plan={"revision": "a" * 40}, released=released))
    assert refused == (f"{said}`policysync promote --to dev` does that" if said else None)
