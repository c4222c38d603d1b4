"""What a cluster says of an object that is there, and of what it needs.

Source: reference, connectors 2.5 and 2.6.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from cronsim import CronSim, CronSimError

from policysync.backends.kubernetes.client import Client
from policysync.backends.kubernetes.discovery import Served
from policysync.backends.kubernetes.failures import Forbidden, Missing
from policysync.backends.kubernetes.settling import condition, is_behind
from policysync.backends.kubernetes.workloads import label_query
from policysync.backends.port import Level, Sign
from policysync.errors import BackendError

STUCK = 600.0
"""Seconds after which something that is still reconciling counts as stuck."""


def healths(held: Mapping[str, Any], schedule: str, now: datetime) -> Iterator[Sign]:
    """Yield how an object is, as far as its status tells."""
    status = held.get("status") or {}
    name = "health/status"
    if is_behind(held):
        yield Sign(name, Level.WARNING, "progressing", "its controller has not seen the newest change yet; look again")
        return
    for kind in ("Stalled", "Reconciling"):
        said = condition(held, kind)
        if said.get("status") == "True" and _age(said.get("lastTransitionTime"), now) > STUCK:
            yield Sign(name, Level.WARNING, "degraded", f"{kind} for more than ten minutes: {said.get('message', '')}")
            return
    for kind in ("Ready", "Available"):
        said = condition(held, kind)
        if said:
            good = said.get("status") == "True"
            level = Level.OK if good else Level.ERROR
            yield Sign(name, level, "" if good else "failed", f"{kind}: {said.get('message') or said.get('status')}")
            return
    if status.get("state"):
        good = status["state"] == "Running"
        yield Sign(
            name, Level.OK if good else Level.WARNING, "" if good else "progressing", f"state: {status['state']}"
        )
        return
    yield _reported(held, status, schedule, now)


def _reported(held: Mapping[str, Any], status: Mapping[str, Any], schedule: str, now: datetime) -> Sign:
    """Return how an object is whose controller writes reports and no conditions."""
    between = _period(schedule, now)
    limit = 2 * between if between else None
    updated, summary = status.get("updateTimestamp"), status.get("summary") or {}
    if updated:
        if limit is not None and _age(updated, now) > limit:
            return Sign(
                "health/status", Level.WARNING, "stale", f"the last report is of {updated}; is the engine running?"
            )
        counts = f"{summary.get('passCount', 0)} passed, {summary.get('failCount', 0)} failed"
        return Sign("health/status", Level.OK, "", f"reported at {updated}: {counts}")
    age = _age((held.get("metadata") or {}).get("creationTimestamp"), now)
    if limit is not None and age <= limit:
        return Sign("health/status", Level.UNKNOWN, "not-yet", "no report yet; its schedule has not come round twice")
    return Sign("health/status", Level.UNKNOWN, "not-observed", "nothing has written a status; is the engine running?")


def preflight(client: Client, served: Served, namespace: str, spec: Mapping[str, Any]) -> Iterator[Sign]:
    """Yield what has to be there before an object can be written and can have an effect."""
    may = client.may("patch", served.plural, group=served.group, namespace=namespace)
    yield Sign(
        "preflight/permission",
        Level.OK if may else Level.ERROR,
        "" if may else "forbidden",
        f"patch {served.plural}: {'allowed' if may else 'RBAC does not allow it; give the account a role that does'}",
    )
    if namespace:
        yield _exists(client, f"/api/v1/namespaces/{namespace}", f"namespace {namespace}", Level.ERROR)
    for name in (spec.get("namespaceSelector") or {}).get("matchNames") or ():
        yield _exists(client, f"/api/v1/namespaces/{name}", f"namespace {name}", Level.WARNING)
    labels = label_query(spec.get("labelSelector") or {})
    if labels:
        yield _matches(client, labels)


def _exists(client: Client, path: str, what: str, missing: Level) -> Sign:
    name = "preflight/namespaces"
    try:
        client.get(path)
    except Missing:
        return Sign(name, missing, "no-namespace", f"{what} is not there; make it, or take it out of the policy")
    except BackendError as error:
        return Sign(name, Level.UNKNOWN, "unreadable", str(error))
    return Sign(name, Level.OK, "", f"{what} is there")


def _matches(client: Client, labels: str) -> Sign:
    name = "preflight/workloads"
    try:
        found = sum(1 for _ in client.list("/api/v1/pods", labels=labels, names_only=True))
    except Forbidden as error:
        return Sign(name, Level.UNKNOWN, "unreadable", str(error))
    if not found:
        return Sign(name, Level.WARNING, "no-match", f"no pod carries {labels}, so the policy is about nothing")
    return Sign(name, Level.OK, "", f"{found} pods carry {labels}")


def _period(schedule: str, now: datetime) -> float:
    """Return the seconds between two runs; 0 where a schedule is none, or one that cron elsewhere does not know."""
    try:
        runs = CronSim(schedule, now)
        first = next(runs)
        return (next(runs) - first).total_seconds()
    except (CronSimError, StopIteration):
        return 0.0


def _age(text: Any, now: datetime) -> float:
    """Return how many seconds ago a time was; nothing that can be read is never ago."""
    try:
        return (now - datetime.fromisoformat(str(text))).total_seconds()
    except (ValueError, TypeError):
        return 0.0
