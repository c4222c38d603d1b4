"""A plan ↔ JSON. A saved plan holds digests of what it was made from, and no secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from policysync.errors import PolicySyncError, StalePlan
from policysync.plan.change import Blockage, Change, Edit, Plan, Spared
from policysync.pointer import MISSING
from policysync.state.normalize import canonical, digest

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class Saved:
    """A plan read from a file.

    `changes` maps the id of each change to the digests of the states before and after it.
    """

    stage: str
    target: str
    revision: str
    dirty: bool
    salt: str
    digest: str
    changes: Mapping[str, tuple[str, str]]
    schemas: Mapping[str, str]
    identity: str = ""
    heals_accepted: bool = False


def dump(plan: Plan, salt: str) -> dict[str, Any]:
    """Return a plan as JSON data, with its digest. Secrets stand as digests made with `salt`."""
    document: dict[str, Any] = {
        "format_version": FORMAT_VERSION,
        "stage": plan.stage,
        "target": plan.target,
        "revision": plan.revision,
        "dirty": plan.dirty,
        "salt": salt,
        "waves": [[_change(change, salt) for change in wave] for wave in plan.waves],
        "unmanaged": [str(address) for address in plan.unmanaged],
        "kept": [str(address) for address in plan.kept],
        "released": [{"resource": str(r.address), "path": list(r.path)} for r in plan.released],
        "live": plan.live,
        "desired": plan.desired,
        "schemas": dict(plan.schemas),
        "notices": list(plan.notices),
        "summary": summary(plan),
        **({"identity": plan.identity} if plan.identity else {}),
        **({"accepted": [spared_json(spared) for spared in plan.spared]} if plan.spared else {}),
        **({"heals_accepted": True} if plan.heals_accepted else {}),
        **({"blocked": [blockage_json(blockage) for blockage in plan.blocked]} if plan.blocked else {}),
    }
    # Through the canonical form, so that what is returned is plain JSON whatever stood in an edit.
    plain: dict[str, Any] = json.loads(canonical(document, salt))
    return {**plain, "digest": digest(plain)}


def plan_digest(plan: Plan, salt: str) -> str:
    """Return the digest a saved plan carries."""
    return str(dump(plan, salt)["digest"])


def summary(plan: Plan) -> dict[str, int]:
    """Return how many resources a plan adds, changes and destroys."""
    counts = {"create": 0, "update": 0, "delete": 0}
    for change in plan.changes:
        counts[change.action.value] += 1
    return {"add": counts["create"], "change": counts["update"], "destroy": counts["delete"]}


def load_all(document: Any) -> dict[str, Saved]:
    """Read what `plan --out` saved: one plan for each target, by its name.

    Raises:
        PolicySyncError: it is something else, or one of the plans cannot be read.
    """
    plans = document.get("plans") if isinstance(document, Mapping) else None
    if not isinstance(plans, list) or document.get("format_version") != FORMAT_VERSION:
        raise PolicySyncError(
            f"not a saved plan of format {FORMAT_VERSION}; make one with `policysync plan --out FILE`"
        )
    saved = [load(plan) for plan in plans]
    if not saved:
        raise PolicySyncError("it holds no plan; make one with `policysync plan --out FILE`")
    found = {plan.target: plan for plan in saved}
    if len(found) < len(saved):
        raise PolicySyncError("it holds two plans for one target; make it again")
    return found


def load(document: Any) -> Saved:
    """Read a saved plan.

    Raises:
        PolicySyncError: it is not a plan of this format, or somebody edited it.
    """
    if not isinstance(document, Mapping) or document.get("format_version") != FORMAT_VERSION or "waves" not in document:
        raise PolicySyncError(f"not a plan of format {FORMAT_VERSION}: make it again with `policysync plan --out FILE`")
    body = {name: value for name, value in document.items() if name != "digest"}
    if digest(body) != document.get("digest"):
        raise PolicySyncError("the plan was edited after it was saved: its digest does not fit; make it again")
    try:
        return _saved(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise PolicySyncError("the plan is not whole: what it holds is not what was saved; make it again") from error


def _saved(document: Mapping[str, Any]) -> Saved:
    changes = [change for wave in document["waves"] for change in wave]
    saved = Saved(
        stage=document["stage"],
        target=document["target"],
        revision=document["revision"],
        dirty=document["dirty"],
        salt=document["salt"],
        digest=document["digest"],
        changes={change["id"]: (change["before_digest"], change["after_digest"]) for change in changes},
        schemas=dict(document["schemas"]),
        identity=document.get("identity", ""),
        heals_accepted=document.get("heals_accepted", False),
    )
    texts = (saved.stage, saved.target, saved.revision, saved.salt, saved.identity)
    switches = (saved.dirty, saved.heals_accepted)
    if not all(isinstance(text, str) for text in texts) or not all(isinstance(one, bool) for one in switches):
        raise TypeError("a text or a switch is something else")
    return saved


def hold_to(plan: Plan, saved: Saved) -> Plan:
    """Return the part of a fresh plan that was saved and reviewed, when nothing it touches moved since.

    Raises:
        StalePlan: something moved; the message names every resource that did.
    """
    if (plan.stage, plan.target) != (saved.stage, saved.target):
        raise StalePlan(
            f"the plan is for {saved.target} of stage {saved.stage}, not for {plan.target} of stage {plan.stage}"
        )
    fresh = {change.id: change for change in plan.changes}
    moved = _moved_around(plan, saved)
    moved += [
        _moved(name, fresh.get(name), digests, saved.salt)
        for name, digests in saved.changes.items()
        if name not in fresh or _digests(fresh[name], saved.salt) != digests
    ]
    moved += [
        f"the schema of {kind} changed"
        for kind, was in saved.schemas.items()
        if dict(plan.schemas).get(kind, was) != was
    ]
    if moved:
        raise StalePlan("the plan is stale, make it again:\n" + "\n".join(f"  {line}" for line in moved))
    kept = [tuple(change for change in wave if change.id in saved.changes) for wave in plan.waves]
    return replace(plan, waves=tuple(wave for wave in kept if wave))


def _moved_around(plan: Plan, saved: Saved) -> list[str]:
    moved = []
    if saved.identity and plan.identity and saved.identity != plan.identity:
        moved.append(f"{plan.target} was {saved.identity}, and leads to {plan.identity} now")
    if not saved.dirty and saved.revision != plan.revision:
        moved.append(f"git was at {saved.revision or 'no revision'}, and is at {plan.revision or 'no revision'}")
    return moved


def _moved(name: str, change: Change | None, digests: tuple[str, str], salt: str) -> str:
    if change is None:
        return f"{name}: not needed any more, or needs another action now"
    before, after = _digests(change, salt)
    sides = [side for side, now, was in (("live", before, digests[0]), ("git", after, digests[1])) if now != was]
    return f"{name}: {' and '.join(sides)} moved"


def _digests(change: Change, salt: str) -> tuple[str, str]:
    return (
        digest(change.before.spec, salt) if change.before else "",
        digest(change.after.spec, salt) if change.after else "",
    )


def _change(change: Change, salt: str) -> dict[str, Any]:
    before, after = _digests(change, salt)
    return {
        "id": change.id,
        "action": change.action.value,
        "kind": change.address.kind,
        "name": change.address.name,
        "cause": change.cause.value,
        "posture": change.posture.value,
        "replace": change.replace,
        "edits": [_edit(edit) for edit in change.edits],
        "before_digest": before,
        "after_digest": after,
        **({"steps": list(change.steps)} if change.steps else {}),
        **({"file": str(change.after.where)} if change.after and change.after.where.file else {}),
    }


def blockage_json(blockage: Blockage) -> dict[str, str]:
    """Return what is known of a resource that is blocked, as JSON data."""
    why = blockage.hindrance
    return {"resource": str(blockage.address), "state": why.state, "reason": why.reason, "message": why.message}


def spared_json(spared: Spared) -> dict[str, Any]:
    """Return accepted drift as data; a value may still hold secrets. `edits` is empty for a deleted resource."""
    return {
        "resource": str(spared.address),
        "until": spared.until.isoformat(),
        "reason": spared.reason,
        "edits": [_edit(edit) for edit in spared.edits],
    }


def _edit(edit: Edit) -> dict[str, Any]:
    sides = {"before": edit.before, "after": edit.after}
    return {
        "path": list(edit.path),
        **{side: value for side, value in sides.items() if value is not MISSING},
        "cause": edit.cause.value,
        "posture": edit.posture.value,
        **({"gated": True} if edit.gated else {}),
    }
