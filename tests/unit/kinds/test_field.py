"""A schema node becomes a field: what each keyword and annotation turns into."""

from __future__ import annotations

from typing import Any

import pytest

from policysync.kinds.field import Field, field_of, paired
from policysync.pointer import MISSING


def of(**schema: Any) -> Field:
    return field_of(schema, "Kind")


def test_a_field_that_says_nothing_takes_anything_and_assumes_nothing() -> None:
    field = field_of({}, "Kind", "member")
    assert field.name == "member"
    assert field.types == frozenset()
    assert field.default is MISSING
    assert field.initial is MISSING
    assert field.stricter is None
    assert field.confidence == "sure"
    assert field.compared
    assert field.relevant


def test_one_type_and_several() -> None:
    assert of(type="string").types == {"string"}
    assert of(type=["string", "boolean"]).types == {"string", "boolean"}


@pytest.mark.parametrize("default", [False, 0, "", [], None])
def test_a_default_that_is_empty_is_still_a_default(default: Any) -> None:
    assert of(default=default).default == default
    assert of(default=default).default is not MISSING


def test_a_constant_is_its_own_default() -> None:
    assert of(const="image").default == "image"
    assert of(const="image", default="host").default == "host"


def test_members_know_their_names() -> None:
    field = of(
        type="object", properties={"scope": {"type": "object", "properties": {"expression": {"type": "string"}}}}
    )
    assert field.properties["scope"].name == "scope"
    assert field.properties["scope"].properties["expression"].name == "expression"


def test_elements_positions_and_free_members() -> None:
    each = of(type="array", items={"type": "integer"}).each
    assert each is not None
    assert each.types == {"integer"}
    pair = of(type="array", prefixItems=[{"x-stricter": "lower"}, {"x-stricter": "higher"}])
    assert [position.stricter for position in pair.positions] == ["lower", "higher"]
    assert of(type="object", additionalProperties={"type": "string"}).values is not None
    assert of(type="object", additionalProperties=False).values is None


@pytest.mark.parametrize(
    ("annotation", "attribute"),
    [
        ("x-set", "unordered"),
        ("x-read-only", "read_only"),
        ("x-volatile", "read_only"),
        ("x-server-filled", "server_filled"),
        ("x-write-only", "write_only"),
        ("x-sensitive", "sensitive"),
        ("x-immutable", "immutable"),
        ("x-cosmetic", "cosmetic"),
        ("x-optional", "optional"),
        ("x-env-specific", "env_specific"),
    ],
)
def test_an_annotation_that_is_true_or_absent(annotation: str, attribute: str) -> None:
    assert getattr(field_of({annotation: True}, "Kind"), attribute) is True
    assert getattr(field_of({}, "Kind"), attribute) is False


def test_what_the_server_sets_or_the_console_owns_is_not_compared() -> None:
    assert not field_of({"x-volatile": True}, "Kind").compared
    assert not field_of({"x-env-specific": "name"}, "Kind").compared
    assert field_of({"x-env-specific": "name"}, "Kind").env_specific == "name"
    assert field_of({"x-write-only": True}, "Kind").compared


def test_names_may_be_one_or_several() -> None:
    assert field_of({"x-key": "name"}, "Kind").key == ("name",)
    assert field_of({"x-key": ["key", "value"]}, "Kind").key == ("key", "value")
    assert field_of({"x-ref": "Role"}, "Kind").ref == ("Role",)
    assert field_of({"x-ref": ["Role", "Label"]}, "Kind").ref == ("Role", "Label")


@pytest.mark.parametrize("stricter", [True, False, "higher", "subset"])
def test_a_direction_is_kept_as_it_is(stricter: Any) -> None:
    assert field_of({"x-stricter": stricter}, "Kind").stricter == stricter


def test_values_from_weak_to_strong_cannot_be_changed_afterwards() -> None:
    assert field_of({"x-stricter": ["low", "high"]}, "Kind").stricter == ("low", "high")


def test_empty_means_everything_or_equals_the_default() -> None:
    everything = field_of({"x-empty": "all"}, "Kind")
    assert everything.empty_means_all
    assert everything.empty == ()
    some = field_of({"x-empty": [[""], 0]}, "Kind")
    assert not some.empty_means_all
    assert some.empty == ([""], 0)


def test_relevance_depends_on_the_kind_that_uses_a_shared_part() -> None:
    schema = {"properties": {"malware_action": {"x-applies-to": ["HostAssurancePolicy"]}, "name": {}}}
    host = field_of(schema, "HostAssurancePolicy")
    image = field_of(schema, "ImageAssurancePolicy")
    assert host.properties["malware_action"].relevant
    assert not image.properties["malware_action"].relevant
    assert image.properties["name"].relevant
    assert not field_of({"x-applies-to": []}, "Kind").relevant


def test_the_grade_of_a_field_among_the_grades_of_its_facts() -> None:
    assert field_of({"x-confidence": "guess"}, "Kind").confidence == "guess"
    assert field_of({"x-confidence": {"field": "likely", "default": "guess"}}, "Kind").confidence == "likely"
    assert field_of({"x-confidence": {"default": "guess"}}, "Kind").confidence == "sure"


def test_words_are_taken_as_they_stand() -> None:
    field = field_of(
        {
            "title": "Score",
            "description": "A number.",
            "x-source": "reference",
            "x-removed": "refused by consoles",
            "x-wire": "/data/score",
            "x-gated-by": "enabled",
            "x-normalize": "case",
            "x-known": ["a", "b"],
            "x-exclude": {"own": True},
            "x-initial": 1,
        },
        "Kind",
    )
    assert (field.title, field.description, field.source) == ("Score", "A number.", "reference")
    assert (field.removed, field.wire, field.gated_by) == ("refused by consoles", "/data/score", "enabled")
    assert (field.normalizer, field.known, field.exclude) == ("case", ("a", "b"), {"own": True})
    assert field.initial == 1


def test_a_reference_by_a_pair_names_the_sibling_that_is_part_of_it() -> None:
    field = field_of({"x-ref": {"kind": "Channel", "with": "type"}}, "Kind")
    assert (field.ref, field.ref_with) == (("Channel",), "type")
    assert paired(field, {"type": "mail"}, "on/call") == "mail/on~1call"
    assert paired(field, {}, "x") == "/x"


def test_what_is_computed_is_never_compared() -> None:
    field = field_of({"x-computed": {"added": "names"}}, "Kind")
    assert (field.computed, field.compared) == (("added", "names"), False)
    assert field_of({}, "Kind").computed == ()


def test_words_about_siblings_and_calls() -> None:
    field = field_of(
        {"x-applies-when": {"type": ["a", "b"]}, "x-echo": True, "x-without": "own", "x-required-on": "create"}, "Kind"
    )
    assert field.applies_when == {"type": ("a", "b")}
    assert (field.echo, field.without, field.required_on) == (True, "own", "create")
