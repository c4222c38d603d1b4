"""What is written down before the first change: who wants what, and what it would make last-applied."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from datetime import datetime
from secrets import token_hex

from policysync.apply.record import Record, State, entries_of
from policysync.apply.run import Contents
from policysync.plan.change import Plan
from policysync.state.normalize import canonical
from policysync.state.resource import Resource

_LINKS = ("POLICYSYNC_RUN_URL", "CI_JOB_URL", "BUILD_URL")


def record_of(
    plan: Plan,
    digest: str,
    at: datetime,
    salt: str,
    environ: Mapping[str, str],
    *,
    by: str = "",
    allowed: tuple[str, ...] = (),
    identity: str = "",
    occasion: str = "",
) -> Record:
    """Return the record of an apply that is about to begin."""
    return Record(
        id=f"{at:%Y%m%dT%H%M%SZ}-{token_hex(3)}",
        state=State.INTENT,
        stage=plan.stage,
        target=plan.target,
        by=by,
        at=at,
        host=platform.node(),
        link=link_of(environ),
        revision=plan.revision,
        dirty=plan.dirty,
        digest=digest,
        allowed=allowed,
        entries=entries_of(plan.changes, salt),
        identity=identity,
        occasion=occasion,
    )


def link_of(environ: Mapping[str, str]) -> str:
    """Return the page of the pipeline run that this is, where there is one."""
    if environ.get("GITHUB_RUN_ID"):
        server = environ.get("GITHUB_SERVER_URL", "https://github.com")
        return f"{server}/{environ.get('GITHUB_REPOSITORY', '')}/actions/runs/{environ['GITHUB_RUN_ID']}"
    return next((environ[name] for name in _LINKS if environ.get(name)), "")


def stated_by(plan: Plan, salt: str) -> Contents:
    """Return what a plan makes last-applied where it succeeds."""
    kept = ((change.address, change.remembered or change.after) for change in plan.changes)
    return {address: remembered(resource, salt) for address, resource in kept if resource is not None}


def remembered(resource: Resource, salt: str) -> bytes:
    """Return what the ledger keeps of a desired resource: `spec`, and `protect` where git says so."""
    return canonical({"spec": resource.spec} | ({"protect": True} if resource.protect else {}), salt)
