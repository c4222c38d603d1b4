"""The port's promises, kept by the backends of Apono's kinds: memory, stacks on a real engine, a tenant on a port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from conformance.samples import create, delete, differences, update
from systems.apono_tenant import connected as tenant_at
from systems.cloudformation.connected import KINDS
from systems.cloudformation.connected import connected as stacks_at
from systems.cloudformation.documents import (
    FULL,
    connector,
    organization_role,
    with_credentials,
    with_templates,
)
from systems.cloudformation.engine import ANY_NETWORK, Engine, engine

from policysync.backends.memory import Memory
from policysync.backends.port import Backend
from policysync.emulator.apono import Tenant
from policysync.errors import Refused
from policysync.kinds.kind import Kind
from policysync.state.resource import Resource

Spec = dict[str, Any]
ACCOUNT = "300000000001"
CASES = [
    ("AponoConnector", "memory"),
    ("AponoConnector", "stacks"),
    ("AponoOrganizationRole", "memory"),
    ("AponoOrganizationRole", "stacks"),
    ("AponoIntegration", "memory"),
    ("AponoIntegration", "tenant"),
]


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    with engine(tmp_path_factory.mktemp("ministack")) as running:
        yield running


@pytest.fixture(params=CASES, ids="-".join)
def case(
    request: pytest.FixtureRequest, aws: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Backend, Kind, Spec, Spec]]:
    """A backend without anything in it, a kind, what to make, and what to change of it."""
    name, system = request.param
    kind = KINDS[name]
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(with_credentials(tmp_path, ACCOUNT)))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with_templates(tmp_path)
    with ExitStack() as stack:
        backend: Backend = Memory(KINDS)
        if system == "stacks":
            backend = stack.enter_context(stacks_at(aws, ACCOUNT, tmp_path))
        elif system == "tenant":
            backend = stack.enter_context(tenant_at(Tenant(page=1)))
        spec, further = samples()[name]
        stated = create(kind, spec).after
        assert stated is not None
        backend.expect({stated.address: stated.spec})
        yield backend, kind, spec, further
        # The engine is shared: what a failed test left must not be found by the next one.
        for live in list(backend.read(kind)):
            backend.write(delete(live), kind)


def samples() -> dict[str, tuple[Spec, Spec]]:
    arn = f"arn:aws:iam::{ACCOUNT}:role/connector"
    integration = {
        "name": "db",
        "displayName": "Orders",
        "type": "postgresql",
        "connectorRef": "eu-1",
        "connectedResourceTypes": ["postgresql-table", "postgresql-database"],
        "config": {"hostname": "db.example"},
        "secretStore": {"aws": {"region": "eu-west-1", "secret_id": "db"}},
    }
    role = {"name": "org", **organization_role(ACCOUNT), "connectorRoleArn": arn}
    return {
        "AponoConnector": (connector(ACCOUNT, ANY_NETWORK), {"permissions": FULL}),
        "AponoOrganizationRole": (role, {"permissions": "Read-Only (Discovery)"}),
        "AponoIntegration": (integration, {"config": {"hostname": "replica.example"}}),
    }


def find(backend: Backend, kind: Kind, name: str) -> Resource:
    (found,) = backend.read(kind, frozenset({name}))
    return found


def test_a_resource_is_created_read_changed_and_deleted(case: tuple[Backend, Kind, Spec, Spec]) -> None:
    backend, kind, spec, further = case
    assert list(backend.list(kind)) == []
    assert backend.probe() == backend.probe()
    change = create(kind, spec)
    name = change.address.name
    backend.write(change, kind)
    live = find(backend, kind, name)
    assert differences(kind, spec, live) == []
    assert list(backend.list(kind)) == [name]
    assert list(backend.read(kind)) == [live]
    assert list(backend.read(kind, frozenset({"another"}))) == []

    changed = update(kind, live, {**spec, **further})
    backend.write(changed, kind)
    after = find(backend, kind, name)
    assert differences(kind, {**spec, **further}, after) == []

    backend.write(delete(after), kind)
    assert list(backend.list(kind)) == []
    assert list(backend.read(kind, frozenset({name}))) == []


def test_doing_it_twice_is_doing_it_once(case: tuple[Backend, Kind, Spec, Spec]) -> None:
    backend, kind, spec, further = case
    change = create(kind, spec)
    backend.write(change, kind)
    backend.write(change, kind)
    live = find(backend, kind, change.address.name)
    again = update(kind, live, {**spec, **further})
    backend.write(again, kind)
    backend.write(again, kind)
    live = find(backend, kind, change.address.name)
    assert differences(kind, {**spec, **further}, live) == []
    with pytest.raises(Refused):
        backend.write(change, kind)
    backend.write(delete(live), kind)
    backend.write(delete(live), kind)
    assert list(backend.list(kind)) == []
