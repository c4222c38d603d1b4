"""The gate `looser`."""

from __future__ import annotations

import pytest
from unit.promotion.gates.cases import GDPR, PCI, case_of

from policysync.documents.gate_settings import GateSettings
from policysync.plan.change import Posture
from policysync.promotion.case import Approval, Promoted
from policysync.promotion.gates.looser import looser

ONE = GateSettings(looser_approvals=1)


@pytest.mark.parametrize("posture", [Posture.LOOSER, Posture.MIXED])
def test_what_gets_weaker_needs_somebody_who_says_so(posture: Posture) -> None:
    promoted = (Promoted(PCI, posture), Promoted(GDPR, Posture.STRICTER))
    verdict = looser(case_of(ONE, promoted=promoted))
    assert (verdict.passed, verdict.said) == (False, "looser: Label/pci; 0 of 1 approvals")
    assert looser(case_of(ONE, promoted=promoted, approvals=(Approval("ann"),))).passed


def test_what_gets_stricter_needs_nobody() -> None:
    promoted = (Promoted(PCI), Promoted(GDPR, Posture.STRICTER))
    assert looser(case_of(ONE, promoted=promoted)).said == "nothing gets looser"
