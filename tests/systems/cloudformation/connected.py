"""Backends on the engine, and changes for them, without the command line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from policysync.backends.cloudformation.backend import CloudFormation
from policysync.backends.connect import connect
from policysync.clock import SystemClock
from policysync.documents.project import Limits, Target
from policysync.errors import PolicySyncError
from policysync.kinds.load import load_kinds
from policysync.plan.change import Action, Change
from policysync.plan.diff import diff
from policysync.secret import Secret
from policysync.state.normalize import desired_spec
from policysync.state.resource import Address, Resource
from systems.cloudformation.documents import TOKEN
from systems.cloudformation.engine import REGION, Engine

KINDS = load_kinds()
_LIMITS = Limits(parallelism=4, requests_per_second=1_000_000.0, timeout=60.0)


@contextmanager
def connected(
    engine: Engine,
    account: str,
    root: Path,
    *,
    peers: tuple[Target, ...] = (),
    secrets: Mapping[str, str] | None = None,
    **options: Any,
) -> Iterator[CloudFormation]:
    """Connect to an account, whose profile has to be there."""

    def secret(reference: str) -> Secret:
        known = {"${env:APONO_CONNECTOR_TOKEN}": TOKEN, "${env:TENANT}": "emulator"} if secrets is None else secrets
        if reference not in known:
            raise PolicySyncError(f"{reference} is not set")
        return Secret(known[reference], reference)

    target = Target("aws", "cloudformation", options=options_of(engine, account, **options))
    made = connect(
        target,
        KINDS,
        secrets=secret,
        again=lambda call: call(),
        limits=_LIMITS,
        clock=SystemClock(),
        root=root,
        peers=peers,
    )
    assert isinstance(made, CloudFormation)
    try:
        yield made
    finally:
        made.close()


def options_of(engine: Engine, account: str, **options: Any) -> dict[str, Any]:
    """Return the options of a target for an account."""
    return {"account": account, "region": REGION, "profile": account, "endpoint_url": engine.url, **options}


def desired(kind: str, name: str, spec: Mapping[str, Any]) -> Resource:
    """Return what git would state."""
    key = KINDS[kind].key[0]
    return Resource(Address(kind, name), desired_spec(KINDS[kind], {key: name, **spec}))


def live(backend: CloudFormation, resource: Resource) -> Resource | None:
    """Return the live resource beside what git states."""
    backend.expect({resource.address: resource.spec})
    kind = KINDS[resource.address.kind]
    return next(iter(backend.read(kind, frozenset({resource.address.name}))), None)


def differences(resource: Resource, found: Resource) -> list[str]:
    """Return where live is not as stated; what no stack shows counts as stored."""
    kind = KINDS[resource.address.kind]
    return ["/".join(edit.path) for edit in diff(kind.root, resource.spec, found.spec, last=resource.spec)]


def make(backend: CloudFormation, resource: Resource) -> None:
    """Create a resource."""
    backend.write(Change(Action.CREATE, resource.address, None, resource), KINDS[resource.address.kind])


def change(before: Resource, after: Resource, *, replace: bool = False) -> Change:
    """Return the change from a live resource to what git states."""
    kind = KINDS[after.address.kind]
    edits = tuple(diff(kind.root, after.spec, before.spec, last=after.spec))
    return Change(Action.UPDATE, after.address, before, after, edits, replace=replace)


def gone(before: Resource) -> Change:
    """Return the change that deletes a live resource."""
    return Change(Action.DELETE, before.address, before, None)
