"""What differs between desired and live, and why, led by the kind.

Only what git states is compared. Elements of keyed lists are matched by key; where a key occurs twice the list is
compared as a whole, because matching by position would make a shuffled list look changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import IntEnum
from typing import Any, NamedTuple

from policysync.kinds.field import Field
from policysync.plan.change import Cause, Edit, Posture
from policysync.plan.posture import posture_of, posture_of_element
from policysync.pointer import MISSING
from policysync.state.normalize import canonical, item_key, says

Path = tuple[str, ...]


def diff(field: Field, desired: Any, live: Any, last: Any = MISSING, salt: str = "") -> list[Edit]:
    """Return the edits that turn `live` into `desired`; all three are specs in normal form.

    `last` is what was last applied; in it a secret stands as `{"$digest": …}`, made with `salt`. It decides the
    cause of each edit and is the only thing a write-only field can be compared with.
    """
    return list(_Walk(salt).member(field, (), Sides(desired, live, last), effect=Effect.FULL))


def released(field: Field, desired: Any, last: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of every member that was stated when it was last applied, and is stated no more.

    A map with free names is stated whole: what it has no more is taken away, not released.
    """
    if not isinstance(desired, Mapping) or not isinstance(last, Mapping) or field.values is not None:
        return
    for name, value in last.items():
        if name not in desired:
            yield (*path, name)
        else:
            yield from released(field.properties.get(name, _UNKNOWN), desired[name], value, (*path, name))


class Sides(NamedTuple):
    """The same place in the three states; MISSING where one of them says nothing."""

    desired: Any
    live: Any
    last: Any

    def at(self, name: str) -> Sides:
        """Return the member called `name` on each side."""
        return Sides(*(side.get(name, MISSING) if isinstance(side, Mapping) else MISSING for side in self))

    def element(self, index: int) -> Sides:
        """Return the element at `index` on each side."""
        return Sides(*(side[index] if isinstance(side, list) and index < len(side) else MISSING for side in self))


NOTHING = Sides(MISSING, MISSING, MISSING)


class _Walk:
    """One comparison; the salt is the same all the way down."""

    def __init__(self, salt: str) -> None:
        self.salt = salt

    def same(self, a: Any, b: Any) -> bool:
        kind = type(a)
        if kind is type(b) and kind is not list and kind is not dict:
            return bool(a == b)
        if a is MISSING or b is MISSING:
            return False
        return canonical(a, self.salt) == canonical(b, self.salt)

    def alike(self, a: Any, b: Any) -> bool:
        """Return whether two values of a member are the same; something empty and nothing at all are."""
        if a is MISSING or b is MISSING:
            return a is b or (b if a is MISSING else a) in ("", [], {})
        return self.same(a, b)

    def member(
        self, field: Field, path: Path, sides: Sides, *, effect: Effect, around: Sides = NOTHING
    ) -> Iterator[Edit]:
        """Yield the edits of one member; `around` is the object it stands in, where that is one."""
        desired, live, last = sides
        if field.write_only:
            if not self.alike(desired, last):
                yield self.edit(field, path, Sides(desired, last, last), effect=effect)
        elif isinstance(desired, Mapping) and isinstance(live, Mapping) and (field.properties or field.values):
            yield from self.mapping(field, path, sides, effect=effect, around=around)
        elif self.alike(desired, live):
            return
        elif isinstance(desired, list) and isinstance(live, list):
            yield from self.array(field, path, sides, effect=effect)
        else:
            yield self.edit(field, path, sides, effect=effect)

    def mapping(self, field: Field, path: Path, sides: Sides, *, effect: Effect, around: Sides) -> Iterator[Edit]:
        if field.values is not None:
            yield from self.free(field.values, path, sides, effect=effect)
            return
        live = sides.live
        for name, desired in sides.desired.items():
            below = field.properties.get(name, _UNKNOWN)
            # Nearly every member of nearly every plan ends here, so no more than this is made for it.
            if type(desired) is not dict and not below.write_only and self.alike(desired, live.get(name, MISSING)):
                continue
            found = max(effect, _effect(field, below, sides, around))
            yield from self.member(below, (*path, name), sides.at(name), effect=found, around=sides)

    def free(self, values: Field, path: Path, sides: Sides, *, effect: Effect) -> Iterator[Edit]:
        """Compare a map with free names. It is stated whole: a name that git does not have goes."""
        whole = isinstance(sides.last, Mapping)
        for name in sorted({*sides.desired, *sides.live}):
            found = sides.at(name)
            if found.desired is MISSING or found.live is MISSING:
                yield self.edit(values, (*path, name), found, effect=effect, whole=whole)
            else:
                yield from self.member(values, (*path, name), found, effect=effect)

    def array(self, field: Field, path: Path, sides: Sides, *, effect: Effect) -> Iterator[Edit]:
        each = field.each or _UNKNOWN
        if field.key and _unique(field, sides.desired) and _unique(field, sides.live):
            yield from self.keyed(field, each, path, sides, effect=effect)
        elif (field.key or field.unordered) and _same_elements(field, sides.desired, sides.live):
            return
        elif _by_position(field) and len(sides.desired) == len(sides.live):
            for index in range(len(sides.desired)):
                at = field.positions[index] if index < len(field.positions) else each
                yield from self.member(at, (*path, str(index)), sides.element(index), effect=effect)
        else:
            yield self.edit(field, path, sides, effect=effect)

    def keyed(self, field: Field, each: Field, path: Path, sides: Sides, *, effect: Effect) -> Iterator[Edit]:
        by_key = [{item_key(field, item): item for item in side} if isinstance(side, list) else {} for side in sides]
        desired, live, _ = by_key
        for key in sorted({*desired, *live}):
            found = Sides(*(side.get(key, MISSING) for side in by_key))
            step = (*path, _named(field, desired[key] if key in desired else live[key]))
            if key in desired and key in live:
                yield from self.member(each, step, found, effect=effect)
            else:
                cause = self.cause(each, found, whole=isinstance(sides.last, list))
                posture = Posture.NEUTRAL if effect else posture_of_element(field, found.live, found.desired)
                yield Edit(step, found.live, found.desired, cause, posture, effect is Effect.NONE)

    def edit(self, field: Field, path: Path, sides: Sides, *, effect: Effect, whole: bool = False) -> Edit:
        posture = Posture.NEUTRAL if effect else posture_of(field, sides.live, sides.desired)
        return Edit(
            path, sides.live, sides.desired, self.cause(field, sides, whole=whole), posture, effect is Effect.NONE
        )

    def cause(self, field: Field, sides: Sides, *, whole: bool) -> Cause:
        """Return who moved. `whole` says that what was last applied is known even where it is MISSING."""
        if sides.last is MISSING and not whole:
            return Cause.PENDING
        same = self.same if whole else self.alike
        if same(sides.live, sides.last):
            return Cause.PENDING
        # An element in the console holds what the server filled in as well, which it does not where it knows no form.
        known = sides.live is not MISSING and sides.last is not MISSING
        formless = isinstance(sides.live, Mapping) and not field.properties
        if known and not formless and says(sides.live, sides.last, self.salt):
            return Cause.PENDING
        return Cause.DRIFT if same(sides.desired, sides.last) else Cause.CONFLICT


