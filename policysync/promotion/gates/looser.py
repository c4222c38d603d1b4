"""The gate `looser`."""

from __future__ import annotations

from dataclasses import replace

from policysync.promotion.case import Case, Verdict, is_looser, named
from policysync.promotion.gates.approvals import enough


def looser(case: Case) -> Verdict:
    """Ask for approvals when anything gets weaker."""
    weaker = [one.address for one in case.promoted if is_looser(one.posture)]
    if not weaker:
        return Verdict(True, "nothing gets looser")
    verdict = enough(case, case.settings.looser_approvals)
    return replace(verdict, said=f"looser: {named(weaker)}; {verdict.said}")
