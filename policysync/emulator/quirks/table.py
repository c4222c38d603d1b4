"""Which kind has which quirk."""

from __future__ import annotations

from collections.abc import Mapping

from policysync.emulator.quirks.access import PermissionSet, PermissionSetSaas, Role, User
from policysync.emulator.quirks.account import ApiKey, Group, RoleMapping, UserSaas
from policysync.emulator.quirks.platform import (
    EnforcerGroup,
    IntegrationState,
    LogService,
    MonitoringSystem,
    Notification,
    Registry,
    ScannerGroup,
)
from policysync.emulator.quirks.policies import FirewallPolicy, RuntimePolicy, SuppressionRule
from policysync.emulator.quirks.scene import Quirk
from policysync.kinds.kind import Kind

_PLAIN = Quirk()
_QUIRKS: Mapping[str, Quirk] = {
    "ApiKey": ApiKey(),
    "EnforcerGroup": EnforcerGroup(),
    "FirewallPolicy": FirewallPolicy(),
    "Group": Group(),
    "IntegrationState": IntegrationState(),
    "LogManagement": LogService(),
    "MonitoringSystem": MonitoringSystem(),
    "Notification": Notification(),
    "PermissionSet": PermissionSet(),
    "PermissionSetSaas": PermissionSetSaas(),
    "Registry": Registry(),
    "Role": Role(),
    "RoleMappingSaas": RoleMapping(),
    "ScannerGroup": ScannerGroup(),
    "SuppressionRule": SuppressionRule(),
    "User": User(),
    "UserSaas": UserSaas(),
    **{f"{resource}RuntimePolicy": RuntimePolicy() for resource in ("Container", "Host", "Function")},
}


def quirk_of(kind: Kind) -> Quirk:
    """Return the quirk of a kind; most have none."""
    return _QUIRKS.get(kind.name, _PLAIN)
