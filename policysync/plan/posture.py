"""Whether an edit makes a policy stricter or looser."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from policysync.kinds.field import Field
from policysync.plan.change import Action, Edit, Posture
from policysync.pointer import MISSING
from policysync.state.normalize import canonical


def posture_of(field: Field, before: Any, after: Any) -> Posture:
    """Return what going from `before` to `after` does, by the field's direction; NEUTRAL where it has none.

    Either side may be MISSING, which stands for the default, and for a list with a direction for nothing at all.
    """
    direction = field.stricter
    if direction in ("superset", "subset"):
        return _by_members(field, before, after)
    before = field.default if before is MISSING else before
    after = field.default if after is MISSING else after
    match direction:
        case bool():
            return _when(after is direction, before is direction)
        case "higher" | "lower":
            return _by_number(field, before, after)
        case tuple():
            return _by_rank(direction, before, after)
        case _:
            return _by_elements(field, before, after)


def posture_of_element(field: Field, before: Any, after: Any) -> Posture:
    """Return what adding an element to a list (`before` MISSING) or taking one away (`after` MISSING) does.

    The list's own direction decides; without one, the directions of the element's members.
    """
    added = before is MISSING
    if field.stricter in ("superset", "subset"):
        return Posture.STRICTER if added is (field.stricter == "superset") else Posture.LOOSER
    members = field.each.properties if field.each else {}
    item = after if added else before
    if not isinstance(item, Mapping):
        return Posture.NEUTRAL
    sides = (
        (members[name], (MISSING, value) if added else (value, MISSING))
        for name, value in item.items()
        if name in members
    )
    return together(posture_of(member, *pair) for member, pair in sides)


def together(postures: Iterable[Posture]) -> Posture:
    """Return the posture of several edits at once."""
    seen = set(postures) - {Posture.NEUTRAL}
    if not seen:
        return Posture.NEUTRAL
    return seen.pop() if len(seen) == 1 else Posture.MIXED


def posture_of_change(action: Action, root: Field, edits: Iterable[Edit]) -> Posture:
    """Return the posture of a whole change.

    Where every object of a kind is an exception (the root is stricter when absent), creating one is looser and
    deleting one is stricter. Any other resource comes and goes whole: exceptions that come with a new one weaken
    only itself, and those that go with a deleted one do not make up for its controls.
    """
    if action is not Action.UPDATE and root.stricter is False:
        return Posture.LOOSER if action is Action.CREATE else Posture.STRICTER
    posture = together(edit.posture for edit in edits)
    if posture is Posture.MIXED and action is not Action.UPDATE:
        return Posture.STRICTER if action is Action.CREATE else Posture.LOOSER
    return posture


def _when(now: bool, was: bool) -> Posture:
    if now is was:
        return Posture.NEUTRAL
    return Posture.STRICTER if now else Posture.LOOSER


def _by_number(field: Field, before: Any, after: Any) -> Posture:
    was, now = (_size(field, side) for side in (before, after))
    if was is None or now is None or was == now:
        return Posture.NEUTRAL
    return Posture.STRICTER if (now > was) is (field.stricter == "higher") else Posture.LOOSER


def _size(field: Field, value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return math.inf if value == field.unlimited else value


def _by_rank(ranks: tuple[str, ...], before: Any, after: Any) -> Posture:
    if before not in ranks or after not in ranks or before == after:
        return Posture.NEUTRAL
    return Posture.STRICTER if ranks.index(after) > ranks.index(before) else Posture.LOOSER


def _by_members(field: Field, before: Any, after: Any) -> Posture:
    was, now = (_members(side) for side in (before, after))
    all_was, all_now = (_is_everything(field, side) for side in (before, after))
    if all_was and all_now:
        return Posture.NEUTRAL
    if all_was or all_now:
        widened = all_now
    elif was < now or was > now:
        widened = was < now
    else:
        return Posture.NEUTRAL if was == now else Posture.MIXED
    return Posture.STRICTER if widened is (field.stricter == "superset") else Posture.LOOSER


def _is_everything(field: Field, value: Any) -> bool:
    if not isinstance(value, list):
        return False
    return field.unlimited in value if value else field.empty_means_all


def _members(value: Any) -> frozenset[bytes]:
    return frozenset(canonical(item) for item in value) if isinstance(value, list) else frozenset()


def _by_elements(field: Field, before: Any, after: Any) -> Posture:
    """Return what the elements do that come and that go, in a list without a direction of its own."""
    if not (isinstance(before, list) and isinstance(after, list) and field.each and field.each.properties):
        return Posture.NEUTRAL
    was, now = _members(before), _members(after)
    come = [posture_of_element(field, MISSING, item) for item in after if canonical(item) not in was]
    go = [posture_of_element(field, item, MISSING) for item in before if canonical(item) not in now]
    return together(come + go)
