"""What policysync.yaml says about guards."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from policysync.documents.guard_settings import CHANGES, DELETES, Freeze, Threshold
from policysync.documents.project import Project, load_project
from policysync.errors import InvalidInput

HEAD = "version: 1\nstages:\n  - name: dev\n  - {name: prod, forbid_allow: [too-many-deletes, freeze]}\n"


def project(folder: Path, guards: str) -> Project:
    (folder / "policysync.yaml").write_text(f"{HEAD}guards: {guards}\n")
    return load_project(folder, {})


def test_what_is_left_out_is_as_usual(tmp_path: Path) -> None:
    read = project(tmp_path, "{}")
    assert (read.guard_settings.deletes, read.guard_settings.changes) == (DELETES, CHANGES)
    assert read.stage("dev").forbid_allow == ()
    assert read.stage("prod").forbid_allow == ("too-many-deletes", "freeze")


def test_thresholds_and_those_of_kinds(tmp_path: Path) -> None:
    read = project(tmp_path, "{deletes: {floor: 2, kinds: {Registry: {percent: 0}}}, changes: {percent: 50}}")
    assert read.guard_settings.deletes == Threshold(30, 2, {"Registry": Threshold(0, 2)})
    assert read.guard_settings.changes == Threshold(50, CHANGES.floor)


@pytest.mark.parametrize(
    ("window", "start", "end"),
    [
        ("from: 2026-12-24, to: 2026-12-26, zone: Europe/Berlin", (2026, 12, 23, 23), (2026, 12, 26, 23)),
        ('from: "2026-07-01 18:00", to: "2026-07-02 06:00", zone: Europe/Berlin', (2026, 7, 1, 16), (2026, 7, 2, 4)),
        ('from: "2026-07-01T18:00:00+05:00", to: "2026-07-02T06:00Z"', (2026, 7, 1, 13), (2026, 7, 2, 6)),
    ],
    ids=["whole days", "in summer", "offsets"],
)
def test_a_freeze(tmp_path: Path, window: str, start: tuple[int, ...], end: tuple[int, ...]) -> None:
    read = project(tmp_path, f"{{freeze: [{{{window}, stages: [prod], reason: holidays}}]}}")
    begins, ends = (datetime(*moment, tzinfo=UTC) for moment in (start, end))  # type: ignore[arg-type,misc]  # numbers
    assert read.guard_settings.freeze == (Freeze(begins, ends, "holidays", ("prod",)),)


@pytest.mark.parametrize(
    ("guards", "message"),
    [
        ("{delete: {percent: 3}}", "unknown key `delete`; did you mean `deletes`?"),
        ("{deletes: {percent: many}}", "want a number, at least 0"),
        ("{deletes: {kinds: {Label: {kinds: {}}}}}", "unknown key `kinds`"),
        ("{freeze: [{from: 2026-12-24, to: 2026-12-26}]}", "which time zone? add `zone: Europe/Berlin`"),
        ("{freeze: [{from: 2026-12-24, to: 2026-12-20, zone: UTC}]}", "the freeze ends before it begins"),
        ("{freeze: [{from: soon, to: 2026-12-20, zone: UTC}]}", '"soon" stands here, want a time such as'),
        ("{freeze: [{from: 2026-12-24, to: 2026-12-26, zone: Europe/Brlin}]}", 'unknown time zone "Europe/Brlin"'),
        ("{freeze: [{from: 2026-12-24, to: 2026-12-26, zone: ../etc}]}", 'unknown time zone "../etc"'),
        ("{freeze: [{from: 2026-12-24, zone: UTC}]}", "`to` is missing"),
        ("{freeze: [{from: 2026-12-24, to: 2026-12-26, zone: UTC, stages: [qa]}]}", "unknown stage `qa`"),
    ],
)
def test_what_is_wrong_with_them(tmp_path: Path, guards: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        project(tmp_path, guards)
    assert all(message in str(problem) for problem in caught.value.problems), caught.value


def test_a_guard_that_is_not_there_cannot_be_forbidden(tmp_path: Path) -> None:
    (tmp_path / "policysync.yaml").write_text("version: 1\nstages: [{name: dev, forbid_allow: [frezze, '*']}]\n")
    with pytest.raises(InvalidInput, match=r"unknown guard `frezze`; did you mean `freeze`"):
        load_project(tmp_path, {})
