"""The gates `verified` and `verified-upstream`."""

from __future__ import annotations

import pytest
from unit.promotion.gates.cases import case_of

from policysync.promotion.case import Checked, Gate
from policysync.promotion.gates.verified import verified, verified_upstream


@pytest.mark.parametrize(("gate", "name"), [(verified, "verified"), (verified_upstream, "verified-upstream")])
def test_a_check_says_how_it_ended_and_one_that_did_not_run_passes_nothing(gate: Gate, name: str) -> None:
    for passed in (True, False):
        verdict = gate(case_of(checks={name: Checked(passed, "`make smoke` ended")}))
        assert (verdict.passed, verdict.said) == (passed, "`make smoke` ended")
    assert not gate(case_of(checks={"other": Checked(True, "")})).passed
