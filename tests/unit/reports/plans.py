"""Plans to be reported, made by hand."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from policysync.errors import Location
from policysync.plan.change import Action, Blockage, Cause, Change, Edit, Plan, Posture
from policysync.pointer import MISSING
from policysync.state.resource import Address, Hindrance, Resource

HOSTILE = (
    "</details>",
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "@team and #1",
    "![x](https://evil.example/x.png)",
    "[x](javascript:alert(1))",
    "https://evil.example",
    "www.evil.example",
    "`code` and ``more`` and ```\nfence\n```",
    "a | b | c",
    "\u202eevil\u202c",
    "::error::x\n::set-output name=a::b",
    "# heading\n- list\n> quote",
    "]]> &amp; <!-- --> &lt;",
    "\x00\x08\x1b[31m\ufffe",
    "{{ 7 * 7 }} {% raw %}",
    "x" * 5000,
    "",
    " ",
)


def change(
    name: str = "web",
    edits: Iterable[Edit] = (),
    posture: Posture = Posture.NEUTRAL,
    *,
    action: Action = Action.UPDATE,
    kind: str = "Label",
    cause: Cause = Cause.PENDING,
    line: int = 3,
) -> Change:
    """Return a change; what git states stands in `policies/base/label/NAME.yaml`."""
    address = Address(kind, name)
    after = Resource(address, {}, where=Location("policies/base/label/web.yaml", line, 1))
    stated = None if action is Action.DELETE else after
    return Change(action, address, None, stated, tuple(edits), cause, posture)


def edit(path: str, before: Any = MISSING, after: Any = MISSING, posture: Posture = Posture.NEUTRAL) -> Edit:
    """Return an edit of one member."""
    return Edit((path,), before, after, posture=posture)


def plan(*changes: Change, stage: str = "prod", target: str = "prod-console", **more: Any) -> Plan:
    """Return a plan of these changes in one wave."""
    return Plan(stage, target, "0123456789abcdef", waves=(changes,) if changes else (), **more)


def blockage(name: str = "eu") -> Blockage:
    """Return a resource that cannot be compared."""
    return Blockage(Address("Label", name), Hindrance("unreadable", "release-locked", "somebody holds the release"))


def hostile_plan() -> Plan:
    """Return a plan with a hostile text in every place that takes one."""
    changes = [
        change(text or "empty", [edit("description", text, f"{text}2"), edit(text or "x", after=[text])], kind="Label")
        for text in HOSTILE
    ]
    looser = change("looser", [edit("severity", "high", HOSTILE[0], Posture.LOOSER)], Posture.LOOSER)
    return plan(*changes, looser, notices=HOSTILE, kept=tuple(Address("Label", text) for text in HOSTILE))
