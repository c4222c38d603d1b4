"""The section `gates` of a stage: what it means, and what is refused."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from policysync.documents.gate_settings import Check, GateSettings, Impact, Soak
from policysync.documents.project import load_project
from policysync.errors import InvalidInput

HOUR = timedelta(hours=1)


def load(folder: Path, gates: str, stage: int = 1) -> GateSettings:
    sections = ["", ""]
    sections[stage] = f", gates: {gates}"
    text = f"version: 1\nstages:\n- {{name: dev{sections[0]}}}\n- {{name: prod{sections[1]}}}\n"
    (folder / "policysync.yaml").write_text(text, encoding="utf-8")
    return load_project(folder, {}).stages[stage].gate_settings


def test_the_stage_before_has_to_have_it_unless_somebody_says_otherwise(tmp_path: Path) -> None:
    assert load(tmp_path, "{}").asked == ("applied-upstream",)
    assert load(tmp_path, "{applied-upstream: false}").asked == ()


def test_every_gate(tmp_path: Path) -> None:
    text = (
        "{soaked: {stricter: 1h, looser: 3d12h}, no-drift: true, verified-upstream: true, plan-clean: true,"
        " verified: {command: [make, smoke], timeout: 5m}, approvals: 1, looser: {approvals: 2},"
        ' impact: {newly_failing: 3, unavailable: ignore}, window-open: "08:00-16:00 UTC"}'
    )
    found = load(tmp_path, text)
    assert found.soaked == Soak(HOUR, 84 * HOUR, 84 * HOUR)
    assert found.verified_upstream == Check()
    assert found.verified == Check(("make", "smoke"), timeout=timedelta(minutes=5))
    assert (found.approvals, found.looser_approvals, found.impact) == (1, 2, Impact(3, ignore=True))
    assert found.window_open is not None
    assert found.window_open.open[0].length == 8 * HOUR
    assert len(found.asked) == 10


def test_one_time_is_for_all_changes(tmp_path: Path) -> None:
    assert load(tmp_path, "{soaked: 24h}").soaked == Soak(24 * HOUR, 24 * HOUR, 24 * HOUR)
    assert load(tmp_path, "{soaked: {default: 2h, looser: 4h}}").soaked == Soak(2 * HOUR, 4 * HOUR, 2 * HOUR)


@pytest.mark.parametrize(
    ("gates", "said"),
    [
        ("{soakd: 24h}", "policysync.yaml:4:24: /stages/1/gates/soakd: unknown gate `soakd`; did you mean `soaked`?"),
        ("{soaked: }", "nothing is said about `soaked`; say what it asks, or leave it out"),
        ("{soaked: 24}", "/soaked: 24 stands here, want a time such as 24h, 30m or 3d12h [duration]"),
        ("{soaked: ''}", "want a time such as 24h"),
        ("{soaked: {worse: 1h}}", "unknown key `worse`"),
        ("{soaked: {}}", "no time stands here, want one such as `soaked: 24h`"),
        ("{soaked: {stricter: 1h, looser: }}", "/soaked/looser: null stands here, want a time such as 24h"),
        ("{looser: {approvals: }}", "want `looser: {approvals: 2}`"),
        ("{window-open: []}", "/window-open: no window stands here, want one such as"),
        ("{window-open: {}}", "/window-open: no window stands here, want one such as"),
        ("{window-open: {for: 8h, zone: UTC}}", "/window-open: no window stands here, want one such as"),
        ("{window-open: {open: [], cron: '0 8 * * *', for: 1h, zone: UTC}}", "nothing is said about `open`"),
        (
            "{window-open: {freeze: [{from: 9999-12-31, to: 9999-12-31, zone: UTC}]}}",
            '/freeze/0/to: "9999-12-31" is further away than a calendar goes',
        ),
        ("{verified: {url: 'https://ann:secret@example.com/'}}", "want an address without user and password"),
        ("{soaked: 999999999999d}", "is longer than anybody can wait"),
        ("{verified: {}}", "want either `command: [program, argument, …]` or `url: https://…`"),
        ("{verified: {url: 'file:///etc/passwd'}}", "is no address; want one that begins with https://"),
        ("{no-drift: yes please}", '"yes please" stands here, want true or false'),
        ("{looser: {}}", "want `looser: {approvals: 2}`"),
        ("{looser: 2}", "2 stands here, want a mapping"),
        ("{approvals: 0.5}", "0.5 stands here, want a whole number"),
        ("{impact: {unavailable: maybe}}", '"maybe" stands here, want "refuse" or "ignore"'),
        ("{window-open: 'Mon 8-16'}", 'want a window such as "Mon-Thu 08:00-16:00 Europe/Berlin"'),
        ("{window-open: 'Mon-Fry 08:00-16:00 UTC'}", "want days such as Mon-Thu"),
        ("{window-open: '08:00-16:60 UTC'}", "want times from 00:00 to 24:00"),
        ("{window-open: '08:00-16:00 Mars/Base'}", "unknown time zone; want a name such as Europe/Berlin"),
        ("{window-open: {cron: '0 8 31 2 *', for: 1h, zone: UTC}}", "want five fields such as"),
        ("{window-open: {cron: '@daily', for: 1h, zone: UTC}}", "want five fields such as"),
        ("{window-open: {cron: '0 8 * * *', zone: UTC}}", "how long is it open? want `for: 8h`"),
        ("{window-open: {cron: '0 8 * * *', for: 1h}}", "which time zone? add `zone: Europe/Berlin`"),
        ("{window-open: {freeze: [{from: 2026-12-24, to: 2026-12-20, zone: UTC}]}}", "ends before it begins"),
    ],
)
def test_what_is_refused(tmp_path: Path, gates: str, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        load(tmp_path, gates)
    assert said in str(caught.value)


def test_what_is_not_said_soaks_as_long_as_anything(tmp_path: Path) -> None:
    assert load(tmp_path, "{soaked: {stricter: 1h}}").soaked == Soak(HOUR, HOUR, HOUR)
    assert load(tmp_path, "{soaked: {stricter: 1h, looser: 3h}}").soaked == Soak(HOUR, 3 * HOUR, 3 * HOUR)


def test_the_first_stage_has_no_gates(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="nothing is promoted to the first stage"):
        load(tmp_path, "{soaked: 24h}", stage=0)
