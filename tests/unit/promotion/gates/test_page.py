"""What docs/promotion.md says that each gate says is what it says."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from unit.promotion.gates.cases import PCI, case_of
from unit.promotion.gates.test_window_open import OFFICE, read

from policysync.documents.gate_settings import GATE_NAMES, Check, GateSettings, Impact, Soak
from policysync.documents.pin import Pin
from policysync.plan.change import Posture
from policysync.promotion.case import Approval, Checked, Promoted, Upstream
from policysync.promotion.gates.listed import judge
from policysync.reports.promotion import Shown, promotion_text
from policysync.state.resource import Address

PAGE = Path(__file__).resolve().parents[4] / "docs/promotion.md"
ROW = re.compile(r"^\| `(?P<gate>[\w-]+): .*\| (?P<said>[^|]+) \|$", re.MULTILINE)
SOAKING = datetime.fromisoformat("2026-11-22T05:39:15+00:00")
SUNDAY = datetime.fromisoformat("2026-11-22T07:39:15+00:00")
PIN = Pin("prod", "a" * 40)
DAY = timedelta(days=1)
DEFAULT = Address("ImageAssurancePolicy", "Default")
OWNED = "releases/prod.yaml is owned by boss@example.com; and so on"

FACTS: dict[str, tuple[GateSettings, dict[str, Any]]] = {
    "applied-upstream": (
        GateSettings(),
        {"upstream": (Upstream("nonprod-eu", "4f2a9c1d0e3b" + "0" * 28, "a", (PCI,)),)},
    ),
    "soaked": (GateSettings(soaked=Soak(DAY, DAY, DAY)), {"promoted": (Promoted(PCI, since=SOAKING),)}),
    "no-drift": (GateSettings(no_drift=True), {"drift": {"nonprod-console": (PCI,)}}),
    "verified-upstream": (
        GateSettings(verified_upstream=Check()),
        {
            "checks": {
                "verified-upstream": Checked(
                    False, "nonprod is not as the release has it: Label/pci of nonprod-console"
                )
            }
        },
    ),
    "verified": (
        GateSettings(verified=Check(("make", "smoke"))),
        {"checks": {"verified": Checked(False, "`make smoke` ended with 2: no connection")}},
    ),
    "window-open": (GateSettings(window_open=read(OFFICE)), {}),
    "approvals": (GateSettings(approvals=1), {"approvers": OWNED}),
    "looser": (
        GateSettings(looser_approvals=2),
        {
            "promoted": (Promoted(DEFAULT, Posture.LOOSER),),
            "approvals": (Approval("ann@example.com"),),
            "approvers": OWNED,
        },
    ),
    "impact": (GateSettings(impact=Impact()), {}),
    "plan-clean": (GateSettings(plan_clean=True), {"unplanned": {"prod-console": (PCI,)}}),
}


def test_the_page_has_every_gate() -> None:
    shown = [row["gate"] for row in ROW.finditer(PAGE.read_text(encoding="utf-8"))]
    assert shown == list(GATE_NAMES) == list(FACTS)


@pytest.mark.parametrize("row", tuple(ROW.finditer(PAGE.read_text(encoding="utf-8"))), ids=lambda row: row["gate"])
def test_a_gate_says_what_the_page_says(row: re.Match[str]) -> None:
    gate = row["gate"]
    settings, facts = FACTS[gate]
    verdict = judge(case_of(settings, now=SUNDAY, **facts))[gate]
    assert not verdict.passed
    text = promotion_text(Shown("prod", "nonprod", PIN, None, verdicts={gate: verdict}))
    wanted = ".*".join(map(re.escape, row["said"].split("…")))
    assert re.search(rf"^  no  {gate}  {wanted}$", text, re.MULTILINE), text
