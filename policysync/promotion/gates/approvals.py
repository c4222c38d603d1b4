"""The gate `approvals`."""

from __future__ import annotations

from policysync.promotion.case import Case, Verdict


def approvals(case: Case) -> Verdict:
    """Ask that enough people said yes."""
    return enough(case, case.settings.approvals)


def enough(case: Case, wanted: int) -> Verdict:
    """Ask for a number of different people."""
    people = sorted({approval.who for approval in case.approvals})
    if len(people) >= wanted:
        return Verdict(True, f"approved by {', '.join(people)}; {wanted} asked for")
    by = f": {', '.join(people)}" if people else ""
    whose = f"; {case.approvers}" if case.approvers else ""
    return Verdict(False, f"{len(people)} of {wanted} approvals{by}{whose}")
