"""Every gate by the name policysync.yaml asks for it with."""

from __future__ import annotations

from collections.abc import Mapping

from policysync.promotion.case import Case, Gate, Verdict
from policysync.promotion.gates.applied_upstream import applied_upstream
from policysync.promotion.gates.approvals import approvals
from policysync.promotion.gates.impact import impact
from policysync.promotion.gates.looser import looser
from policysync.promotion.gates.no_drift import no_drift
from policysync.promotion.gates.plan_clean import plan_clean
from policysync.promotion.gates.soaked import soaked
from policysync.promotion.gates.verified import verified, verified_upstream
from policysync.promotion.gates.window_open import window_open

GATES: Mapping[str, Gate] = {
    "applied-upstream": applied_upstream,
    "soaked": soaked,
    "no-drift": no_drift,
    "verified-upstream": verified_upstream,
    "verified": verified,
    "window-open": window_open,
    "approvals": approvals,
    "looser": looser,
    "impact": impact,
    "plan-clean": plan_clean,
}


def judge(case: Case) -> dict[str, Verdict]:
    """Return what every gate says that the stage asks, in the order of the list."""
    return {name: GATES[name](case) for name in case.settings.asked}
