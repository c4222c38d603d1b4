"""Integrations over Apono's API, against a tenant on a port."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from acceptance.policy_repository import new_repository
from conformance.samples import create, delete, update

from policysync.backends.apono.backend import Apono
from policysync.emulator.apono import INTEGRATIONS, Tenant, connector
from policysync.emulator.exchange import Request, answer
from policysync.emulator.faults import Fault, FaultPlan
from policysync.errors import OutcomeUnknown, Refused, Unavailable
from policysync.plan.change import Change
from policysync.plan.diff import diff
from policysync.state.resource import Resource
from systems.apono_tenant import KIND, PATIENT, connected, patient, serving

SPEC: dict[str, Any] = {
    "name": "accounts",
    "displayName": "AWS Accounts",
    "type": "aws-account",
    "connectorRef": "eu-1",
    "connectedResourceTypes": ["aws-account-s3-bucket", "aws-account-iam-group"],
    "config": {"region": "eu-west-1"},
    "owner": {"attributeType": "user", "attributeValues": ["secops@example.com"], "sourceIntegration": "Directory"},
}


def made(backend: Apono, spec: dict[str, Any] | None = None) -> Change:
    change = create(KIND, spec or SPEC)
    assert change.after is not None
    backend.expect({change.address: change.after.spec})
    backend.write(change, KIND)
    return change


def live(backend: Apono, name: str = "accounts") -> Resource:
    (found,) = backend.read(KIND, frozenset({name}))
    return found


def differences(change: Change, found: Resource) -> list[str]:
    assert change.after is not None
    return ["/".join(edit.path) for edit in diff(KIND.root, change.after.spec, found.spec, last=change.after.spec)]


def test_an_integration_is_made_read_changed_and_deleted() -> None:
    with connected(Tenant()) as backend:
        change = made(backend)
        assert differences(change, live(backend)) == []
        assert list(backend.list(KIND)) == ["accounts"]

        changed = update(KIND, live(backend), {**SPEC, "customAccessDetails": "Ask the team first."})
        backend.write(changed, KIND)
        assert differences(changed, live(backend)) == []
        assert differences(change, live(backend)) == []

        backend.write(delete(live(backend)), KIND)
        assert list(backend.read(KIND)) == []
        assert list(backend.read(KIND, frozenset({"accounts"}))) == []


def test_all_pages_are_read_and_later_ones_take_nothing_but_their_name() -> None:
    with connected(Tenant([connector(f"c-{n}", "1" * 12, "eu-west-1") for n in range(5)], page=2)) as backend:
        names = [f"n-{number}" for number in range(7)]
        for name in names:
            made(backend, {**SPEC, "name": name, "displayName": f"shown {name}"})
        assert sorted(backend.list(KIND)) == names
        assert sorted(resource.address.name for resource in backend.read(KIND)) == names
        found = backend.connector("c-4")
        assert found is not None
        assert found["id"] == "c-4"


def test_an_integration_git_does_not_know_goes_by_the_name_apono_shows() -> None:
    with connected(Tenant()) as backend:
        made(backend)
        backend._expected.clear()
        assert [resource.address.name for resource in backend.read(KIND)] == ["AWS Accounts"]


@pytest.mark.parametrize("reference", ["Directory", "id-of-Directory"])
def test_the_source_of_an_owner_may_be_named_by_id_or_by_name(reference: str) -> None:
    with connected(Tenant()) as backend:
        change = made(backend, {**SPEC, "owner": {**SPEC["owner"], "sourceIntegration": reference}})
        assert differences(change, live(backend)) == []
        other = update(KIND, live(backend), {**SPEC, "owner": {**SPEC["owner"], "sourceIntegration": "Another"}})
        assert [edit.path for edit in other.edits] == [("owner", "sourceIntegration")]


def test_owners_that_git_does_not_state_keep_their_source() -> None:
    tenant = Tenant()
    with connected(tenant) as backend:
        made(backend)
        before = live(backend)
        stated = {name: value for name, value in SPEC.items() if name != "owner"}
        backend.write(update(KIND, before, {**stated, "config": {"region": "eu-west-2"}}), KIND)
        after = live(backend)
        assert after.spec["config"] == {"region": "eu-west-2"}
        assert after.spec["owner"] == before.spec["owner"]


def test_another_secret_store_takes_the_place_of_the_one_before() -> None:
    tenant = Tenant()
    stores = [{"aws": {"region": "eu-west-1", "secret_id": "a"}}, {"gcp": {"project": "p", "secret_id": "b"}}]
    with connected(tenant) as backend:
        made(backend, {**SPEC, "secretStore": stores[0]})
        changed = update(KIND, live(backend), {**SPEC, "secretStore": stores[1]})
        backend.write(changed, KIND)
        assert differences(changed, live(backend)) == []
        (stored,) = tenant._integrations.values()
        assert stored["secret_store_config"] == stores[1]
        stored["secret_store_config"] = {"apono": {"parameters": {"password": "typed-in-there"}}}
        assert "typed-in-there" not in str(live(backend))
        backend.write(update(KIND, live(backend), {**SPEC, "secretStore": stores[0]}), KIND)
        (stored,) = tenant._integrations.values()
        assert stored["secret_store_config"] == stores[0]


@pytest.mark.parametrize("member", ["owner", "owners_mapping", "secret_store_config"])
def test_a_member_that_is_no_object_is_a_difference_and_no_crash(member: str) -> None:
    tenant = Tenant()
    with connected(tenant) as backend:
        stated = {**SPEC, "secretStore": {"aws": {"region": "r", "secret_id": "a"}}}
        change = made(backend, {**stated, "ownersMapping": {"keyName": "k", "attributeType": "user"}})
        (stored,) = tenant._integrations.values()
        stored[member] = ["odd"]
        assert len(differences(change, live(backend))) == 1


def test_another_type_is_another_integration() -> None:
    with connected(Tenant()) as backend:
        made(backend)
        before = live(backend)
        change = update(KIND, before, {**SPEC, "type": "postgresql"})
        replaced = Change(change.action, change.address, before, change.after, change.edits, replace=True)
        backend.write(replaced, KIND)
        assert live(backend).spec["type"] == "postgresql"
        assert live(backend).id != before.id


def test_a_display_name_can_change() -> None:
    with connected(Tenant()) as backend:
        made(backend)
        before = live(backend)
        backend.write(update(KIND, before, {**SPEC, "displayName": "Accounts of AWS"}), KIND)
        assert live(backend).spec["displayName"] == "Accounts of AWS"
        assert live(backend).id == before.id


def test_making_the_same_twice_is_making_it_once() -> None:
    with connected(Tenant()) as backend:
        change = made(backend)
        backend.write(change, KIND)
        assert list(backend.list(KIND)) == ["accounts"]
        other = create(KIND, {**SPEC, "config": {"region": "eu-west-9"}})
        with pytest.raises(Refused, match="409"):
            backend.write(other, KIND)


def test_a_wrong_token_is_refused_once_and_never_shown() -> None:
    with connected(Tenant(), token="not-the-right-one") as backend:
        with pytest.raises(Refused, match="does not accept the token") as caught:
            backend.probe()
        assert "not-the-right-one" not in str(caught.value)


FAILURES: Sequence[tuple[Fault, type[Exception]]] = [
    (Fault(status=429, retry_after=7), Unavailable),
    (Fault(status=503), Unavailable),
    (Fault(status=500), OutcomeUnknown),
    (Fault(drop="after"), OutcomeUnknown),
    (Fault(status=403), Refused),
    (Fault(delay=1.5), OutcomeUnknown),
]


@pytest.mark.parametrize(("fault", "failure"), FAILURES, ids=["429", "503", "500", "dropped", "403", "slow"])
def test_a_write_fails_in_one_of_three_ways(fault: Fault, failure: type[Exception]) -> None:
    rule = Fault(**{**{n: getattr(fault, n) for n in fault.__slots__}, "method": "POST", "times": 1})
    # Of a console that is slow nobody waits for the answer.
    timeout = fault.delay / 3 or PATIENT
    with connected(Tenant(faults=FaultPlan((rule,))), timeout=timeout) as backend, pytest.raises(failure):
        made(backend)


def test_reads_are_tried_again_and_every_page_counts() -> None:
    rules = (Fault(method="GET", path=f"{INTEGRATIONS}*", status=503, after=1, times=2),)
    tenant = Tenant(faults=FaultPlan(rules), page=2)
    for number in range(5):
        body = {"name": f"n-{number}", "type": "postgresql", "integration_config": {}}
        headers = {"authorization": "Bearer emulator"}
        assert tenant.handle(Request("POST", INTEGRATIONS, headers, json.dumps(body).encode())).status == 200
    with connected(tenant, patient) as backend:
        assert len(list(backend.list(KIND))) == 5


def test_the_story_of_an_integration_through_the_command_line(tmp_path: Path) -> None:
    tenant = Tenant()
    with serving(tenant) as url:
        repository = new_repository(tmp_path / "repo", APONO_PERSONAL_TOKEN="emulator")
        target = {"name": "tenant", "backend": "apono", "url": url, "auth": {"token": "${env:APONO_PERSONAL_TOKEN}"}}
        project = {
            "version": 1,
            "stages": [{"name": "dev", "targets": [target]}],
            "references": {"external": ["AponoConnector/*"]},
        }
        repository.write("policysync.yaml", yaml.safe_dump(project))
        spec = {name: value for name, value in SPEC.items() if name != "name"}
        document = {"apiVersion": "policysync/v1", "kind": "AponoIntegration", "metadata": {"name": "accounts"}}
        repository.write("policies/base/accounts.yaml", yaml.safe_dump({**document, "spec": spec}))
        repository.commit()
        assert repository.run("apply", "--stage", "dev", "--yes").status == 0
        in_sync = repository.run("plan", "--stage", "dev", "--detailed-exitcode")
        assert in_sync.status == 0, in_sync.out

        (stored,) = tenant._integrations.values()
        stored["custom_access_details"] = "by hand"
        stored["integration_config"] = {"region": "us-east-1"}
        drifted = repository.run("drift", "--stage", "dev")
        assert drifted.status == 2
        assert '"eu-west-1" → "us-east-1"' in drifted.out
        assert repository.run("apply", "--stage", "dev", "--yes").status == 0

        repository.git("rm", "-q", "policies/base/accounts.yaml")
        repository.commit()
        assert repository.run("apply", "--stage", "dev", "--prune", "--yes", "--allow", "empty-desired").status == 0
        assert tenant._integrations == {}


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"items": [], "pagination": {"next_page_token": "again"}}, "come round again"),
        ({"data": []}, "does not answer as Apono does"),
        ([], "does not answer as Apono does"),
    ],
)
def test_pages_that_never_end_or_are_none_are_refused(
    monkeypatch: pytest.MonkeyPatch, said: object, message: str
) -> None:
    tenant = Tenant()
    monkeypatch.setattr(tenant, "handle", lambda _request: answer(200, said))
    with connected(tenant) as backend, pytest.raises(Refused, match=message):
        backend.connector("eu-1")
