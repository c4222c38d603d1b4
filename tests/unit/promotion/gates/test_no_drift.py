"""The gate `no-drift`."""

from __future__ import annotations

from unit.promotion.gates.cases import GDPR, PCI, case_of

from policysync.promotion.gates.no_drift import no_drift


def test_nobody_may_have_changed_anything_upstream() -> None:
    assert no_drift(case_of(drift={"eu": ()})).passed
    verdict = no_drift(case_of(drift={"us": (GDPR, PCI), "eu": ()}))
    assert not verdict.passed
    assert verdict.said.startswith("changed by hand in us: Label/gdpr, Label/pci; `policysync apply --stage nonprod`")
