"""Why two stages differ: because git says so, because one is at another revision, or because of an edit by hand."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from enum import StrEnum
from typing import Any

from policysync.documents.document import Document
from policysync.documents.overlay import trace
from policysync.documents.stage import Draft
from policysync.errors import Location
from policysync.kinds.field import Field
from policysync.plan.change import Action, Cause, Change, Plan
from policysync.plan.paths import Path, at, indices, member, related
from policysync.pointer import join
from policysync.state.resource import Address

_VARIABLE = re.compile(r"\$\{var\.([^}]+)\}")

Place = Callable[[Document, str], Location]
"""Where a pointer inside the file of a document stands."""


class Why(StrEnum):
    """What a difference comes from. The first four are meant, the fifth goes with a promotion."""

    OVERLAY = "overlay"
    VARIABLE = "variable"
    TARGETS = "targets"
    ABSENT = "absent"
    REVISION = "another revision"
    PENDING = "not applied yet"
    BY_HAND = "by hand"
    UNREADABLE = "cannot be read back"
    UNEXPLAINED = "unexplained"


MEANT = frozenset({Why.OVERLAY, Why.VARIABLE, Why.TARGETS, Why.ABSENT})


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason. `said` names what it is about: a variable, the revisions; `where` is its place in git."""

    why: Why
    stage: str = ""
    said: str = ""
    where: Location | None = None

    @property
    def line(self) -> tuple[str, int]:
        """The file and the line."""
        return (self.where.file, self.where.line) if self.where else ("", 0)

    def __str__(self) -> str:
        words = [self.why.value, self.said]
        words += [f"in {self.stage}"] if self.stage and self.why in (Why.PENDING, Why.BY_HAND) else []
        words += [str(self.where)] if self.where else []
        return " ".join(word for word in words if word)


@dataclass(frozen=True, slots=True)
class Told:
    """One stage as git tells it at one revision.

    Attributes:
        drafts: its resources by address, with the documents that make them.
        absent: what an overlay takes out of it, and that overlay.
        moved: what is live there otherwise than git says it, path by path.
        live: whether the comparison is of what is live there.
    """

    stage: str
    revision: str
    drafts: Mapping[Address, Draft]
    absent: Mapping[Address, Document]
    place: Place
    moved: Mapping[Address, Mapping[Path, Cause]] = attribute(default_factory=dict)
    live: bool = False


@dataclass(frozen=True, slots=True)
class Reasons:
    """Explains the differences between two stages.

    Attributes:
        apart: what git says otherwise of the two, each at its own revision.
        same: what it would still say otherwise if both were at the revision of the earlier stage; None when they are.
    """

    first: Told
    second: Told
    apart: Plan
    same: Plan | None = None

    def of_edit(self, change: Change, path: Path) -> tuple[Reason, ...]:
        """Return why one path of a resource differs."""
        address = change.address
        if (self.first.live or self.second.live) and _write_only(self.first, self.second, address, path):
            return (Reason(Why.UNREADABLE),)
        found = [*_live(self.first, address, path), *_live(self.second, address, path)]
        if _touches(self.apart, address, path):
            if self.same is not None and not _touches(self.same, address, path):
                found.append(self._revision())
            else:
                told = [*_stating(self.first, address, path), *_stating(self.second, address, path)]
                found += {(one.why, one.stage, one.said, one.line): one for one in told}.values()
        return tuple(found) or (Reason(Why.UNEXPLAINED),)

    def of_change(self, change: Change) -> tuple[Reason, ...]:
        """Return why one of the two has a resource and the other does not."""
        if change.action is Action.UPDATE:
            raise ValueError("an update is explained edit by edit")
        address = change.address
        lacking, having = (self.first, self.second) if change.action is Action.CREATE else (self.second, self.first)
        found = [*_live(lacking, address, ()), *_live(having, address, ())]
        if _touches(self.apart, address, ()):
            if self.same is not None and not _touches(self.same, address, ()):
                found.append(self._revision())
            elif address in lacking.absent:
                overlay = lacking.absent[address]
                found.append(Reason(Why.ABSENT, lacking.stage, "", lacking.place(overlay, "/metadata/absent")))
            else:
                found += _narrowed(lacking, address) or _named(having, address)
        return tuple(found) or (Reason(Why.UNEXPLAINED),)

    def _revision(self) -> Reason:
        return Reason(Why.REVISION, "", f"({self.first.revision[:10]} and {self.second.revision[:10]})")


def is_meant(reasons: Iterable[Reason]) -> bool:
    """Return whether git means a difference, and nothing but git made it."""
    return all(reason.why in MEANT for reason in reasons)


def _write_only(first: Told, second: Told, address: Address, path: Path) -> bool:
    draft = first.drafts.get(address) or second.drafts.get(address)
    field = draft.kind.root if draft else Field()
    for step in path:
        field = field.each if field.each is not None and not field.properties else member(field, step)
        if field.write_only:
            return True
    return False


def _touches(plan: Plan, address: Address, path: Path) -> bool:
    for change in plan.changes:
        if change.address == address:
            return change.action is not Action.UPDATE or any(related(edit.path, path) for edit in change.edits)
    return False


def _live(told: Told, address: Address, path: Path) -> Iterator[Reason]:
    causes = {cause for moved, cause in told.moved.get(address, {}).items() if related(moved, path)}
    if causes - {Cause.PENDING}:
        yield Reason(Why.BY_HAND, told.stage)
    elif causes:
        yield Reason(Why.PENDING, told.stage)


def _stating(told: Told, address: Address, path: Path) -> Iterator[Reason]:
    """Yield what makes git say in this stage what it says there: an overlay, or a variable in the base."""
    draft = told.drafts.get(address)
    for length in range(len(path), 0, -1):
        steps = indices(draft.kind.root, draft.spec, path[:length]) if draft else None
        # What an overlay unsets is in no merged spec, so its own is asked as well.
        for layer in reversed(draft.layers) if draft else ():
            own = trace(draft.kind.root, draft.spec, layer.spec, steps) if draft and steps is not None else None
            if own is None and draft:
                own = indices(draft.kind.root, layer.spec, path[:length])
            if own is None:
                continue
            document = layer.document
            where = told.place(document, document.below + join(document.written(own)))
            if document.stage:
                yield Reason(Why.OVERLAY, told.stage, "", where)
            for name in dict.fromkeys(_variables(at(document.spec, own))):
                yield Reason(Why.VARIABLE, "", name, where)
            return


def _variables(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield from _VARIABLE.findall(value)
    elif isinstance(value, Mapping):
        for below in value.values():
            yield from _variables(below)
    elif isinstance(value, list):
        for item in value:
            yield from _variables(item)


def _narrowed(told: Told, address: Address) -> list[Reason]:
    draft = told.drafts.get(address)
    for layer in reversed(draft.layers) if draft else ():
        if layer.document.targets:
            where = told.place(layer.document, "/metadata/targets")
            return [Reason(Why.TARGETS, told.stage, "", where)]
    return []


def _named(told: Told, address: Address) -> list[Reason]:
    """Return what makes the key of a resource another one in every stage."""
    draft = told.drafts.get(address)
    return [reason for member in (draft.kind.key if draft else ()) for reason in _stating(told, address, (member,))]
