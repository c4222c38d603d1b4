"""Scope expressions over images."""

from __future__ import annotations

import pytest

from policysync.emulator.estate.scopes import in_scope, takes_in

IMAGE = {
    "name": "web/shop:1",
    "repository": "web/shop",
    "registry": "Harbor",
    "metadata": {"docker_labels": ["team=web", "plain"]},
}
TRUE, FALSE = {"attribute": "image.repo", "value": "web/*"}, {"attribute": "image.name", "value": "db*"}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("v1", True),
        ("v2", False),
        ("v1 && v2", False),
        ("v1 || v2", True),
        ("v2 || v1 && v1", True),
        ("(v2 || v1) && v2", False),
        ("!v2", True),
        ("!(v1 && v2) && v1", True),
        ("v3", False),
        ("v1 &&", False),
        ("v1 v2", False),
    ],
)
def test_expressions(expression: str, expected: bool) -> None:
    assert takes_in({"expression": expression, "variables": [TRUE, FALSE]}, IMAGE) is expected


@pytest.mark.parametrize("nothing", [None, {}, {"expression": ""}])
def test_no_expression_takes_in_everything(nothing: dict[str, str] | None) -> None:
    assert takes_in(nothing, IMAGE)


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        ({"attribute": "image.label", "name": "team", "value": "w*"}, True),
        ({"attribute": "image.label", "name": "team", "value": "db"}, False),
        ({"attribute": "aqua.registry", "value": "Harbor"}, True),
        ({"attribute": "kubernetes.cluster", "value": "any"}, True),
    ],
)
def test_attributes(variable: dict[str, str], expected: bool) -> None:
    assert takes_in({"expression": "v1", "variables": [variable]}, IMAGE) is expected


def test_a_scope_takes_in_images_by_its_category_of_images() -> None:
    images = {"expression": "v1", "variables": [TRUE]}
    assert in_scope({"name": "Global"}, IMAGE)
    assert in_scope({"name": "web", "categories": {"artifacts": {"image": images}}}, IMAGE)
    assert not in_scope({"name": "empty", "categories": {"artifacts": {"image": {"expression": ""}}}}, IMAGE)
    assert not in_scope({"name": "none"}, IMAGE)
