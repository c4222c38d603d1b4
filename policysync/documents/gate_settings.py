"""What policysync.yaml says about gates: what has to be so before a revision is let into a stage."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import NamedTuple

from policysync.documents.section import Section, shown
from policysync.documents.suggest import did_you_mean, one_of
from policysync.documents.window_settings import Windows, windows

GATE_NAMES = (
    "applied-upstream",
    "soaked",
    "no-drift",
    "verified-upstream",
    "verified",
    "window-open",
    "approvals",
    "looser",
    "impact",
    "plan-clean",
)
_SPAN = re.compile(r"(?:(?P<days>\d+)d)?(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?(?:(?P<seconds>\d+)s)?\Z")
_HAS_USER = re.compile(r"https?://[^/?#]*@")
_MINUTE = timedelta(minutes=1)
_SOAKED = ("stricter", "looser", "default")


class Soak(NamedTuple):
    """How long a change has to be in sync upstream, by what it does to the strength of the policy."""

    stricter: timedelta
    looser: timedelta
    default: timedelta


class Check(NamedTuple):
    """How something is verified: a program that has to end with 0, or an address that has to answer with 2xx.

    With neither, the plan of the stage has to be empty: live is what git says.
    """

    command: tuple[str, ...] = ()
    url: str = ""
    timeout: timedelta = _MINUTE


class Impact(NamedTuple):
    """How many images may start to fail. `ignore` lets a promotion pass while nobody can say."""

    newly_failing: int = 0
    ignore: bool = False


class GateSettings(NamedTuple):
    """The gates of one stage. None, 0 or False: it is not asked."""

    applied_upstream: bool = True
    soaked: Soak | None = None
    no_drift: bool = False
    verified_upstream: Check | None = None
    verified: Check | None = None
    window_open: Windows | None = None
    approvals: int = 0
    looser_approvals: int = 0
    impact: Impact | None = None
    plan_clean: bool = False

    @property
    def asked(self) -> tuple[str, ...]:
        """The names of the gates that are asked, in the order in which they are."""
        said = (
            self.applied_upstream,
            self.soaked,
            self.no_drift,
            self.verified_upstream,
            self.verified,
            self.window_open,
            self.approvals,
            self.looser_approvals,
            self.impact,
            self.plan_clean,
        )
        return tuple(name for name, wanted in zip(GATE_NAMES, said, strict=True) if wanted)


def gate_settings(section: Section, *, first: bool) -> GateSettings:
    """Read the section `gates` of a stage. The first stage has none: nothing is promoted to it."""
    if first and section.value:
        section.refuse("", "nothing is promoted to the first stage; move the gates to a later one", "first-stage")
    for name, value in section.value.items():
        if value is None:
            section.refuse(name, f"nothing is said about `{name}`; say what it asks, or leave it out", "gate")
        if name not in GATE_NAMES:
            hint = did_you_mean(name, GATE_NAMES) or f"; want one of {one_of(GATE_NAMES, 12)}"
            section.refuse(name, f"unknown gate `{name}`{hint}", "unknown-gate", key=True)
    return GateSettings(
        applied_upstream=section.flag("applied-upstream") if "applied-upstream" in section.value else True,
        soaked=_soak(section),
        no_drift=section.flag("no-drift"),
        verified_upstream=_check(section, "verified-upstream", bare=True),
        verified=_check(section, "verified"),
        window_open=windows(section, "window-open"),
        approvals=_count(section, "approvals"),
        looser_approvals=_looser(section),
        impact=_impact(section),
        plan_clean=section.flag("plan-clean"),
    )


def _soak(section: Section) -> Soak | None:
    value = section.value.get("soaked")
    if value is None:
        return None
    if not isinstance(value, Mapping):
        span = _span(section, "soaked")
        return Soak(span, span, span) if span is not None else None
    each = section.section("soaked")
    each.only(*_SOAKED)
    said = {name: span for name in _SOAKED if (span := _span(each, name)) is not None}
    if not said:
        section.refuse("soaked", "no time stands here, want one such as `soaked: 24h`", "duration")
        return None
    # What is not said waits as long as anything does: a gate that is left open says so.
    default = said.get("default", max(said.values()))
    return Soak(said.get("stricter", default), said.get("looser", default), default)


def _span(section: Section, name: str) -> timedelta | None:
    if name not in section.value:
        return None
    value = section.value[name]
    found = _SPAN.match(value) if isinstance(value, str) and value else None
    if not found:
        section.refuse(name, f"{shown(value)} stands here, want a time such as 24h, 30m or 3d12h", "duration")
        return None
    try:
        return timedelta(**{unit: int(number) for unit, number in found.groupdict().items() if number})
    except OverflowError:
        section.refuse(name, f"{shown(value)} is longer than anybody can wait", "duration")
        return None


def _check(section: Section, name: str, *, bare: bool = False) -> Check | None:
    value = section.value.get(name)
    if value is None or value is False:
        return None
    if value is True and bare:
        return Check()
    each = section.section(name)
    each.only("command", "url", "timeout")
    command, url = each.texts("command"), each.text("url")
    if bool(command) is bool(url):
        each.refuse("", "want either `command: [program, argument, …]` or `url: https://…`", "gate")
    if url and not url.startswith(("https://", "http://")):
        each.refuse("url", f"{shown(url)} is no address; want one that begins with https://", "gate")
    elif _HAS_USER.match(url):
        each.refuse("url", "want an address without user and password: what stands here is in git", "gate")
    return Check(command, url, _span(each, "timeout") or _MINUTE)


def _count(section: Section, name: str) -> int:
    number = section.number(name, 0, 0)
    if number != int(number):
        section.refuse(name, f"{shown(number)} stands here, want a whole number", "type")
    return int(number)


def _looser(section: Section) -> int:
    each = section.section("looser")
    each.only("approvals")
    if "looser" in section.value and each.value.get("approvals") is None:
        each.refuse("", "want `looser: {approvals: 2}`", "required")
    return _count(each, "approvals")


def _impact(section: Section) -> Impact | None:
    if section.value.get("impact") is None:
        return None
    each = section.section("impact")
    each.only("newly_failing", "unavailable")
    unavailable = each.text("unavailable")
    if unavailable not in ("", "refuse", "ignore"):
        each.refuse("unavailable", f'{shown(unavailable)} stands here, want "refuse" or "ignore"', "gate")
    return Impact(_count(each, "newly_failing"), unavailable == "ignore")
