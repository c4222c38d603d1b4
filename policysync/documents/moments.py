"""Moments in policysync.yaml: a date or a time of day, with the time zone it is meant in."""

from __future__ import annotations

import importlib
from datetime import UTC, datetime, timedelta, tzinfo

from policysync.documents.section import Section, shown

_DAY = len("2026-12-24")


def zone_named(name: str) -> tzinfo:
    """Return a time zone by its name. The rules of all zones are read when the first one is asked for.

    Raises:
        OSError, ValueError, KeyError: there is no such zone.
    """
    found: tzinfo = importlib.import_module("zoneinfo").ZoneInfo(name)
    return found


def zone_of(section: Section) -> tzinfo | None:
    """Return the time zone that the member `zone` names; None where it names none, or none there is."""
    name = section.text("zone")
    if not name:
        return None
    try:
        return zone_named(name)
    except (OSError, ValueError, KeyError):  # a folder, a path, and what nobody has heard of
        section.refuse("zone", f"unknown time zone {shown(name)}; want a name such as Europe/Berlin, or UTC", "zone")
        return None


def moment_of(section: Section, name: str, zone: tzinfo | None, *, whole_day: bool = False) -> datetime | None:
    """Return a moment; a date alone is its first, or with `whole_day` its last, second."""
    text = section.text(name, required=True)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        section.refuse(name, f'{shown(text)} stands here, want a time such as "2026-12-24 18:00" or a date', "time")
        return None
    if moment.tzinfo is None and zone is None:
        if "zone" not in section.value:
            section.refuse(name, "which time zone? add `zone: Europe/Berlin`, or an offset to the time", "zone")
        return None
    try:
        if whole_day and len(text) == _DAY:
            moment += timedelta(days=1)
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        section.refuse(name, f"{shown(text)} is further away than a calendar goes", "time")
        return None
