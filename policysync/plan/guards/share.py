"""How large a part of what git manages a plan touches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container

from policysync.documents.guard_settings import Threshold
from policysync.plan.change import Action
from policysync.plan.guards.case import Case


def too_large(case: Case, action: Action, threshold: Threshold, verb: str) -> str | None:
    """Return which part is too large, or None. A kind with a threshold of its own is held to that one alone."""
    touched = Counter(change.address.kind for change in case.plan.changes if change.action is action)
    managed = Counter(resource.address.kind for resource in case.world.live)
    own = threshold.kinds
    shared = (_others(touched, own), _others(managed, own), "", threshold)
    apart = ((touched[kind], managed[kind], f"{kind} ", limit) for kind, limit in own.items())
    said = [
        f"would {verb} {count} of {of} managed {kind}resources, limit {limit.percent:g}% (and at least {limit.floor})"
        for count, of, kind, limit in (shared, *apart)
        if count > limit.floor and count > of * limit.percent / 100
    ]
    return "; ".join(said) or None


def _others(counts: Counter[str], apart: Container[str]) -> int:
    return sum(count for kind, count in counts.items() if kind not in apart)
