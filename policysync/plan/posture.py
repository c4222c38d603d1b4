"""Whether an edit makes a policy stricter or looser."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from policysync.kinds.field import Field
from policysync.plan.change import Action, Edit, Posture
from policysync.pointer import MISSING
from policysync.state.normalize import canonical


def posture_of(field: Field, before: Any, after: Any) -> Posture:
    """Return what going from `before` to `after` does, by the field's direction; NEUTRAL where it has none.

    Either side may be MISSING, which stands for the default.
    """
    before = field.default if before is MISSING else before
    after = field.default if after is MISSING else after
    match field.stricter:
        case bool() as strict:
            return _when(after is strict, before is strict)
        case "higher" | "lower" as direction:
            return _by_number(direction, before, after)
        case "superset" | "subset" as direction:
            return _by_members(field, direction, before, after)
        case tuple() as ranks:
            return _by_rank(ranks, before, after)
        case _:
            return Posture.NEUTRAL


def together(postures: Iterable[Posture]) -> Posture:
    """Return the posture of several edits at once."""
    seen = set(postures) - {Posture.NEUTRAL}
    if not seen:
        return Posture.NEUTRAL
    return seen.pop() if len(seen) == 1 else Posture.MIXED


def posture_of_change(action: Action, root: Field, edits: Iterable[Edit]) -> Posture:
    """Return the posture of a whole change.

    Where every object of a kind is an exception (the root is stricter when absent), creating one is looser and
    deleting one is stricter. Deleting any other resource with a direction anywhere takes its controls away.
    """
    if action is not Action.UPDATE and root.stricter is False:
        return Posture.LOOSER if action is Action.CREATE else Posture.STRICTER
    return together(edit.posture for edit in edits)


def _when(now: bool, was: bool) -> Posture:
    if now is was:
        return Posture.NEUTRAL
    return Posture.STRICTER if now else Posture.LOOSER


def _by_number(direction: str, before: Any, after: Any) -> Posture:
    if not _is_number(before) or not _is_number(after) or before == after:
        return Posture.NEUTRAL
    return Posture.STRICTER if (after > before) is (direction == "higher") else Posture.LOOSER


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _by_rank(ranks: tuple[str, ...], before: Any, after: Any) -> Posture:
    if before not in ranks or after not in ranks or before == after:
        return Posture.NEUTRAL
    return Posture.STRICTER if ranks.index(after) > ranks.index(before) else Posture.LOOSER


def _by_members(field: Field, direction: str, before: Any, after: Any) -> Posture:
    was, now = (_members(side) for side in (before, after))
    if field.empty_means_all and bool(was) is not bool(now):
        widened = not now
    elif was < now or was > now:
        widened = was < now
    else:
        return Posture.NEUTRAL if was == now else Posture.MIXED
    return Posture.STRICTER if widened is (direction == "superset") else Posture.LOOSER


def _members(value: Any) -> frozenset[bytes]:
    return frozenset(canonical(item) for item in value) if isinstance(value, list) else frozenset()
