from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from policysync.documents.accepted import Accepted, expired, in_force, unfit
from policysync.documents.project import load_project
from policysync.errors import InvalidInput
from policysync.kinds.load import load_kinds
from policysync.state.resource import Address

HEAD = "version: 1\nstages: [{name: dev}, {name: prod}]\n"
ENTRY = "  - {stage: prod, resource: Label/pci, until: 2026-12-24, reason: an incident%s}\n"


def entries(folder: Path, text: str) -> tuple[Accepted, ...]:
    (folder / "policysync.yaml").write_text(f"{HEAD}accepted:\n{text}")
    return load_project(folder, {}).accepted


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        entries(folder, text)
    return [str(problem) for problem in refused.value.problems]


def test_an_entry_says_what_may_stay_and_until_when(tmp_path: Path) -> None:
    (one,) = entries(tmp_path, ENTRY % ", field: /rules/name=a~1b")
    assert (one.stage, one.address, one.reason) == ("prod", Address("Label", "pci"), "an incident")
    assert one.path == ("rules", "name=a/b")
    assert one.until == datetime(2026, 12, 25, tzinfo=UTC)
    assert one.said == "2026-12-24"
    assert str(one.where) == "policysync.yaml:4:5"


def test_a_date_is_meant_in_its_zone(tmp_path: Path) -> None:
    (one,) = entries(tmp_path, ENTRY % ", zone: Europe/Berlin")
    assert one.until == datetime(2026, 12, 24, 23, tzinfo=UTC)


def test_it_is_in_force_in_its_stage_until_its_date(tmp_path: Path) -> None:
    found = entries(tmp_path, ENTRY % "")
    before, after = datetime(2026, 12, 24, 23, 59, tzinfo=UTC), datetime(2026, 12, 25, tzinfo=UTC)
    assert in_force(found, "prod", before) == found
    assert in_force(found, "dev", before) == ()
    assert in_force(found, "prod", after) == ()
    assert not list(expired(found, before))
    (warning,) = expired(found, after)
    assert warning.warning
    assert "accepted until 2026-12-24, and is drift again" in warning.message


def test_a_field_covers_what_is_inside_it(tmp_path: Path) -> None:
    part, whole = entries(tmp_path, ENTRY % ", field: /rules" + ENTRY % "")
    assert part.covers(("rules", "name=a", "up"))
    assert not part.covers(("ruled",))
    assert whole.covers(("anything",))


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("  - {stage: prod, resource: Label/pci, until: 2026-12-24}", "policysync.yaml:4:5: /accepted/0: `reason` is"),
        ("  - {stage: prd, resource: Label/x, until: 2026-12-24, reason: r}", "/accepted/0/stage: unknown stage `prd`"),
        ("  - {stage: prod, resource: Label, until: 2026-12-24, reason: r}", "want Kind/name"),
        ("  - {stage: prod, resource: Label/x, until: soon, reason: r}", '"soon" stands here, want a time'),
        ("  - {stage: prod, resource: Label/x, until: 2026-12-24, reason: r, zone: Mars}", "unknown time zone"),
        ("  - {stage: prod, resource: Label/x, until: 2026-12-24, reason: r, field: a}", "such as /a"),
        ("  - {stage: prod, resource: Label/x, untill: 2026-12-24, reason: r}", "unknown key `untill`"),
        ("  prod: x", "want a list"),
    ],
)
def test_a_wrong_entry_is_refused_at_its_place(tmp_path: Path, entry: str, said: str) -> None:
    assert any(said in problem for problem in problems(tmp_path, f"{entry}\n"))


@pytest.mark.parametrize(
    ("resource", "field", "said"),
    [
        ("Lable/x", "/description", "there is no kind Lable; did you mean `Label`?"),
        ("Label/x", "/descripton", "has no field `descripton`; did you mean `description`?"),
        ("Label/x", "/spec/description", "has no field `spec`"),
        ("ImageAssurancePolicy/x", "/application_scopes/Global", "accept /application_scopes as a whole"),
        ("ImageAssurancePolicy/x", "/maximum_score/deep", "accept /maximum_score as a whole"),
    ],
)
def test_what_no_schema_has_cannot_be_accepted(tmp_path: Path, resource: str, field: str, said: str) -> None:
    entry = f"  - {{stage: prod, resource: {resource}, field: {field}, until: 2026-12-24, reason: r}}\n"
    (problem,) = unfit(entries(tmp_path, entry), load_kinds())
    assert said in problem.message
    assert not problem.warning


def test_what_a_schema_has_can_be(tmp_path: Path) -> None:
    entry = "  - {stage: prod, resource: ImageAssurancePolicy/x, field: %s, until: 2026-12-24, reason: r}\n"
    fields = ("/maximum_score", "/custom_checks", "/scope/variables")
    assert not list(unfit(entries(tmp_path, "".join(entry % field for field in fields)), load_kinds()))
