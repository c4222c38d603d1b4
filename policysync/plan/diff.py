"""What differs between desired and live, and why, led by the kind.

Only what git states is compared. Elements of keyed lists are matched by key; where a key occurs twice the list is
compared as a whole, because matching by position would make a shuffled list look changed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from policysync.kinds.field import Field
from policysync.plan.change import Cause, Edit, Posture
from policysync.plan.posture import posture_of
from policysync.pointer import MISSING
from policysync.state.normalize import canonical, item_key

Path = tuple[str, ...]


def diff(field: Field, desired: Any, live: Any, last: Any = MISSING, salt: str = "") -> list[Edit]:
    """Return the edits that turn `live` into `desired`; all three are specs in normal form.

    `last` is what was last applied; in it a secret stands as `{"$digest": …}`, made with `salt`. It decides the
    cause of each edit and is the only thing a write-only field can be compared with.
    """
    return list(_Walk(salt).member(field, (), Sides(desired, live, last), gated=False))


def released(desired: Any, last: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the path of every member that was stated when it was last applied, and is stated no more."""
    if not isinstance(desired, Mapping) or not isinstance(last, Mapping):
        return
    for name, value in last.items():
        if name == "$digest":
            continue
        if name not in desired:
            yield (*path, name)
        else:
            yield from released(desired[name], value, (*path, name))


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


class _Walk:
    """One comparison; the salt is the same all the way down."""

    def __init__(self, salt: str) -> None:
        self.salt = salt

    def same(self, a: Any, b: Any) -> bool:
        if a is MISSING or b is MISSING:
            return a is b
        if type(a) is type(b) and not isinstance(a, list | dict):
            return bool(a == b)
        return canonical(a, self.salt) == canonical(b, self.salt)

    def member(self, field: Field, path: Path, sides: Sides, *, gated: bool) -> Iterator[Edit]:
        desired, live, last = sides
        if field.write_only:
            if not self.same(desired, last):
                yield self.edit(field, path, Sides(desired, MISSING, MISSING), gated=gated)
        elif isinstance(desired, Mapping) and isinstance(live, Mapping) and (field.properties or field.values):
            yield from self.mapping(field, path, sides, gated=gated)
        elif self.same(desired, live):
            return
        elif isinstance(desired, list) and isinstance(live, list):
            yield from self.array(field, path, sides, gated=gated)
        else:
            yield self.edit(field, path, sides, gated=gated)

    def mapping(self, field: Field, path: Path, sides: Sides, *, gated: bool) -> Iterator[Edit]:
        if field.values is not None:
            yield from self.free(field.values, path, sides, gated=gated)
            return
        for name in sides.desired:
            below = field.properties.get(name, _UNKNOWN)
            off = gated or (bool(below.gated_by) and not _switched_on(below.gated_by, sides))
            yield from self.member(below, (*path, name), sides.at(name), gated=off)

    def free(self, values: Field, path: Path, sides: Sides, *, gated: bool) -> Iterator[Edit]:
        """Compare a map with free names. It is stated whole: a name that git does not have goes."""
        for name in sorted({*sides.desired, *sides.live}):
            if name in sides.desired:
                yield from self.member(values, (*path, name), sides.at(name), gated=gated)
            else:
                yield self.edit(values, (*path, name), sides.at(name), gated=gated)

    def array(self, field: Field, path: Path, sides: Sides, *, gated: bool) -> Iterator[Edit]:
        if field.key and _unique(field, sides.desired) and _unique(field, sides.live):
            yield from self.keyed(field, path, sides, gated=gated)
        elif _by_position(field) and len(sides.desired) == len(sides.live):
            for index in range(len(sides.desired)):
                each = field.positions[index] if index < len(field.positions) else field.each or _UNKNOWN
                yield from self.member(each, (*path, str(index)), sides.element(index), gated=gated)
        else:
            yield self.edit(field, path, sides, gated=gated)

    def keyed(self, field: Field, path: Path, sides: Sides, *, gated: bool) -> Iterator[Edit]:
        by_key = [{item_key(field, item): item for item in side} if isinstance(side, list) else {} for side in sides]
        desired, live, _ = by_key
        for key in sorted({*desired, *live}):
            found = Sides(*(side.get(key, MISSING) for side in by_key))
            step = (*path, _named(field, desired[key] if key in desired else live[key]))
            if key in desired and key in live:
                yield from self.member(field.each or _UNKNOWN, step, found, gated=gated)
            else:
                yield self.element(field, step, found, gated=gated)

    def element(self, field: Field, path: Path, sides: Sides, *, gated: bool) -> Edit:
        """Return the edit that adds or takes away one element; the list's direction decides its posture."""
        added = sides.live is MISSING
        grows_stricter = {"superset": added, "subset": not added}.get(str(field.stricter))
        posture = Posture.NEUTRAL
        if grows_stricter is not None and not gated:
            posture = Posture.STRICTER if grows_stricter else Posture.LOOSER
        return Edit(path, sides.live, sides.desired, self.cause(sides), posture, gated)

    def edit(self, field: Field, path: Path, sides: Sides, *, gated: bool) -> Edit:
        posture = Posture.NEUTRAL if gated else posture_of(field, sides.live, sides.desired)
        return Edit(path, sides.live, sides.desired, self.cause(sides), posture, gated)

    def cause(self, sides: Sides) -> Cause:
        if sides.last is MISSING or self.same(sides.live, sides.last):
            return Cause.PENDING
        return Cause.DRIFT if self.same(sides.desired, sides.last) else Cause.CONFLICT


_UNKNOWN = Field()


def _by_position(field: Field) -> bool:
    return bool(field.positions) or (field.each is not None and bool(field.each.properties) and not field.unordered)


def _switched_on(name: str, sides: Sides) -> bool:
    """Return whether the switch is on before or after; only when it is off on both sides nothing takes effect."""
    switch = sides.at(name)
    return switch.live is True or switch.desired is True


def _unique(field: Field, items: list[Any]) -> bool:
    return len({item_key(field, item) for item in items}) == len(items)


def _named(field: Field, item: Any) -> str:
    if not isinstance(item, Mapping):
        return str(item)
    return ",".join(f"{member}={item[member]}" for member in field.key if item.get(member) not in {None, ""})
