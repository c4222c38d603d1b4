"""The guard `freeze`."""

from __future__ import annotations

from policysync.plan.guards.case import Case


def freeze(case: Case) -> str | None:
    """Refuse to change anything while a freeze of policysync.yaml lasts."""
    if not case.plan.changes:
        return None
    for window in case.settings.freeze:
        if window.start <= case.now < window.end and case.plan.stage in (window.stages or (case.plan.stage,)):
            why = f": {window.reason}" if window.reason else ""
            return f"nothing is applied to {case.plan.stage} before {window.end:%Y-%m-%d %H:%M} UTC{why}"
    return None
