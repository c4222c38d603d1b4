"""The section `accepted` of policysync.yaml: edits by hand that may stay until a date."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import NamedTuple

from policysync.documents.moments import moment_of, zone_of
from policysync.documents.section import Section, shown
from policysync.documents.suggest import did_you_mean, one_of
from policysync.errors import Location, Problem
from policysync.kinds.field import Field
from policysync.kinds.kind import Kind
from policysync.pointer import join, split
from policysync.state.resource import Address

_EXAMPLE = "ImageAssurancePolicy/Default"


class Accepted(NamedTuple):
    """What somebody changed by hand on one resource of a stage, and what is left so before `until`.

    Attributes:
        path: the steps to the field inside `spec`, list elements by key (`name=web`); empty for the whole resource.
        until: the first moment at which it is drift again.
        said: `until` as it stands in the file.
    """

    stage: str
    address: Address
    until: datetime
    reason: str
    path: tuple[str, ...] = ()
    said: str = ""
    where: Location = Location("")
    pointer: str = ""

    def covers(self, path: tuple[str, ...]) -> bool:
        """Return whether an edit at `path` is of the field, or of something inside it."""
        return path[: len(self.path)] == self.path


def accepted(top: Section, stages: tuple[str, ...]) -> tuple[Accepted, ...]:
    """Read the section; `stages` are the names there are. A date counts to its end, in UTC unless `zone` says."""
    return tuple(one for section in top.sections("accepted") if (one := _accepted(section, stages)) is not None)


def in_force(all_of_them: Iterable[Accepted], stage: str, now: datetime) -> tuple[Accepted, ...]:
    """Return what is accepted in a stage at a moment."""
    return tuple(one for one in all_of_them if one.stage == stage and now < one.until)


def unfit(all_of_them: Iterable[Accepted], kinds: Mapping[str, Kind]) -> Iterator[Problem]:
    """Yield an error for each that names a kind or a field there is not."""
    for one in all_of_them:
        if one.address.kind not in kinds:
            hint = did_you_mean(one.address.kind, kinds) or "; `policysync kinds` lists them"
            yield _problem(one, "resource", f"there is no kind {one.address.kind}{hint}", "unknown-kind")
            continue
        why = _no_field(one, kinds[one.address.kind].root)
        if why:
            yield _problem(one, "field", why, "unknown-field")


def expired(all_of_them: Iterable[Accepted], now: datetime) -> Iterator[Problem]:
    """Yield a warning for each whose date has passed: it is drift again, and the entry says nothing any more."""
    for one in all_of_them:
        if one.until <= now:
            message = f"{one.address} was accepted until {one.said}, and is drift again; heal it, or take this out"
            yield _problem(one, "until", message, "expired", warning=True)


def _accepted(section: Section, stages: tuple[str, ...]) -> Accepted | None:
    section.only("stage", "resource", "field", "until", "zone", "reason")
    stage = section.text("stage", required=True)
    if stage and stage not in stages:
        hint = did_you_mean(stage, stages) or f"; want one of {one_of(stages)}"
        section.refuse("stage", f"unknown stage `{stage}`{hint}", "unknown-stage")
    address = _address(section)
    reason = section.text("reason", required=True)
    until = moment_of(section, "until", zone_of(section) or UTC, whole_day=True)
    path = _path(section)
    if address is None or until is None:
        return None
    said = str(section.value["until"])
    return Accepted(stage, address, until, reason, path, said, section.where(), section.pointer)


def _address(section: Section) -> Address | None:
    text = section.text("resource", required=True)
    if not text:
        return None
    try:
        return Address.parse(text)
    except ValueError:
        section.refuse("resource", f"{shown(text)} stands here, want Kind/name, such as {_EXAMPLE}", "name")
        return None


def _path(section: Section) -> tuple[str, ...]:
    text = section.text("field")
    if text and not text.startswith("/"):
        section.refuse("field", f"{shown(text)} stands here, want a pointer inside spec, such as /{text}", "pointer")
        return ()
    return split(text)


def _problem(one: Accepted, member: str, message: str, code: str, *, warning: bool = False) -> Problem:
    return Problem(one.where, f"{one.pointer}/{member}", message, code, warning)


def _below(field: Field, step: str) -> Field | None:
    if field.properties or field.values:
        return field.properties.get(step) or field.values
    # Elements can be told apart only by a key, or by where they stand.
    return field.each if field.key or (field.positions or not field.unordered) else None


def _no_field(one: Accepted, field: Field) -> str:
    """Return what is wrong with the path of an entry, or nothing."""
    for position, step in enumerate(one.path):
        below = _below(field, step)
        if below is None and (field.properties or not position):
            hint = did_you_mean(step, field.properties) or f"; `policysync schema {one.address.kind}` shows its fields"
            return f"{one.address.kind} has no field `{step}`{hint}"
        if below is None:
            whole = join(one.path[:position])
            return f"nothing inside {whole} can be told apart; accept {whole} as a whole"
        field = below
    return ""
