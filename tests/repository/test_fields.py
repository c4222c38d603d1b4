"""Every field the reference lists is there, explained, and says where the facts come from and how sure they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from policysync.kinds.field import Field
from policysync.kinds.load import file_stem, load_kinds

KINDS = load_kinds()
LISTS = Path(__file__).parent / "fields"
LISTED = sorted(path.stem for path in LISTS.glob("*.txt"))
GRADES = {"sure", "likely", "guess"}


def paths(field: Field, at: str = "") -> Iterator[str]:
    """Yield the fields below one, `a/b` for a member of an object and `a[]/b` for one of a list's elements."""
    for name, below in field.properties.items():
        yield at + name
        yield from paths(below, f"{at}{name}/")
        if below.each is not None:
            yield from paths(below.each, f"{at}{name}[]/")


def inherited(
    schema: Mapping[str, Any], source: str = "", grade: str = "sure", at: str = ""
) -> Iterator[tuple[str, str, str]]:
    """Yield place, source and grade of every field; what a field does not say holds from the nearest one above."""
    source = schema.get("x-source", source)
    stated = schema.get("x-confidence", {})
    grade = stated if isinstance(stated, str) else stated.get("field", grade)
    yield at, source, grade
    for name, below in schema.get("properties", {}).items():
        yield from inherited(below, source, grade, f"{at}/{name}")
    if isinstance(schema.get("items"), Mapping):
        yield from inherited(schema["items"], source, grade, f"{at}[]")


def test_every_kind_of_the_console_has_a_list() -> None:
    served = [name for name in KINDS if "aqua" in KINDS[name].backends and not KINDS[name].manual]
    assert sorted(map(file_stem, served)) == LISTED


@pytest.mark.parametrize("stem", LISTED)
def test_a_kind_has_the_fields_of_the_reference_and_no_others(stem: str) -> None:
    kind = next(KINDS[name] for name in KINDS if file_stem(name) == stem)
    assert sorted(paths(kind.root)) == sorted((LISTS / f"{stem}.txt").read_text(encoding="utf-8").split())


def test_fields_are_explained_in_a_sentence() -> None:
    thin = [
        f"{name}{'/' if at else ''}{at}"
        for name in KINDS
        for at, text in explanations(KINDS[name].root)
        if len(text) < 20 or not text.endswith(".")
    ]
    assert thin == []


def explanations(field: Field, at: str = "") -> Iterator[tuple[str, str]]:
    if field.name or not at:
        yield at, field.description
    for name, below in field.properties.items():
        yield from explanations(below, f"{at}/{name}")
        if below.each is not None:
            yield from ((f"{at}/{name}[]{rest}", text) for rest, text in explanations(below.each, "") if rest)
        yield from ((f"{at}/{name}/{position.title}", position.description) for position in below.positions)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_the_source_and_grade_of_every_field_can_be_told(name: str) -> None:
    for at, source, grade in inherited(KINDS[name].schema):
        assert source, at
        assert grade in GRADES, at


@pytest.mark.parametrize("name", sorted(KINDS))
def test_grades_of_single_facts_are_known_too(name: str) -> None:
    def stated(schema: Mapping[str, Any]) -> Iterator[Any]:
        confidence = schema.get("x-confidence", "sure")
        yield from confidence.values() if isinstance(confidence, Mapping) else (confidence,)
        for below in schema.get("properties", {}).values():
            yield from stated(below)

    assert set(stated(KINDS[name].schema)) <= GRADES
    assert {builtin.confidence for builtin in KINDS[name].builtins} <= GRADES
