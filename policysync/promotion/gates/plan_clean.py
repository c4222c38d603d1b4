"""The gate `plan-clean`."""

from __future__ import annotations

from policysync.promotion.case import Case, Verdict, named


def plan_clean(case: Case) -> Verdict:
    """Ask that an apply after the promotion changes what is promoted, and nothing else."""
    other = [f"{target}: {named(addresses)}" for target, addresses in sorted(case.unplanned.items()) if addresses]
    if other:
        first = f"`policysync apply --stage {case.stage}` first"
        return Verdict(False, f"the plan would also change, in {'; '.join(other)}; {first}")
    return Verdict(True, f"{case.stage} is in sync with its own release")
