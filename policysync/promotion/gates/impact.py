"""The gate `impact`."""

from __future__ import annotations

from policysync.promotion.case import Case, Verdict


def impact(case: Case) -> Verdict:
    """Ask that not too many images start to fail."""
    setting = case.settings.impact
    if setting is None:
        return Verdict(True, "nothing is asked about images")
    if case.newly_failing is None:
        if setting.ignore:
            return Verdict(True, "not available, and `unavailable: ignore` says to go on")
        return Verdict(False, "not available: nobody can say which images start to fail; `unavailable: ignore` goes on")
    passed = case.newly_failing <= setting.newly_failing
    return Verdict(passed, f"{case.newly_failing} images start to fail, {setting.newly_failing} may")
