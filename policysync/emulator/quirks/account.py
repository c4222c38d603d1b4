"""Habits of the account API: users, groups and keys of a SaaS account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from secrets import token_hex
from typing import Any

import orjson

from policysync.emulator.exchange import refuse
from policysync.emulator.quirks.scene import Quirk, Scene
from policysync.emulator.store import Stored

ACCOUNT = 10630
_OWNER = 1
_DEFAULT_GROUP = "Default"
_EXPANDED = {"csproles": "csp_roles", "group": "groups", "login": "logins"}


class UserSaas(Quirk):
    """Shows roles and groups only to those who ask for them (reference, platform 4, user_saas)."""

    def after(
        self, scene: Scene, done: dict[str, Any], body: Mapping[str, Any], earlier: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        kept = earlier or {}
        everybody = scene.store.named("Group", _DEFAULT_GROUP)
        joined = [member(orjson.loads(everybody.body), False)] if everybody else []
        email = done.get("email") or kept.get("email", "")
        return {
            **done,
            "email": email,
            "csp_roles": body.get("csp_roles") or [],
            "groups": kept.get("groups", joined),
            "confirmed": kept.get("confirmed", False),
        }

    def shown(self, scene: Scene, body: bytes, query: Mapping[str, str]) -> bytes:
        wanted = query.get("expand", "").split(",")
        whole = orjson.loads(body)
        for word, name in _EXPANDED.items():
            if word not in wanted:
                whole.pop(name, None)
        return orjson.dumps({"csp_roles": None, **whole})

    def deleting(self, scene: Scene, stored: Stored) -> None:
        if stored.key == scene.settings.email:
            raise refuse(403, "the root user of an account cannot be deleted")


def member(group: Mapping[str, Any], admin: bool) -> dict[str, Any]:
    """Return a group as a user's body shows it."""
    return {**{name: group.get(name) for name in ("id", "name", "created")}, "group_admin": admin}


class Group(Quirk):
    """Takes in and lets go one user at a time (reference, platform 4, group)."""

    def instead(self, scene: Scene, body: Mapping[str, Any], stored: Stored) -> bool:
        if "action" not in body:
            return False
        found = scene.store.get(["UserSaas"], str(body.get("user_id")))
        if found is None:
            raise refuse(404, f"no user {body.get('user_id')}")
        user = orjson.loads(found.body)
        others = [group for group in user.get("groups") or () if group["name"] != stored.key]
        if body["action"] == "adding":
            others.append(member(orjson.loads(stored.body), bool(body.get("group_admin"))))
        elif body["action"] != "removing":
            raise refuse(400, f"action {body['action']} is neither adding nor removing")
        scene.store.put(replace(found, body=orjson.dumps({**user, "groups": others})))
        return True


class ApiKey(Quirk):
    """Tells its secret once, and when it ends instead of how long it lasts (reference, platform 4, api_key)."""

    def after(
        self, scene: Scene, done: dict[str, Any], body: Mapping[str, Any], earlier: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        done.pop("secret", None)
        if earlier is not None:
            kept = {name: earlier.get(name) for name in ("expiration", "access_key", "owner", "account_id")}
            return {**done, **kept, "enabled": bool(body.get("enabled", earlier.get("enabled")))}
        days = body.get("expiration") or 365
        return {
            **done,
            "access_key": token_hex(16),
            "enabled": True,
            "owner": _OWNER,
            "account_id": ACCOUNT,
            "expiration": _milliseconds(scene.now, days),
        }

    def created(self, scene: Scene, stored: Stored) -> bytes:
        shown = orjson.loads(stored.body)
        secret = token_hex(20)
        scene.store.remember(f"secret {shown['access_key']}", secret)
        return orjson.dumps({**shown, "secret": secret})

    def deleting(self, scene: Scene, stored: Stored) -> None:
        scene.store.remember(f"secret {orjson.loads(stored.body).get('access_key')}", "")


def _milliseconds(now: datetime, days: int) -> int:
    try:
        return int((now + timedelta(days=days)).timestamp() * 1000)
    except (OverflowError, TypeError) as error:
        raise refuse(422, f"expiration {days!r} is no number of days") from error


class RoleMapping(Quirk):
    """Belongs to the account, and keeps its role."""

    def after(
        self, scene: Scene, done: dict[str, Any], body: Mapping[str, Any], earlier: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        role = (earlier or done).get("csp_role")
        return {**done, "csp_role": role, "account_id": ACCOUNT}
