"""releases/<stage>.yaml: what is read, what is refused and where, and that what is written is read again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policysync.documents.pin import Evidence, Judged, Pin, load_pin, pin_problems, read_pin
from policysync.documents.source_file import SourceFile
from policysync.documents.worktree import WorkTree
from policysync.errors import InvalidInput
from policysync.promotion.releases import pin_text
from policysync.state.resource import Address

A, B = "a" * 40, "1" * 40
STAGES = ("dev", "nonprod", "prod")


def read(text: str, known: bool = True) -> Pin:
    return read_pin(SourceFile("releases/prod.yaml", text.encode()), lambda _: known)


def problems(text: str, known: bool = True) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        read(text, known)
    return [str(problem) for problem in caught.value.problems]


def test_a_pin_names_a_revision_and_single_resources() -> None:
    pin = read(f'version: 1\nrevision: "{A}"\nresources:\n  Label/a/b: "{B}"\n')
    assert pin == Pin("prod", A, {Address("Label", "a/b"): B})
    assert (pin.revision_of(Address("Label", "a/b")), pin.revision_of(Address("Label", "c"))) == (B, A)
    assert pin.id.startswith(f"{A}+")
    assert Pin("prod", A).id == A


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ["releases/prod.yaml:1:1: want `version: 1` [version]", "`revision` is missing"]),
        (f"version: 2\nrevision: {A}\n", ["releases/prod.yaml:1:10: /version: want `version: 1` [version]"]),
        (
            "version: 1\nrevision: main\n",
            ['releases/prod.yaml:2:11: /revision: "main" is no full revision; want the 40 characters'],
        ),
        (f"version: 1\nrevison: {A}\n", ["`revision` is missing", "releases/prod.yaml:2:1: /revison: unknown key"]),
        (
            f"version: 1\nrevision: {A}\nresources:\n  pci: {A}\n",
            ["releases/prod.yaml:4:3: /resources/pci: `pci` is not Kind/name; want one such as Label/pci [name]"],
        ),
        (f"version: 1\nrevision: {A}\nevidence: {{at: yesterday}}\n", ["releases/prod.yaml:3:16: /evidence/at: "]),
        (f"version: 1\nrevision: {A}\nevidence: {{gates: [{{passed: true}}]}}\n", ["`gate` is missing"]),
        ("[]", ["releases/prod.yaml:1:1: a list stands here, want a mapping [type]"]),
        ("a: b: c", ["releases/prod.yaml:1:5"]),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, said: list[str]) -> None:
    found = "\n".join(problems(text))
    assert all(part in found for part in said), found


def test_a_revision_that_is_not_here_has_to_be_fetched() -> None:
    (said,) = problems(f"version: 1\nrevision: {A}\n", known=False)
    assert said == (
        "releases/prod.yaml:2:11: /revision: revision aaaaaaaaaaaa is not in this repository; fetch it: "
        f"`git fetch origin {A}` [unknown-revision]"
    )


def test_pins_of_no_stage_and_of_the_first_are_problems(tmp_path: Path) -> None:
    for name in ("dev.yaml", "prd.yaml", "prod.yaml"):
        (tmp_path / "releases").mkdir(exist_ok=True)
        (tmp_path / "releases" / name).write_text(f"version: 1\nrevision: {A}\n")
    said = [str(problem) for problem in pin_problems(WorkTree(tmp_path), STAGES, lambda _: True)]
    assert said == [
        "releases/dev.yaml: dev is the first stage, and follows the branch that is checked out; delete this file"
        " [first-stage]",
        "releases/prd.yaml: policysync.yaml has no stage `prd`; did you mean `prod`? [stage]",
    ]
    assert load_pin(WorkTree(tmp_path), "prod", lambda _: True) == Pin("prod", A)
    assert load_pin(WorkTree(tmp_path), "nonprod", lambda _: True) is None


def test_a_link_that_leads_out_is_refused(tmp_path: Path) -> None:
    root = tmp_path / "root"
    (root / "releases").mkdir(parents=True)
    (tmp_path / "outside.yaml").write_text(f"version: 1\nrevision: {A}\n")
    (root / "releases/prod.yaml").symlink_to(tmp_path / "outside.yaml")
    with pytest.raises(InvalidInput, match="leads out of the policy root"):
        load_pin(WorkTree(root), "prod", lambda _: True)


TEXTS = st.text(st.characters(codec="utf-8"), max_size=20)
HASHES = st.text("0123456789abcdef", min_size=40, max_size=40)
NAMES = st.text(st.characters(categories=("L", "N"), include_characters="/ -_.:#'\""), min_size=1, max_size=20)
GATES = st.builds(Judged, st.sampled_from(["soaked", "no-drift"]), st.booleans(), TEXTS)
EVIDENCE = st.builds(
    Evidence, TEXTS, st.lists(TEXTS, max_size=2).map(tuple), st.just("2026-11-22T05:00:00+00:00"), TEXTS,
    st.lists(GATES, max_size=2).map(tuple), TEXTS,
)  # fmt: skip


@settings(max_examples=30, deadline=None)
@given(HASHES, st.dictionaries(NAMES.map(lambda name: Address("Label", name)), HASHES, max_size=3), EVIDENCE)
def test_what_is_written_is_read_again(revision: str, resources: dict[Address, str], evidence: Evidence) -> None:
    pin = Pin("prod", revision, resources, evidence)
    again = read(pin_text(pin))
    assert again == pin
    assert again.evidence == evidence
    assert pin_text(again) == pin_text(pin)
