"""Edits by hand that policysync.yaml accepts until a date: told in a plan, and left as they are.

Only what somebody did in the console can be accepted. Where git alone moved, there is nothing to be left.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from policysync.documents.accepted import Accepted
from policysync.kinds.field import Field
from policysync.kinds.kind import Kind
from policysync.plan.change import Cause, Edit, Spared
from policysync.plan.diff import diff
from policysync.plan.paths import found, member, position
from policysync.pointer import MISSING
from policysync.state.resource import Address, Resource

LastApplied = Mapping[Address, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Sparing:
    """What is left as it is, and what is left to compare.

    Attributes:
        desired: git's resources, with the live value where that is accepted; without what somebody deleted and may.
        remembered: those of them that say something else than git, as they are to be remembered: with the value that
            was last applied, so that it is drift again when the date has passed.
    """

    spared: tuple[Spared, ...] = ()
    desired: tuple[Resource, ...] = ()
    remembered: Mapping[Address, Resource] = field(default_factory=dict)


def sparing(
    accepted: Sequence[Accepted],
    desired: Sequence[Resource],
    live: Mapping[Address, Resource],
    *,
    last: LastApplied,
    kinds: Mapping[str, Kind],
    salt: str = "",
) -> Sparing:
    """Return what the entries of policysync.yaml that are in force keep a plan from changing."""
    if not accepted:
        return Sparing(desired=tuple(desired))
    about: dict[Address, list[Accepted]] = {}
    for one in accepted:
        about.setdefault(one.address, []).append(one)
    spared: list[Spared] = []
    kept: list[Resource] = []
    remembered: dict[Address, Resource] = {}
    for resource in desired:
        address = resource.address
        if address not in about or address not in last:
            kept.append(resource)
        elif address not in live:
            whole = next((one for one in about[address] if not one.path), None)
            spared += [_spared(whole, ())] if whole else []
            kept += [] if whole else [resource]
        else:
            root = kinds[address.kind].root
            edits = diff(root, resource.spec, live[address].spec, last[address], salt)
            covered = list(_covered(about[address], edits))
            spared += covered
            paths = [edit.path for each in covered for edit in each.edits]
            kept.append(_with(resource, root, paths, live[address].spec))
            if paths:
                remembered[address] = _with(resource, root, paths, last[address])
    return Sparing(tuple(spared), tuple(kept), remembered)


def _covered(entries: Sequence[Accepted], edits: Sequence[Edit]) -> Iterator[Spared]:
    """Yield the edits that each entry covers; the entry that holds longest counts."""
    left = [edit for edit in edits if edit.cause is not Cause.PENDING]
    for one in sorted(entries, key=lambda one: one.until, reverse=True):
        mine = tuple(edit for edit in left if one.covers(edit.path))
        left = [edit for edit in left if edit not in mine]
        if mine:
            yield _spared(one, mine)


def _spared(one: Accepted, edits: tuple[Edit, ...]) -> Spared:
    return Spared(one.address, tuple(edit.flipped() for edit in edits), one.until, one.said, one.reason)


def _with(resource: Resource, root: Field, paths: Sequence[tuple[str, ...]], values: Mapping[str, Any]) -> Resource:
    spec: Any = resource.spec
    for path in paths:
        spec = placed(root, spec, path, found(root, values, path))
    return replace(resource, spec=spec) if paths else resource


def placed(field: Field, value: Any, path: tuple[str, ...], new: Any) -> Any:
    """Return a value in normal form with another one at the path of an edit; MISSING takes out what stands there."""
    if not path:
        return new
    step, rest = path[0], path[1:]
    if isinstance(value, list):
        index = position(field, value, step)
        inner = field.each or Field()
        if index is None:
            return value if new is MISSING else [*value, placed(inner, {}, rest, new)]
        inside = placed(inner, value[index], rest, new)
        return [*value[:index], *([] if inside is MISSING else [inside]), *value[index + 1 :]]
    members = dict(value) if isinstance(value, Mapping) else {}
    inside = placed(member(field, step), members.get(step, {} if rest else MISSING), rest, new)
    if inside is MISSING:
        members.pop(step, None)
        return members
    return {**members, step: inside}
