"""The gate `applied-upstream`."""

from __future__ import annotations

from policysync.documents.pin import short_release
from policysync.promotion.case import Case, Verdict, named


def applied_upstream(case: Case) -> Verdict:
    """Ask that every target of the stage before has what the release says of it."""
    missing = []
    for target in case.upstream:
        if target.unfinished:
            missing.append(f"{target.target}: its last apply did not end well")
        elif target.lacks:
            had = f"it has {short_release(target.applied)}" if target.applied else "nothing was applied to it yet"
            missing.append(f"{target.target}: not applied: {named(target.lacks)} ({had})")
        elif not target.applied:
            missing.append(f"{target.target}: nothing was applied to it yet")
    if not case.upstream:
        missing.append(f"{case.before} has no targets")
    if missing:
        todo = f"; `policysync apply --stage {case.before}` first"
        return Verdict(False, "; ".join(missing) + todo)
    return Verdict(True, f"{case.before} has it: " + ", ".join(f"{t.target} by {t.apply}" for t in case.upstream))
