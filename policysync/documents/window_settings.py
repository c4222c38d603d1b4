"""When something may happen: `Mon-Thu 08:00-16:00 Europe/Berlin`, cron-like openings, and days on which it may not."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from policysync.documents.moments import moment_of, zone_named, zone_of
from policysync.documents.section import Section, shown

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_WINDOW = re.compile(r"(?:(?P<days>[A-Za-z,-]+) +)?(?P<from>\d\d:\d\d)-(?P<to>\d\d:\d\d) +(?P<zone>[A-Za-z0-9_+/-]+)\Z")
_CRON_FIELDS = 5
_MINUTES_A_DAY = 24 * 60
_NO_WINDOW = 'no window stands here, want one such as "Mon-Thu 08:00-16:00 Europe/Berlin", or a freeze'


class Window(NamedTuple):
    """Opens by a cron expression of five fields, in a time zone, and stays open for a while. `said` is for people."""

    cron: str
    zone: tzinfo
    length: timedelta
    said: str


class Closed(NamedTuple):
    """From `start` until before `end` nothing is let in."""

    start: datetime
    end: datetime
    reason: str = ""


class Windows(NamedTuple):
    """When something may happen: while one of `open` is, and none of `closed`. No `open` means always."""

    open: tuple[Window, ...] = ()
    closed: tuple[Closed, ...] = ()


def windows(section: Section, name: str) -> Windows | None:
    """Read windows: a text, a list of texts, or `{open: …, freeze: [{from, to, zone, reason}]}`."""
    value = section.value.get(name)
    if value is None:
        return None
    if not isinstance(value, Mapping):
        if not value:
            section.refuse(name, _NO_WINDOW, "window")
        return Windows(tuple(_texts(section, name)))
    each = section.section(name)
    each.only("open", "cron", "for", "zone", "freeze")
    if not any(each.value.get(member) for member in ("open", "cron", "freeze")):
        each.refuse("", _NO_WINDOW, "window")
    for member in ("open", "cron", "freeze"):
        if member in each.value and not each.value[member]:
            each.refuse(member, f"nothing is said about `{member}`; say what it asks, or leave it out", "window")
    opened = [*_texts(each, "open"), *_cron(each)]
    return Windows(tuple(opened), tuple(_closed(each)))


def _texts(section: Section, name: str) -> Iterator[Window]:
    for text in section.texts(name):
        found = _WINDOW.match(text)
        window = _window(section, name, text, found) if found else None
        if not found:
            message = f'{shown(text)} stands here, want a window such as "Mon-Thu 08:00-16:00 Europe/Berlin"'
            section.refuse(name, message, "window")
        elif window:
            yield window


def _window(section: Section, name: str, text: str, found: re.Match[str]) -> Window | None:
    start, end = _minute(found["from"]), _minute(found["to"])
    days = _weekdays(found["days"] or "Mon-Sun")
    zone = _zone(found["zone"])
    if start is None or end is None or start >= _MINUTES_A_DAY:
        section.refuse(name, f"{shown(text)}: want times from 00:00 to 24:00", "window")
    elif days is None:
        section.refuse(name, f"{shown(text)}: want days such as Mon-Thu or Mon,Wed,Fri", "window")
    elif zone is None:
        section.refuse(name, f"{shown(text)}: unknown time zone; want a name such as Europe/Berlin, or UTC", "zone")
    else:
        length = (end - start) % _MINUTES_A_DAY or _MINUTES_A_DAY
        cron = f"{start % 60} {start // 60} * * {days}"
        return Window(cron, zone, timedelta(minutes=length), text)
    return None


def _minute(text: str) -> int | None:
    hours, minutes = (int(part) for part in text.split(":"))
    total = hours * 60 + minutes
    return total if minutes < 60 and total <= _MINUTES_A_DAY else None


def _weekdays(text: str) -> str | None:
    """Return weekdays as cron has them, from 0 for Sunday."""
    chosen: list[int] = []
    for part in text.lower().split(","):
        first, _, last = part.partition("-")
        if first not in _DAYS or (last or first) not in _DAYS:
            return None
        start, end = _DAYS.index(first), _DAYS.index(last or first)
        chosen += [day % 7 for day in range(start, end + 1 if end >= start else end + 8)]
    return ",".join(str((day + 1) % 7) for day in sorted(set(chosen)))


def _zone(name: str) -> tzinfo | None:
    try:
        return zone_named(name)
    except (OSError, ValueError, KeyError):
        return None


def _cron(section: Section) -> Iterator[Window]:
    cron, length, zone = section.text("cron"), section.text("for"), zone_of(section)
    if not cron:
        return
    found = re.fullmatch(r"([1-9]\d{0,4})([mh])", length)
    if len(cron.split()) != _CRON_FIELDS or not _opens(cron):
        message = f'{shown(cron)} stands here, want five fields such as "0 8 * * MON-THU"'
        section.refuse("cron", message, "window")
    elif not found:
        section.refuse("for" if length else "", "how long is it open? want `for: 8h`", "window")
    elif zone is None:
        if "zone" not in section.value:
            section.refuse("cron", "which time zone? add `zone: Europe/Berlin`", "zone")
    else:
        hours = timedelta(hours=1) if found[2] == "h" else timedelta(minutes=1)
        yield Window(cron, zone, int(found[1]) * hours, f"{cron} for {length} {zone}")


def _opens(cron: str) -> bool:
    # Only what configures an opening this way pays for the import.
    cronsim = importlib.import_module("cronsim")
    try:
        return next(cronsim.CronSim(cron, datetime(2026, 1, 1, tzinfo=UTC)), None) is not None
    except cronsim.CronSimError:
        return False


def _closed(section: Section) -> Iterator[Closed]:
    for each in section.sections("freeze"):
        each.only("from", "to", "zone", "reason")
        zone = zone_of(each)
        start, end = moment_of(each, "from", zone), moment_of(each, "to", zone, whole_day=True)
        if start and end and start >= end:
            each.refuse("to", "the freeze ends before it begins", "freeze")
        if start and end:
            yield Closed(start, end, each.text("reason"))
