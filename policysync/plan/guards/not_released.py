"""The guard `not-released`."""

from __future__ import annotations

from policysync.plan.guards.case import Case

_SHORT = 12


def not_released(case: Case) -> str | None:
    """Refuse to apply to a stage but the first what its pin does not name."""
    if case.released is None or case.plan.revision == case.released:
        return None
    pinned = f"releases/{case.plan.stage}.yaml names {case.released[:_SHORT]}" if case.released else "nothing is"
    what = case.plan.revision[:_SHORT] or "what no revision holds"
    return (
        f"{what} is not released to {case.plan.stage}, {pinned}; `policysync promote --to {case.plan.stage}` does that"
    )
