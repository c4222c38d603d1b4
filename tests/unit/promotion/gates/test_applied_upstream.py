"""The gate `applied-upstream`."""

from __future__ import annotations

import pytest
from unit.promotion.gates.cases import PCI, case_of

from policysync.promotion.case import Upstream
from policysync.promotion.gates.applied_upstream import applied_upstream


@pytest.mark.parametrize(
    ("upstream", "passed", "said"),
    [
        ((Upstream("eu", "b" * 40, "20261122T0-1"),), True, "nonprod has it: eu by 20261122T0-1"),
        ((Upstream("eu"),), False, "eu: nothing was applied to it yet; `policysync apply --stage nonprod` first"),
        (
            (Upstream("eu", "b" * 40, "1"), Upstream("us", "c" * 40, "2", (PCI,))),
            False,
            "us: not applied: Label/pci (it has cccccccccccc); `policysync apply --stage nonprod` first",
        ),
        (
            (Upstream("eu", "b" * 40, "1", unfinished=True),),
            False,
            "eu: its last apply did not end well; `policysync apply --stage nonprod` first",
        ),
        ((), False, "nonprod has no targets; `policysync apply --stage nonprod` first"),
    ],
)
def test_every_target_before_has_to_have_it(upstream: tuple[Upstream, ...], passed: bool, said: str) -> None:
    verdict = applied_upstream(case_of(upstream=upstream))
    assert (verdict.passed, verdict.said, verdict.could_pass_at) == (passed, said, None)
