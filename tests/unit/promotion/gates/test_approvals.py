"""The gate `approvals`."""

from __future__ import annotations

from unit.promotion.gates.cases import case_of

from policysync.documents.gate_settings import GateSettings
from policysync.promotion.case import Approval
from policysync.promotion.gates.approvals import approvals

TWO = GateSettings(approvals=2)


def test_different_people_count() -> None:
    twice = (Approval("ann", "review"), Approval("ann", "signed commit"))
    verdict = approvals(case_of(TWO, approvals=twice, approvers="the team owns it"))
    assert (verdict.passed, verdict.said) == (False, "1 of 2 approvals: ann; the team owns it")
    verdict = approvals(case_of(TWO, approvals=(*twice, Approval("bob"))))
    assert (verdict.passed, verdict.said) == (True, "approved by ann, bob; 2 asked for")
