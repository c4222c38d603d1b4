"""The list of gates: those that are asked for are judged, in one order."""

from __future__ import annotations

from unit.promotion.gates.cases import case_of

from policysync.documents.gate_settings import GATE_NAMES, GateSettings, Impact
from policysync.promotion.gates.listed import GATES, judge


def test_the_configuration_knows_them_by_the_same_names() -> None:
    assert tuple(GATES) == GATE_NAMES


def test_only_what_is_asked_for_is_judged() -> None:
    assert list(judge(case_of())) == ["applied-upstream"]
    assert judge(case_of(GateSettings(applied_upstream=False))) == {}
    some = GateSettings(plan_clean=True, impact=Impact(), no_drift=True)
    assert list(judge(case_of(some))) == ["applied-upstream", "no-drift", "impact", "plan-clean"]
