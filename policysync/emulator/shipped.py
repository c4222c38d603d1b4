"""What a new console holds: the objects the product ships.

A kind's own `x-kind.builtins` says which there are; this module knows what makes some of them look real.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from policysync.emulator.quirks.account import ACCOUNT
from policysync.emulator.quirks.platform import VERSION
from policysync.emulator.settings import EMAIL
from policysync.kinds.kind import Kind
from policysync.pointer import MISSING

_ON: Mapping[str, Any] = {"enabled": True}
_ACTIONS = {"audit_on_failure": True, "block_failed": True, "application_scopes": ["Global"]}

_CONTENTS: Mapping[str, Mapping[str, Any]] = {
    # Reference, policies 5: audit mode, with these controls on from the start.
    "Aqua default runtime policy": {
        **_ON,
        "enable_crypto_mining_dns": True,
        "block_fileless_exec": True,
        "enable_ip_reputation": True,
        "drift_prevention": {"enabled": True, "exec_lockdown": True},
        "restricted_volumes": {"enabled": True, "volumes": ["/var/run/docker.sock", "/proc", "/etc"]},
        "bypass_scope": {
            "enabled": True,
            "scope": {"expression": "v1", "variables": [{"attribute": "kubernetes.namespace", "value": "kube-system"}]},
        },
    },
    "Aqua default host runtime policy": {
        **_ON,
        "audit_brute_force_login": True,
        "system_integrity_protection": {"enabled": True, "audit_systemtime_change": True},
        "auditing": {"enabled": True, "audit_success_login": True, "audit_failed_login": True},
    },
    "Block Non-compliant Images": {"block_disallowed_images": True},
    "Block Unregistered Images": {"only_registered_images": True},
    "Global": {"description": "Every resource there is"},
    "Docker Hub": {"type": "HUB", "url": "https://registry-1.docker.io"},
    "Host Images": {"type": "API"},
    "Ad Hoc Scans": {"type": "API"},
    "default": {"type": "agent", "orchestrator": {}, "description": "", "logicalname": "default"},
    "administrator": {"name": "administrator", "email": "", "roles": ["Administrator"]},
    "Administrator": {"is_super": True, "permission": "Administrator", "scopes": ["Global"]},
}

_VSHIELD: Mapping[str, Any] = {
    "name": "vShield CVE-2021-44228 log4j-core",
    "description": "written by the console itself",
    "author": "system",
    "is_auto_generated": True,
    "enabled": True,
    "cve": "CVE-2021-44228",
    "image_name": "library/solr:8.11.0",
    "registry": "Docker Hub",
    "resource_name": "log4j-core",
    "resource_type": "package",
}
_GATEWAY = {
    "id": "8522744b25e2_gateway",
    "logicalname": "8522744b25e2",
    "description": "",
    "type": "gateway",
    "version": VERSION,
    "commit": "a1b2c3d",
    "hostname": "aqua-gateway-0",
    "address": "10.0.12.7:3622",
    "public_address": "aqua-gateway-svc.aqua:3622",
    "grpc_address": "aqua-gateway-svc.aqua:8443",
    "status": "connect",
    "lastupdate": 1751875200,
    "serverid": "8522744b25e2",
    "server_name": "",
    "project_id": 0,
    "docker_version": "",
    "host_os": "",
}
_ACCOUNT = {
    "id": ACCOUNT,
    "root_user": EMAIL,
    "created": "2021-10-09T00:36:24.000Z",
    "current_plan": 57,
    "csp_enabled": True,
    "csp_metadata": None,
    "source": "aquasec",
    "users_admin_only": False,
    "integrations_admin_only": False,
}
_ALONE: Mapping[str, tuple[dict[str, Any], ...]] = {
    "Gateway": (_GATEWAY,),
    "Account": (_ACCOUNT,),
    "UserSaas": ({"email": EMAIL, "account_admin": True, "csp_roles": ["Administrator"], "confirmed": True},),
}
"""What there is from the start of kinds that name no built-in objects (reference, platform 9.16)."""
_WITH_VSHIELD = "ContainerRuntimePolicy"


def builtins_of(kind: Kind) -> Iterator[dict[str, Any]]:
    """Yield the bodies of the objects a new console has of this kind."""
    fields = kind.root.properties
    if kind.singleton and kind.api.get("get"):
        yield {}
    for slot in kind.slots:
        yield {**_reset(kind), kind.key[0]: slot}
    yield from _ALONE.get(kind.name, ())
    for builtin in kind.builtins:
        if not builtin.name or len(kind.key) != 1:
            continue
        known = {**_general(kind, builtin.name), **_CONTENTS.get(builtin.name, {}), "author": "system"}
        values = {name: value for name, value in known.items() if name in fields}
        yield {kind.key[0]: builtin.name, **values}
    if kind.name == _WITH_VSHIELD:
        yield {name: value for name, value in _VSHIELD.items() if name in fields}


def _reset(kind: Kind) -> dict[str, Any]:
    """Return what a delete leaves of a slot; nobody has used it yet either."""
    form = (kind.api["delete"] or {}).get("body", {})
    return {name: value for name, value in form.get("const", {}).items() if value != "$id"}


def _general(kind: Kind, name: str) -> dict[str, Any]:
    """Return what shipped objects of a kind have in common.

    Source: reference, policies 4: `Default` has no controls and the three actions on.
    """
    fields = kind.root.properties
    values: dict[str, Any] = {"is_ootb_policy": True, "permission": name, "scopes": ["Global"], "enabled": False}
    if "fail_cicd" in fields and "assurance_type" in fields:
        values |= {**_ACTIONS, "enabled": True, "fail_cicd": fields["fail_cicd"].initial is not False}
    if "permission" in fields and fields["permission"].read_only:
        values["permission"] = "Write"
    if "actions" in fields:
        known = fields["actions"].each.known if fields["actions"].each else ()
        values["actions"] = [action for action in known if str(action).endswith(".read")]
    return {n: v for n, v in values.items() if v is not MISSING}
