"""A promotion, for people and for machines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from policysync.documents.pin import Pin
from policysync.plan.change import Change, Posture
from policysync.promotion.case import Verdict
from policysync.reports.view import printable
from policysync.state.resource import Address

FORMAT_VERSION = 1

_LISTED = 20
_MARKS = {True: "ok", False: "no"}


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown of a promotion. `where` is what became of the pin: file, commit, branch, pull_request."""

    stage: str
    before: str
    pin: Pin
    now: Pin | None
    changes: Mapping[Address, Change] = field(default_factory=dict)
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    where: Mapping[str, str] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        """Whether no gate said no."""
        return all(verdict.passed for verdict in self.verdicts.values())


def short(pin: Pin | None) -> str:
    """Return what a release is called in a sentence."""
    if pin is None:
        return "nothing"
    singles = f" and {len(pin.resources)} single" if pin.resources else ""
    return f"{pin.revision[:12]}{singles}"


def promotion_text(shown: Shown) -> str:
    """Return the promotion as text."""
    return "\n".join(printable(line) for line in _lines(shown))


def promotion_json(shown: Shown) -> dict[str, Any]:
    """Return the same as JSON data."""
    return {
        "format_version": FORMAT_VERSION,
        "stage": shown.stage,
        "from": shown.before,
        "release": shown.pin.id,
        "revision": shown.pin.revision,
        "resources": {str(address): revision for address, revision in sorted(shown.pin.resources.items())},
        "replaces": shown.now.id if shown.now else "",
        "changes": [
            {"resource": str(address), "action": change.action.value, "posture": change.posture.value}
            for address, change in sorted(shown.changes.items())
        ],
        "gates": [
            {
                "gate": name,
                "passed": verdict.passed,
                "said": verdict.said,
                "could_pass_at": verdict.could_pass_at.isoformat() if verdict.could_pass_at else None,
            }
            for name, verdict in shown.verdicts.items()
        ],
        "passed": shown.passed,
        **dict(shown.where),
    }


def _lines(shown: Shown) -> Iterator[str]:
    yield f"Stage {shown.stage} · {short(shown.now)} → {short(shown.pin)} · from {shown.before}"
    yield ""
    yield from _changes(shown.changes)
    yield ""
    width = max((len(name) for name in shown.verdicts), default=0)
    for name, verdict in shown.verdicts.items():
        at = verdict.could_pass_at
        when = f"; could pass at {at:%Y-%m-%d %H:%M:%S} UTC" if at else ""
        yield f"  {_MARKS[verdict.passed]}  {name:{width}}  {verdict.said}{when}"
    if shown.verdicts:
        no = sum(not verdict.passed for verdict in shown.verdicts.values())
        yield ""
        yield f"Gates: {len(shown.verdicts) - no} passed, {no} refused."


def _changes(changes: Mapping[Address, Change]) -> Iterator[str]:
    marks = {"create": "+", "update": "~", "delete": "-"}
    for address, change in sorted(changes.items())[:_LISTED]:
        posture = f"  ({change.posture.value})" if change.posture is not Posture.NEUTRAL else ""
        yield f"  {marks[change.action.value]} {address}{posture}"
    if len(changes) > _LISTED:
        yield f"  … and {len(changes) - _LISTED} more"
    counts = Counter(change.action.value for change in changes.values())
    yield f"Changes: {counts['create']} to add, {counts['update']} to change, {counts['delete']} to take away."
