"""The gate `soaked`."""

from __future__ import annotations

from datetime import datetime, timedelta

from policysync.documents.gate_settings import Soak
from policysync.plan.change import Posture
from policysync.promotion.case import Case, Promoted, Verdict, is_looser, named


def soaked(case: Case) -> Verdict:
    """Ask that every change was in sync upstream for long enough; looser ones may have to be for longer."""
    soak = case.settings.soaked
    if soak is None:
        return Verdict(True, "no time is asked for")
    absent = [one.address for one in case.promoted if one.since is None]
    if absent:
        return Verdict(False, f"the time has not begun: {case.before} does not have {named(absent)}")
    until = {one.address: _since(one) + _asked(soak, one.posture) for one in case.promoted}
    waiting = sorted((at, address) for address, at in until.items() if at > case.now)
    if not waiting:
        least = min((case.now - _since(one) for one in case.promoted), default=timedelta(0))
        return Verdict(True, f"in sync in {case.before} for {span(least)}")
    at = waiting[-1][0]
    last = next(one for one in case.promoted if one.address == waiting[-1][1])
    had, asked = case.now - _since(last), _asked(soak, last.posture)
    because = f" ({last.posture})" if asked != soak.default else ""
    others = f", and {len(waiting) - 1} more wait" if len(waiting) > 1 else ""
    said = f"{last.address}{because} was in sync in {case.before} for {span(had)} of {span(asked)}{others}"
    return Verdict(False, said, at)


def span(length: timedelta) -> str:
    """Return a length of time for people: the largest unit and the next one, rounded down."""
    seconds = max(0, int(length.total_seconds()))
    units = ((86400, "d"), (3600, "h"), (60, "m"), (1, "s"))
    first = next((index for index, (size, _) in enumerate(units) if seconds >= size), len(units) - 1)
    parts = []
    for size, unit in units[first : first + 2]:
        parts += [f"{seconds // size}{unit}"] if seconds >= size else []
        seconds %= size
    return " ".join(parts) or "0s"


def _since(one: Promoted) -> datetime:
    if one.since is None:
        raise ValueError(f"{one.address} is not upstream")
    return one.since


def _asked(soak: Soak, posture: Posture) -> timedelta:
    if is_looser(posture):
        return soak.looser
    return soak.stricter if posture is Posture.STRICTER else soak.default
