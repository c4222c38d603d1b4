"""The guard `not-released`."""

from __future__ import annotations

from policysync.documents.pin import short_release
from policysync.plan.guards.case import Case


def not_released(case: Case) -> str | None:
    """Refuse to apply to a stage but the first what its pin does not name."""
    if case.released is None or case.plan.revision == case.released:
        return None
    pinned = f"releases/{case.plan.stage}.yaml names {short_release(case.released)}" if case.released else "nothing is"
    what = short_release(case.plan.revision) or "what no revision holds"
    return (
        f"{what} is not released to {case.plan.stage}, {pinned}; `policysync promote --to {case.plan.stage}` does that"
    )
