"""The gate `plan-clean`."""

from __future__ import annotations

from unit.promotion.gates.cases import PCI, case_of

from policysync.promotion.gates.plan_clean import plan_clean


def test_nothing_but_what_is_promoted_may_change() -> None:
    assert plan_clean(case_of(unplanned={"eu": ()})).passed
    verdict = plan_clean(case_of(unplanned={"eu": (PCI,)}))
    assert not verdict.passed
    assert verdict.said == "the plan would also change, in eu: Label/pci; `policysync apply --stage prod` first"
