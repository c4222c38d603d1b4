"""What a live resource says about a change: may it begin, did it happen, did all of it take effect. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from policysync.apply.events import Outcome
from policysync.apply.report import Done
from policysync.kinds.field import Field
from policysync.kinds.kind import Kind
from policysync.plan.change import Action, Change
from policysync.plan.diff import diff
from policysync.pointer import join
from policysync.state.normalize import digest
from policysync.state.resource import Resource
from policysync.state.slots import is_reset

NAMED = 5


def before_writing(change: Change, kind: Kind, live: Resource | None, salt: str) -> Done | None:
    """Return how a change ends without being sent, or None when live is still what the plan was made from."""
    if _same(change.before, live, salt):
        return None
    if change.after is None and live is None:
        return Done(change, Outcome.UNCHANGED, "it is already gone")
    # A write-only field cannot be seen, so a resource that states one is never known to be equal.
    if change.after and live and not diff(kind.root, change.after.spec, live.spec):
        return Done(change, Outcome.UNCHANGED, "somebody made it so already")
    moved = "exists by now" if change.before is None else "was changed" if live else "was deleted"
    message = f"the plan is stale: {change.address} {moved} since the plan was made; plan again"
    return Done(change, Outcome.FAILED, message, stale=True)


def happened(change: Change, kind: Kind, live: Resource | None, salt: str) -> bool:
    """Say whether a change that was sent, and not answered, was carried out.

    An update that touches nothing visible is never known to be: it is sent again, which does no harm.
    """
    if change.action is Action.DELETE:
        return live is None or is_reset(kind, live)
    return live is not None and not _same(change.before, live, salt)


def after_writing(change: Change, kind: Kind, live: Resource | None) -> Done:
    """Return how a change ended that the backend said it did: a success status alone proves nothing."""
    if change.after is None:
        if live is None or is_reset(kind, live):
            return Done(change, Outcome.APPLIED)
        return Done(change, Outcome.FAILED, f"the delete was accepted, but {change.address} is still there")
    if live is None:
        return Done(change, Outcome.FAILED, f"the {change.action} was accepted, but {change.address} is not there")
    # With desired as the third side, what can only be written counts as stored.
    edits = diff(kind.root, change.after.spec, live.spec, last=change.after.spec)
    if not edits:
        return Done(change, Outcome.APPLIED)
    return Done(change, Outcome.FAILED, _not_stored(kind, [e.path for e in edits]), tuple(join(e.path) for e in edits))


def _not_stored(kind: Kind, paths: list[tuple[str, ...]]) -> str:
    named = ", ".join(join(path) for path in paths[:NAMED]) + (
        f" and {len(paths) - NAMED} more" if len(paths) > NAMED else ""
    )
    message = f"accepted, but not stored: {named}"
    if all(any(field.optional for field in fields_along(kind.root, path)) for path in paths):
        message += "; this console version may not have it"
    return message


def fields_along(field: Field, path: Iterable[str]) -> list[Field]:
    """Return the fields a path leads through; shorter than the path where the schema does not know it."""
    found = []
    for step in path:
        below = field.properties.get(step) or field.values or field.each
        if below is None and step.isdecimal() and int(step) < len(field.positions):
            below = field.positions[int(step)]
        if below is None:
            break
        found.append(below)
        field = below
    return found


def _same(a: Resource | None, b: Resource | None, salt: str) -> bool:
    if a is None or b is None:
        return a is b
    return digest(a.spec, salt) == digest(b.spec, salt)
