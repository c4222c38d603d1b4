"""The members the server writes itself: who, when, which number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex
from typing import Any

from policysync.emulator.shape import Shape

_CREATION = frozenset({"created", "created_at", "date"})
_CHANGE = frozenset(
    {"lastupdate", "last_update", "last_updated", "lastupdated", "last_modified", "updated", "updated_at"}
)
_CREATOR = frozenset({"author", "created_by", "owner"})
_CHANGER = frozenset({"updated_by", "last_updated_by"})


@dataclass(frozen=True, slots=True)
class Stamp:
    """Facts of one write. `number` gives the next free id."""

    user: str
    now: datetime
    number: Callable[[], int]


def stamp(shape: Shape, body: dict[str, Any], before: Mapping[str, Any] | None, how: Stamp, id_member: str) -> None:
    """Write into `body` what only the server decides; `before` is the object that is replaced.

    Times are unix seconds where the field is a number and RFC 3339 text where it is a string.
    """
    for name, sub in (shape.members or {}).items():
        if _has_number(name, sub, id_member):
            _number(sub, body, before, how)
        elif sub.server_filled and not body.get(name):
            _keep(sub, body, before)
        elif sub.read_only and not body.get(name):
            _write(sub, body, before, how)


def _has_number(name: str, sub: Shape, id_member: str) -> bool:
    return sub.read_only and (name == id_member or (name == "id" and "integer" in sub.types))


def _number(sub: Shape, body: dict[str, Any], before: Mapping[str, Any] | None, how: Stamp) -> None:
    if before is not None and before.get(sub.name):
        body[sub.name] = before[sub.name]
    elif not body.get(sub.name):
        number = how.number()
        body[sub.name] = number if "integer" in sub.types else str(number)


def _keep(sub: Shape, body: dict[str, Any], before: Mapping[str, Any] | None) -> None:
    if before is not None and before.get(sub.name):
        body[sub.name] = before[sub.name]
    elif sub.sensitive and "string" in sub.types and not sub.hidden:
        body[sub.name] = token_hex(16)


def _write(sub: Shape, body: dict[str, Any], before: Mapping[str, Any] | None, how: Stamp) -> None:
    name = sub.name
    if name in _CREATION or name in _CREATOR:
        kept = before.get(name) if before else None
        body[name] = kept or (how.user if name in _CREATOR else _time(sub, how.now))
    elif name in _CHANGE:
        body[name] = _time(sub, how.now)
    elif name in _CHANGER:
        body[name] = how.user
    elif name == "permission":
        body[name] = "Write"
    elif before is not None and before.get(name) is not None:
        body[name] = before[name]


def _time(sub: Shape, now: datetime) -> int | str:
    if sub.types & {"integer", "number"}:
        return int(now.timestamp())
    return now.isoformat(timespec="milliseconds").replace("+00:00", "Z")
