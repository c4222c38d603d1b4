"""What policysync.yaml says about guards: how much may change at once, when nothing may, and what nobody may lift."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import NamedTuple

from policysync.documents.moments import moment_of, zone_of
from policysync.documents.section import Section, shown
from policysync.documents.suggest import did_you_mean, one_of

GUARD_NAMES = (
    "too-many-deletes",
    "too-many-changes",
    "protected",
    "built-in",
    "immutable",
    "empty-desired",
    "dirty-tree",
    "unmanaged-collision",
    "wrong-console",
    "freeze",
    "not-released",
)
ANY = "*"


class Threshold(NamedTuple):
    """How many of the resources git manages may be touched at once.

    `percent` is 0 to 100; up to `floor` always pass. A kind in `kinds` is held to its own threshold alone.
    """

    percent: float
    floor: int
    kinds: Mapping[str, Threshold] = MappingProxyType({})


DELETES = Threshold(30, 10)
CHANGES = Threshold(80, 50)


class Freeze(NamedTuple):
    """A time in which nothing is applied, from `start` until before `end`. No `stages` means all of them."""

    start: datetime
    end: datetime
    reason: str = ""
    stages: tuple[str, ...] = ()


class GuardSettings(NamedTuple):
    """The section `guards`. `unmanaged` says that a plan fails while its target holds objects that git does not."""

    deletes: Threshold = DELETES
    changes: Threshold = CHANGES
    freeze: tuple[Freeze, ...] = ()
    unmanaged: bool = False


def guard_settings(section: Section, stages: tuple[str, ...]) -> GuardSettings:
    """Read the section `guards`; `stages` are the names that freezes may give."""
    section.only("deletes", "changes", "freeze", "unmanaged")
    unmanaged = section.text("unmanaged")
    if unmanaged not in ("", "fail", "show"):
        section.refuse("unmanaged", f'{shown(unmanaged)} stands here, want "fail" or "show"', "guard")
    return GuardSettings(
        _threshold(section.section("deletes"), DELETES),
        _threshold(section.section("changes"), CHANGES),
        tuple(_freezes(section, stages)),
        unmanaged == "fail",
    )


def forbidden(stage: Section) -> tuple[str, ...]:
    """Return the guards nobody may lift in a stage, `*` for all."""
    names = stage.texts("forbid_allow")
    for name in names:
        if name not in (*GUARD_NAMES, ANY):
            hint = did_you_mean(name, GUARD_NAMES) or f"; want one of {one_of(GUARD_NAMES)}, or `*`"
            stage.refuse("forbid_allow", f"unknown guard `{name}`{hint}", "unknown-guard")
    return names


def _threshold(section: Section, defaults: Threshold, *, of_kind: bool = False) -> Threshold:
    section.only("percent", "floor", *(() if of_kind else ("kinds",)))
    percent = section.number("percent", defaults.percent, 0)
    floor = int(section.number("floor", defaults.floor, 0))
    if of_kind:
        return Threshold(percent, floor)
    kinds = section.section("kinds")
    outer = Threshold(percent, floor)
    return Threshold(percent, floor, {n: _threshold(kinds.section(n), outer, of_kind=True) for n in kinds.value})


def _freezes(section: Section, known: tuple[str, ...]) -> Iterator[Freeze]:
    for each in section.sections("freeze"):
        each.only("from", "to", "zone", "reason", "stages")
        zone = zone_of(each)
        start, end = moment_of(each, "from", zone), moment_of(each, "to", zone, whole_day=True)
        stages = each.texts("stages")
        for name in (name for name in stages if name not in known):
            each.refuse("stages", f"unknown stage `{name}`; want one of {one_of(known)}", "unknown-stage")
        if start and end and start >= end:
            each.refuse("to", "the freeze ends before it begins", "freeze")
        if start and end:
            yield Freeze(start, end, each.text("reason"), stages)
