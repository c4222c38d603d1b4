"""In which order changes run, where a law says too little."""

from __future__ import annotations

from unit.plan.small import desired, live, plan_of

from policysync.kinds.kind import Kind
from policysync.kinds.load import load_kinds
from policysync.plan.change import Plan
from policysync.plan.order import references
from policysync.state.normalize import desired_spec
from policysync.state.resource import Address, Resource

Kinds = dict[str, Kind]


def order(plan: Plan) -> list[list[str]]:
    return [[change.id for change in wave] for wave in plan.waves]


def test_without_references_everything_runs_at_once(kinds: Kinds) -> None:
    plan = plan_of(kinds, [desired(kinds, "Scope", "a"), desired(kinds, "Scope", "b")])
    assert order(plan) == [["create:Scope/a", "create:Scope/b"]]


def test_deletes_run_the_other_way_round(kinds: Kinds) -> None:
    last = [desired(kinds, "Policy", "web", scopes=["a"]), desired(kinds, "Scope", "a")]
    found = [live(kinds, "Policy", "web", scopes=["a"]), live(kinds, "Scope", "a")]
    assert order(plan_of(kinds, [], found, last, prune=True)) == [["delete:Policy/web"], ["delete:Scope/a"]]


def test_a_reference_moves_before_what_it_left_is_deleted(kinds: Kinds) -> None:
    wanted = [desired(kinds, "Policy", "web", scopes=["new"]), desired(kinds, "Scope", "new")]
    found = [live(kinds, "Policy", "web", scopes=["old"]), live(kinds, "Scope", "old")]
    plan = plan_of(kinds, wanted, found, [desired(kinds, "Scope", "old")], prune=True)
    assert order(plan) == [["create:Scope/new"], ["update:Policy/web"], ["delete:Scope/old"]]


def test_references_are_found_at_every_depth_and_ids_are_none() -> None:
    kind = load_kinds()["ImageAssurancePolicy"]
    spec = {
        "application_scopes": ["payments"],
        "registry": "Harbor",
        "custom_checks": [{"name": "no-setuid", "script_id": "12"}],
        "trusted_base_images": [{"registry": "Docker Hub", "imagename": "ubi"}],
    }
    found = references(kind, Resource(Address(kind.name, "web"), desired_spec(kind, spec)))
    assert found == {
        Address("ApplicationScope", "payments"),
        Address("Registry", "Harbor"),
        Address("Registry", "Docker Hub"),
        Address("AssuranceScript", "no-setuid"),
    }


def of(name: str, spec: dict[str, object]) -> frozenset[Address]:
    kind = load_kinds()[name]
    stated = desired_spec(kind, spec)
    return references(kind, Resource(Address(name, kind.name_of(stated)), stated))


def test_a_reference_by_type_and_name_leads_to_a_pair() -> None:
    outputs = [{"type": "email", "name": "on/call"}, {"type": "slack", "name": "soc"}]
    assert of("ResponsePolicy", {"title": "x", "outputs": outputs}) == {
        Address("Notification", "email/on~1call"),
        Address("Notification", "slack/soc"),
    }


def test_the_names_in_a_map_are_references() -> None:
    assert of("SsoSaml", {"role_mapping": {"Auditor": ["a"], "web": []}}) == {
        Address("Role", "Auditor"),
        Address("Role", "web"),
    }


def test_a_composite_waits_for_the_documents_it_writes_into() -> None:
    found = of("RoleMapping", {"saml": {"role_mapping": {"web": ["x"]}}})
    assert found == {Address("Role", "web")} | {
        Address(kind, "settings") for kind in ("SsoSaml", "SsoOauth2", "SsoOpenid", "Ldap")
    }