_UNKNOWN = Field()


def _by_position(field: Field) -> bool:
    """Return whether elements stand for themselves by where they stand."""
    objects = field.each is not None and bool(field.each.properties)
    return bool(field.positions) or (objects and not field.unordered and not field.key)


class Effect(IntEnum):
    """How much a member matters."""

    FULL = 0
    SWITCHED = 1  # its switch goes on or off with it, and says all there is to say
    NONE = 2  # its kind does not use it, or its switch is off before and after


def _effect(parent: Field, field: Field, sides: Sides, around: Sides) -> Effect:
    if not field.relevant or (field.applies_when and not _counts(field, sides, around)):
        return Effect.NONE
    if not field.gated_by:
        return Effect.FULL
    switch = sides.at(field.gated_by)
    before, after = switch.live is True, (switch.live if switch.desired is MISSING else switch.desired) is True
    if not before and not after:
        return Effect.NONE
    directed = parent.properties[field.gated_by].stricter is not None
    return Effect.SWITCHED if before is not after and directed else Effect.FULL


def _counts(field: Field, sides: Sides, around: Sides) -> bool:
    """Return whether the members beside a field give it an effect, before or after; what is not known may."""
    before = after = True
    for name, wanted in field.applies_when.items():
        beside = around.at(name[3:]) if name.startswith("../") else sides.at(name)
        later = beside.live if beside.desired is MISSING else beside.desired
        before = before and (beside.live is MISSING or beside.live in wanted)
        after = after and (later is MISSING or later in wanted)
    return before or after


def _unique(field: Field, items: list[Any]) -> bool:
    return len({item_key(field, item) for item in items}) == len(items)


def _same_elements(field: Field, desired: list[Any], live: list[Any]) -> bool:
    """Return whether every element of one list stands for one of the other, in any order."""
    if not all(isinstance(item, Mapping) for item in desired):
        return False
    rest = list(live)
    for item in desired:
        found = next((other for other in rest if says(other, item)), None)
        if found is not None:
            rest.remove(found)
        elif not (field.unordered and any(says(other, item) for other in live)):
            return False
    return not rest or (field.unordered and all(any(says(other, item) for item in desired) for other in rest))


def _named(field: Field, item: Any) -> str:
    if not isinstance(item, Mapping):
        return str(item)
    named = [f"{member}={item[member]}" for member in field.key if item.get(member) not in (None, "")]
    return ",".join(named) or f"{field.key[0]}="
