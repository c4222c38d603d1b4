"""One resource of every kind of the console, and what a change of it looks like."""

from __future__ import annotations

from typing import Any

from policysync.kinds.kind import Kind
from policysync.plan.change import Action, Change
from policysync.plan.diff import diff
from policysync.state.normalize import desired_spec, new_spec
from policysync.state.resource import Address, Resource

Spec = dict[str, Any]

_CATEGORIES = {
    "artifacts": {"image": {"expression": "v1", "variables": [{"attribute": "image.name", "value": "web*"}]}},
}
_MEMBERSHIP = {
    "target": "container",
    "priority": 5,
    "scope": {"expression": "v1", "variables": [{"attribute": "kubernetes.namespace", "value": "web"}]},
}
_OUTPUT = {"name": "oncall", "type": "email"}

SAMPLES: dict[str, tuple[Spec, Spec]] = {
    "Acknowledge": (
        {
            "comment": "not reachable",
            "issue_type": "vulnerability",
            "issue_name": "CVE-2022-1271",
            "resource_type": "package",
            "resource_name": "gzip",
            "resource_version": "1.10",
            "registry_name": "Harbor",
            "image_name": "web:1",
        },
        {"comment": "reachable after all", "expiration_days": 3},
    ),
    "ApplicationScope": ({"name": "web", "categories": _CATEGORIES}, {"description": "the web team"}),
    "AssuranceScript": (
        {"name": "aks", "engine": "yaml", "path": "aks.yaml", "kind": "kubernetes", "snippet": "---\nid: 1\n"},
        {"snippet": "---\nid: 2"},
    ),
    "CfApplicationAssurancePolicy": ({"name": "strict", "application_scopes": ["Global"]}, {"description": "new"}),
    "ContainerRuntimePolicy": ({"name": "web", "application_scopes": ["Global"]}, {"enforce": True}),
    "FirewallPolicy": ({"name": "web"}, {"description": "new"}),
    "FunctionAssurancePolicy": ({"name": "strict", "application_scopes": ["Global"]}, {"description": "new"}),
    "FunctionRuntimePolicy": ({"name": "lambdas", "application_scopes": ["Global"]}, {"enforce": True}),
    "HostAssurancePolicy": ({"name": "strict", "application_scopes": ["Global"]}, {"description": "new"}),
    "HostRuntimePolicy": ({"name": "hosts", "application_scopes": ["Global"]}, {"enforce": True}),
    "ImageAssurancePolicy": (
        {"name": "strict", "application_scopes": ["Global"], "maximum_score_enabled": True, "maximum_score": 7},
        {"maximum_score": 5},
    ),
    "KubernetesAssurancePolicy": ({"name": "strict", "application_scopes": ["Global"]}, {"description": "new"}),
    "Label": ({"name": "team"}, {"description": "who answers"}),
    "PermissionSet": ({"name": "readers", "actions": ["images.read"]}, {"description": "may look"}),
    "Registry": ({"name": "Harbor", "type": "V1/V2", "url": "https://harbor"}, {"description": "ours"}),
    "ResponsePolicy": (
        {"title": "page", "enabled": True, "trigger": {"predefined": "Incidents"}, "outputs": [_OUTPUT]},
        {"enabled": False},
    ),
    "Role": ({"name": "web", "permission": "readers", "scopes": ["Global"]}, {"description": "new"}),
    "Service": (
        {"name": "web", "application_scopes": ["Global"], "policies": ["default"], "membership_rules": _MEMBERSHIP},
        {"description": "new"},
    ),
    "SuppressionRule": (
        {
            "name": "fixtures",
            "enable": True,
            "application_scopes": ["Global"],
            "controls": [{"type": "vulnerabilitySeverity", "scan_type": "vulnerability", "severity": "low"}],
        },
        {"enable": False},
    ),
}


def desired(kind: Kind, spec: Spec) -> Resource:
    """Return what git would state."""
    stated = desired_spec(kind, spec)
    return Resource(Address(kind.name, kind.name_of(stated)), stated)


def create(kind: Kind, spec: Spec) -> Change:
    """Return the change that makes an object."""
    after = desired(kind, spec)
    return Change(Action.CREATE, after.address, None, Resource(after.address, new_spec(kind, spec)))


def update(kind: Kind, before: Resource, spec: Spec) -> Change:
    """Return the change of a live object; the key goes with what is stated."""
    key = {name: before.spec[name] for name in kind.key if name in before.spec}
    return Change(Action.UPDATE, before.address, before, desired(kind, {**key, **spec}))


def delete(before: Resource) -> Change:
    """Return the change that removes a live object."""
    return Change(Action.DELETE, before.address, before, None)


def differences(kind: Kind, spec: Spec, live: Resource) -> list[str]:
    """Return the paths at which the live object is not as stated."""
    stated = desired(kind, spec).spec
    return ["/".join(edit.path) for edit in diff(kind.root, stated, live.spec, last=stated)]
