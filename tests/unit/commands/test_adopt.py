from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from policysync.commands.adopting import Adopted, Found, Manner, Writer, in_git, together
from policysync.commands.file_names import FileNames, slug
from policysync.commands.sound import judged
from policysync.documents.catalog import load
from policysync.documents.project import Project, Stage, Target
from policysync.documents.source import WorkTree
from policysync.kinds.kind import Kind
from policysync.kinds.load import load_kinds
from policysync.state.resource import Address, Resource
from policysync.state.wire import from_wire

KINDS = load_kinds()
DEV = Stage("dev", (Target("a", "aqua"), Target("b", "aqua")), first=True)
WINDOWS = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}


def live(kind: str, **body: Any) -> Resource:
    return from_wire(KINDS[kind], body)


def label(name: str, description: str = "") -> Resource:
    return live("Label", name=name, description=description)


def document(writer: Writer, kind: Kind, found: Found) -> Adopted:
    made = writer.document(kind, found)
    assert made is not None
    return made


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "policies" / "base").mkdir(parents=True)
    return Project(tmp_path, (DEV, Stage("prod", (Target("c", "aqua"),))))


@settings(deadline=None)
@given(st.text(min_size=1))
def test_a_slug_suits_every_file_system(name: str) -> None:
    stem = slug(name)
    assert stem.isascii()
    assert stem == stem.lower()
    assert stem.replace("-", "").isalnum()
    assert 0 < len(stem) <= 82
    assert stem not in WINDOWS


@pytest.mark.parametrize(
    ("name", "stem"),
    [("Default", "default"), ("Aqua: PCI / DSS", "aqua-pci-dss"), ("Über", "uber"), ("CON", "con-1"), ("../../x", "x")],
)
def test_a_slug_reads_like_its_name(name: str, stem: str) -> None:
    assert slug(name) == stem


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "A", "ä", "a.", "日", "本", "a-2", "con"]) | st.text(max_size=3), max_size=12))
def test_no_two_names_share_a_file(names: list[str]) -> None:
    files = FileNames(Path("nowhere"))
    given_out = [files.file("label", name) for name in names]
    assert len({str(file).lower() for file in given_out}) == len(names)


def test_a_file_that_is_there_is_not_given_out(tmp_path: Path) -> None:
    (tmp_path / "label").mkdir()
    (tmp_path / "label" / "Mine.yml").touch()
    assert FileNames(tmp_path).file("label", "mine") == tmp_path / "label" / "mine-2.yaml"


def test_what_several_targets_have_alike_is_taken_once() -> None:
    found = together([("a", label("x")), ("a", label("y", "old")), ("b", label("x")), ("b", label("y", "new"))])
    assert found == [Found(label("x"), ("a", "b")), Found(label("y", "old"), ("a",), ("b",))]


def test_git_knows_what_is_absent_in_this_stage_or_named_by_several_members(project: Project) -> None:
    text = "apiVersion: policysync/v1\nkind: Acknowledge\nmetadata: {name: some cve}\nspec: {issue_name: CVE-1}\n"
    (project.root / "policies/base/some.yaml").write_text(text, encoding="utf-8")
    catalog = load(WorkTree(project.root), project, KINDS)
    known = in_git(catalog, KINDS, [label("x")])
    assert known == {live("Acknowledge", issue_name="CVE-1").address, Address("Label", "x")}


class TestDocument:
    @pytest.fixture
    def writer(self, project: Project) -> Writer:
        return Writer(project, DEV, None, {("Acknowledge", "vulnerability/CVE-1")}, Manner())

    def test_has_its_members_in_order(self, writer: Writer) -> None:
        made = document(writer, KINDS["Label"], Found(label("Team A", "who"), ("a", "b")))
        assert made.file == writer.root / "policies/base/label/team-a.yaml"
        assert made.path == "policies/base/label/team-a.yaml"
        assert made.text == (
            "apiVersion: policysync/v1\nkind: Label\nmetadata:\n  name: Team A\nspec:\n  description: who\n"
        )

    def test_is_narrowed_to_the_targets_that_have_it(self, writer: Writer) -> None:
        made = document(writer, KINDS["Label"], Found(label("x"), ("b",)))
        assert yaml.safe_load(made.text)["metadata"] == {"name": "x", "targets": ["b"]}

    def test_may_say_nothing(self, writer: Writer) -> None:
        made = document(writer, KINDS["Label"], Found(label("x"), ("a", "b")))
        assert yaml.safe_load(made.text)["spec"] == {}

    def test_keeps_what_looks_like_a_reference(self, writer: Writer) -> None:
        made = document(writer, KINDS["Label"], Found(label("x", "a ${var.y} b"), ("a", "b")))
        assert yaml.safe_load(made.text)["spec"] == {"description": "a $${var.y} b"}

    def test_does_not_take_the_name_of_another_one(self, writer: Writer) -> None:
        found = Found(live("Acknowledge", issue_type="vulnerability", issue_name="CVE-1"), ("a", "b"))
        made = document(writer, KINDS["Acknowledge"], found)
        assert yaml.safe_load(made.text)["metadata"]["name"] == "vulnerability/CVE-1 (2)"

    def test_may_lie_outside_the_repository(self, project: Project, tmp_path: Path) -> None:
        writer = Writer(project, DEV, tmp_path / "out", (), Manner())
        made = document(writer, KINDS["Label"], Found(label("x"), ("a", "b")))
        assert made.file == tmp_path / "out/label/x.yaml"
        assert made.path.startswith("policies/base/label/")


def test_what_would_break_a_plan_is_refused_with_all_that_needs_it(project: Project) -> None:
    writer = Writer(project, DEV, None, (), Manner())
    permission = live("PermissionSet", name="no/slash", actions=["images.read"])
    role = live("Role", name="r", permission="no/slash", scopes=["Global"])
    found = [Found(resource, ("a", "b")) for resource in (label("x"), permission, role)]
    documents = [document(writer, KINDS[f.live.address.kind], f) for f in found]
    sound = judged(documents, WorkTree(project.root), project, DEV, KINDS)
    assert [document.live for document in sound.documents] == [label("x")]
    assert set(sound.refused) == {permission.address, role.address}
    assert "no PermissionSet/no/slash" in sound.refused[role.address]


def test_what_git_cannot_say_is_named(project: Project) -> None:
    hidden = live("Registry", name="r", type="V2", webhook={"enabled": True, "auth_token": "canary"})
    made = document(Writer(project, DEV, None, (), Manner()), KINDS["Registry"], Found(hidden, ("a", "b")))
    assert judged([made], WorkTree(project.root), project, DEV, KINDS).unclean == {}
    odd = made.text.replace("V2", "V1")
    changed = replace(made, text=odd)
    sound = judged([changed], WorkTree(project.root), project, DEV, KINDS)
    assert sound.unclean == {hidden.address: ("type",)}
