"""Habits of policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from policysync.emulator.quirks.scene import Quirk, Scene

_ANYWHERE = "0.0.0.0/0"
_METADATA = {
    "allow": False,
    "port_range": "0-65535",
    "resource_type": "custom",
    "resource": "169.254.169.254/32",
    "is_cloud_metadata_rule": True,
}


class RuntimePolicy(Quirk):
    """Forgets the day of enforcement of a policy that is enforced (reference, policies 5)."""

    def before(self, scene: Scene, body: dict[str, Any], earlier: Mapping[str, Any] | None) -> dict[str, Any]:
        if not body.get("enforce"):
            return body
        return {name: value for name, value in body.items() if name != "enforce_after_days"}


class SuppressionRule(Quirk):
    """Says what it is: build policies share its form (reference, policies 11)."""

    def after(
        self, scene: Scene, done: dict[str, Any], body: Mapping[str, Any], earlier: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        return {**done, "policy_type": "suppression"}


class FirewallPolicy(Quirk):
    """Says what `anywhere` is, and writes the rule that blocks the metadata service (reference, policies 6)."""

    def after(
        self, scene: Scene, done: dict[str, Any], body: Mapping[str, Any], earlier: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        for side in ("inbound_networks", "outbound_networks"):
            rules = [rule for rule in done.get(side) or () if not rule.get("is_cloud_metadata_rule")]
            if side in done:
                done[side] = rules if scene.plain else [_echoed(rule) for rule in rules]
        if done.get("block_metadata_service") and "outbound_networks" in done and not scene.plain:
            done["outbound_networks"] = [*done["outbound_networks"], _METADATA]
        return done


def _echoed(rule: dict[str, Any]) -> dict[str, Any]:
    return {**rule, "resource": _ANYWHERE} if rule.get("resource_type") == "anywhere" else rule
