"""Habits of permission sets, roles and users of the console itself."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from policysync.emulator.exchange import refuse
from policysync.emulator.quirks.scene import Quirk, Scene
from policysync.emulator.store import Stored

SHORTEST = 8


class PermissionSet(Quirk):
    """Refuses an action it does not know, and to go while a role grants it (reference, platform 4)."""

    def before(self, scene: Scene, body: dict[str, Any], earlier: Mapping[str, Any] | None) -> dict[str, Any]:
        actions = scene.kind.root.properties.get("actions")
        known = actions.each.known if actions is not None and actions.each else ()
        for action in body.get("actions") or ():
            if known and not self.knows(action, known):
                raise refuse(400, f"action {action} not supported")
        return body

    def knows(self, action: object, known: tuple[Any, ...]) -> bool:
        return action in known

    def deleting(self, scene: Scene, stored: Stored) -> None:
        roles = [role["name"] for role in scene.bodies("Role") if role.get("permission") == stored.key]
        if roles:
            raise refuse(400, f"permission set {stored.key} is in use by role {roles[0]}")


class PermissionSetSaas(PermissionSet):
    """Knows every action of the modules it has: the schema's list is what was seen, not all there is."""

    def knows(self, action: object, known: tuple[Any, ...]) -> bool:
        parts = str(action).split(".")
        modules = {str(name).partition(".")[0] for name in known}
        return len(parts) == 3 and parts[0] in modules and parts[2] in ("read", "write")


class Role(Quirk):
    """Stays while somebody holds it (reference, platform 9.9; the code is a guess)."""

    def deleting(self, scene: Scene, stored: Stored) -> None:
        holders = [u["id"] for u in scene.bodies("User") if stored.key in (u.get("roles") or ())]
        holders += [u["email"] for u in scene.bodies("UserSaas") if stored.key in (u.get("csp_roles") or ())]
        if holders:
            raise refuse(400, f"role {stored.key} is in use by user {holders[0]}")


class User(Quirk):
    """Has a password nobody reads, and a role that is the first of its roles (reference, platform 4, user)."""

    def before(self, scene: Scene, body: dict[str, Any], earlier: Mapping[str, Any] | None) -> dict[str, Any]:
        password = body.get("password") or ""
        if earlier is None and len(password) < SHORTEST:
            raise refuse(400, f"password of user {body.get('id')} needs {SHORTEST} characters or more")
        if body.get("passwordConfirm") not in (None, "", password):
            raise refuse(400, "passwords do not match")
        if not body.get("roles"):
            raise refuse(400, f"user {body.get('id')} needs a role")
        if earlier is None:
            remember_password(scene, str(body.get("id")), password)
        return body

    def after(
        self, scene: Scene, done: dict[str, Any], body: Mapping[str, Any], earlier: Mapping[str, Any] | None
    ) -> dict[str, Any]:
        roles = body.get("roles") or ["Administrator"]
        facts = {"role": roles[0], "roles": list(roles), "type": "Aqua", "plan": "Advanced"}
        return {**done, **facts, "is_super": "Administrator" in roles, "ui_access": True}

    def deleting(self, scene: Scene, stored: Stored) -> None:
        if stored.key == scene.user:
            raise refuse(400, f"user {stored.key} is signed in")
        scene.store.remember(f"password {stored.key}", "")


def remember_password(scene: Scene, user: str, password: str) -> None:
    scene.store.remember(f"password {user}", digest_of(user, password))


def digest_of(user: str, password: str) -> str:
    """Return what is kept of a password of the emulator."""
    return hashlib.scrypt(password.encode(), salt=user.encode(), n=1024, r=8, p=1).hex()
