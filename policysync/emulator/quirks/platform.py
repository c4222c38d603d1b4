"""Habits of registries, enforcer and scanner groups, notifications and monitoring."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from policysync.emulator.exchange import refuse
from policysync.emulator.quirks.scene import Quirk, Scene
from policysync.emulator.store import Stored

VERSION = "2022.4.700"
UNREACHABLE = "unreachable"
"""A registry whose address or options hold this word cannot be connected to."""
_CONNECTED = {"option": "status", "value": "Connected"}
_IMAGES = "registry.example/aqua"


class Registry(Quirk):
    """Is tried out before it is stored (reference, platform 4, registry)."""

    def before(self, scene: Scene, body: dict[str, Any], earlier: Mapping[str, Any] | None) -> dict[str, Any]:
        name = body.get("name")
        if not _reachable(body) and not body.get("force_save"):
            raise refuse(400, f"failed connecting to registry {name}: dial tcp: i/o timeout")
        pulls = body.get("auto_pull") or body.get("auto_pull_rescan")
        if pulls and body.get("auto_pull_interval") == 0:
            raise refuse(400, f"auto_pull_interval of registry {name} must be 1 or more")
        if body.get("scanner_type") == "specific" and not (body.get("scanner_group_name") or body.get("scanner_name")):
            raise refuse(400, f"registry {name} needs a scanner group")
        return body

    def after(
        self, scene: Scene, done: dict[str, Any], body: Mapping[str, Any], earlier: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        known = scene.kind.root.properties
        connected = _reachable(body)
        facts: dict[str, Any] = {"is_registry_connected": connected, "error_msg": "" if connected else "i/o timeout"}
        prefix = body.get("default_prefix") if earlier is not None else _prefix_of(body)
        if prefix and "prefixes" in done:
            others = [one for one in done["prefixes"] or () if one != prefix]
            facts |= {"prefixes": [*others, prefix], "default_prefix": prefix}
        if "options" in known and known["options"].exclude and done.get("options") and connected:
            kept = [one for one in done["options"] if one.get("option") != "status"]
            facts["options"] = [*kept, _CONNECTED]
        return {**done, **{name: value for name, value in facts.items() if name in known}}


def _reachable(body: Mapping[str, Any]) -> bool:
    said = [body.get("url"), *(o.get("value") for o in body.get("options") or () if isinstance(o, Mapping))]
    return not any(UNREACHABLE in str(value) for value in said)


def _prefix_of(body: Mapping[str, Any]) -> str:
    """Return the prefix that the server makes out by itself; only some clouds have one."""
    if body.get("type") == "AWS":
        return f"111111111111.dkr.ecr.{body.get('url')}.amazonaws.com"
    return str(body.get("url") or "").partition("://")[2] if body.get("type") == "ACR" else ""


class EnforcerGroup(Quirk):
    """Comes with a token, the commands that use it, and a gateway (reference, platform 4 and 9.15)."""

    def missing(self, ident: str, noun: str) -> str:
        return f"Enforcer group ({ident}) not found"

    def before(self, scene: Scene, body: dict[str, Any], earlier: Mapping[str, Any] | None) -> dict[str, Any]:
        ignored = scene.settings.quirks == "harsh" and earlier is None and body.get("type") == "kube_enforcer"
        changed = {**body, "auto_copy_secrets": True} if ignored else dict(body)
        return {**changed, "type": body.get("type") or "agent"}

    def after(
        self, scene: Scene, done: dict[str, Any], body: Mapping[str, Any], earlier: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        gateways = list(scene.bodies("Gateway"))
        chosen = done.get("gateways") or [str(one["id"]) for one in gateways[:1]]
        gateway = next((one for one in gateways if one["id"] in chosen), {})
        facts = {
            "gateways": chosen,
            "gateway_name": gateway.get("logicalname", ""),
            "gateway_address": gateway.get("public_address", ""),
            "aqua_version": VERSION,
            "enforcer_image_name": f"{_IMAGES}/enforcer:{VERSION}",
            **_commands(str(done.get("token", "")), str(gateway.get("public_address", ""))),
        }
        images = {"micro_enforcer_image_name": "microenforcer", "kube_bench_image_name": "kube-bench"}
        made = {name: done.get(name) or f"{_IMAGES}/{image}:{VERSION}" for name, image in images.items()}
        known = scene.kind.root.properties
        return {**done, **{name: value for name, value in {**facts, **made}.items() if name in known}}


def _commands(token: str, gateway: str) -> dict[str, Any]:
    docker = f"docker run -d -e AQUA_TOKEN={token} -e AQUA_SERVER={gateway} {_IMAGES}/enforcer:{VERSION}"
    kubernetes = f"kubectl create secret generic enforcer-token --from-literal=token={token}"
    command = {"default": docker, "kubernetes": kubernetes, "swarm": docker, "windows": docker}
    return {"command": command, "install_command": docker, "pas_deployment_link": f"/pas/{token}.zip"}


class ScannerGroup(Quirk):
    """Mirrors the registries that name it, and has a token (reference, platform 4, scanner_group)."""

    def after(
        self, scene: Scene, done: dict[str, Any], body: Mapping[str, Any], earlier: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        tokens = done.get("tokens") or (earlier or {}).get("tokens") or [f"{scene.store.number():032x}"]
        command = {"additional_prop1": f"docker run {_IMAGES}/scanner:{VERSION} --token {tokens[0]}"}
        facts = {"tokens": tokens, "deploy_command": command}
        return {**done, **{name: value for name, value in facts.items() if name in scene.kind.root.properties}}

    def shown(self, scene: Scene, body: bytes, query: Mapping[str, str]) -> bytes:
        group = orjson.loads(body)
        mine = [one["name"] for one in scene.bodies("Registry") if one.get("scanner_group_name") == group["name"]]
        return orjson.dumps({**group, "registries": mine})


class Notification(Quirk):
    """Says in its own words that it is not there (reference, platform 4, notification)."""

    def missing(self, ident: str, noun: str) -> str:
        return "Notification Output with id doesn't exist"


class MonitoringSystem(Quirk):
    """Keeps its token while none is sent (reference, platform 2.5)."""

    def after(
        self, scene: Scene, done: dict[str, Any], body: Mapping[str, Any], earlier: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        kept = done.get("token") or (earlier or {}).get("token")
        return {**done, "token": kept} if kept else done


class LogService(Quirk):
    """Cannot be removed; letters of its name may be of either case (reference, platform 4, log_management)."""

    def deleting(self, scene: Scene, stored: Stored) -> None:
        raise refuse(405, f"log service {stored.key} cannot be deleted")


class IntegrationState(Quirk):
    """Says which ways of signing in are switched on."""

    def shown(self, scene: Scene, body: bytes, query: Mapping[str, str]) -> bytes:
        documents = {"OIDCSettings": "SsoOauth2", "OpenIdSettings": "SsoOpenid", "SAMLSettings": "SsoSaml"}
        state = {
            name: any(document.get("enabled") for document in scene.bodies(kind)) for name, kind in documents.items()
        }
        return orjson.dumps(state)
