"""One resource of every kind of the console, and what a change of it looks like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policysync.kinds.kind import Kind
from policysync.plan.change import Action, Change
from policysync.plan.diff import diff
from policysync.secret import Secret
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
    "ApiKey": ({"description": "ci", "roles": ["web"], "ip_addresses": ["198.51.100.7"]}, {"enabled": False}),
    "ContainerRuntimePolicy": ({"name": "web", "application_scopes": ["Global"]}, {"enforce": True}),
    "EnforcerGroup": (
        {"id": "nodes", "type": "agent", "orchestrator": {"type": "kubernetes"}, "image_assurance": True},
        {"enforce": True},
    ),
    "FirewallPolicy": ({"name": "web"}, {"description": "new"}),
    "FunctionAssurancePolicy": ({"name": "strict", "application_scopes": ["Global"]}, {"description": "new"}),
    "FunctionRuntimePolicy": ({"name": "lambdas", "application_scopes": ["Global"]}, {"enforce": True}),
    "Group": ({"name": "payments"}, {}),
    "HostAssurancePolicy": ({"name": "strict", "application_scopes": ["Global"]}, {"description": "new"}),
    "HostRuntimePolicy": ({"name": "hosts", "application_scopes": ["Global"]}, {"enforce": True}),
    "ImageAssurancePolicy": (
        {"name": "strict", "application_scopes": ["Global"], "maximum_score_enabled": True, "maximum_score": 7},
        {"maximum_score": 5},
    ),
    "KubernetesAssurancePolicy": ({"name": "strict", "application_scopes": ["Global"]}, {"description": "new"}),
    "Label": ({"name": "team"}, {"description": "who answers"}),
    "Ldap": ({"enable": True, "port": "636", "role_mapping": {"Scanner": ["ci"]}}, {"ssl": True}),
    "LogManagement": ({"name": "Syslog", "enable": True, "url": "syslog.example:514"}, {"network": "tls"}),
    "MonitoringSystem": ({"name": "Prometheus", "type": "prometheus", "enabled": True, "interval": 5}, {"interval": 7}),
    "Notification": (
        {"name": "oncall", "type": "email", "properties": {"host": "smtp.example", "recipients": ["a@example.com"]}},
        {"properties": {"port": 587}},
    ),
    "NotificationSlackLegacy": ({"enabled": True, "channel": "#security"}, {"user_name": "aqua"}),
    "PermissionSet": ({"name": "readers", "actions": ["images.read"]}, {"description": "may look"}),
    "PermissionSetSaas": ({"name": "viewer", "actions": ["cnapp.inventory.read"]}, {"description": "may look"}),
    "Registry": ({"name": "Harbor", "type": "V1/V2", "url": "https://harbor"}, {"description": "ours"}),
    "ResponsePolicy": (
        {"title": "page", "enabled": True, "trigger": {"predefined": "Incidents"}, "outputs": [_OUTPUT]},
        {"enabled": False},
    ),
    "Role": ({"name": "web", "permission": "readers", "scopes": ["Global"]}, {"description": "new"}),
    "RoleMapping": ({"saml": {"role_mapping": {"Scanner": ["ci", "build"]}}}, {"saml": {"role_mapping": {}}}),
    "RoleMappingSaas": ({"csp_role": "web", "saml_groups": ["Engineering"]}, {"saml_groups": ["Engineering", "SOC"]}),
    "ScannerGroup": ({"name": "eu", "application_scopes": ["Global"]}, {"description": "near the registry"}),
    "SecretKeystore": (
        {"name": "vault", "type": "vault", "url": "https://vault", "user": "secret"},
        {"enabled": False},
    ),
    "ServerlessApplication": ({"name": "lambdas", "compute_provider": 1, "region": "eu-west-1"}, {"auto_pull": True}),
    "Service": (
        {"name": "web", "application_scopes": ["Global"], "policies": ["default"], "membership_rules": _MEMBERSHIP},
        {"description": "new"},
    ),
    "SsoOauth2": ({"enabled": True, "iss_url": "https://idp"}, {"user_role": "groups"}),
    "SsoOpenid": ({"enabled": True, "scopes": ["openid", "email"]}, {"scopes": ["openid"]}),
    "SsoSaml": ({"enabled": True, "role_mapping": {"Scanner": ["ci"]}}, {"aqua_creds_enable": False}),
    "SuppressionRule": (
        {
            "name": "fixtures",
            "enable": True,
            "application_scopes": ["Global"],
            "controls": [{"type": "vulnerabilitySeverity", "scan_type": "vulnerability", "severity": "low"}],
        },
        {"enable": False},
    ),
    "User": ({"id": "ci-bot", "password": Secret("correct horse"), "roles": ["Scanner"]}, {"name": "Builds"}),
    "UserSaas": (
        {"email": "jane@example.com", "account_admin": False, "csp_roles": [], "groups": [{"name": "payments"}]},
        {"mfa_enabled": True, "groups": []},
    ),
}

NEEDS: dict[str, tuple[str, ...]] = {"UserSaas": ("Group",)}
"""Kinds of which there has to be a sample before one of this kind can be made."""

NEVER_MADE = frozenset({"ApiKey"})
"""Kinds whose objects are made by hand, because their secret is shown once."""


def come_and_go(kinds: Mapping[str, Kind]) -> list[str]:
    """Return the kinds whose objects are created and deleted."""
    return sorted(name for name in SAMPLES if not kinds[name].singleton and name not in NEVER_MADE)


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
    after = desired(kind, {**key, **spec})
    edits = tuple(diff(kind.root, after.spec, before.spec))
    return Change(Action.UPDATE, before.address, before, after, edits)


def delete(before: Resource) -> Change:
    """Return the change that removes a live object."""
    return Change(Action.DELETE, before.address, before, None)


def differences(kind: Kind, spec: Spec, live: Resource) -> list[str]:
    """Return the paths at which the live object is not as stated."""
    stated = desired(kind, spec).spec
    return ["/".join(edit.path) for edit in diff(kind.root, stated, live.spec, last=stated)]
