"""The gates `verified` and `verified-upstream`."""

from __future__ import annotations

from policysync.promotion.case import Case, Verdict


def verified_upstream(case: Case) -> Verdict:
    """Ask that the stage before works with the release."""
    return _verdict(case, "verified-upstream")


def verified(case: Case) -> Verdict:
    """Ask that the stage itself is fit to take it."""
    return _verdict(case, "verified")


def _verdict(case: Case, name: str) -> Verdict:
    checked = case.checks.get(name)
    if checked is None:
        return Verdict(False, "it was not checked")
    return Verdict(checked.passed, checked.said)
