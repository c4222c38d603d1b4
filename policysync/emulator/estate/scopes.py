"""Does a scope take in an image?

Source: reference, policies 3.4 and 8. Attributes that say nothing about an image itself take in all images.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

_TOKEN = re.compile(r"\s*(v\d+|&&|\|\||!|\(|\))")
GLOBAL = "Global"
_LONGEST = 500
"""Parts of an expression; one that is longer takes in nothing."""


def takes_in(expression: Mapping[str, Any] | None, image: Mapping[str, Any]) -> bool:
    """Return whether an expression is true of an image; an empty one is true of all."""
    if not expression or not expression.get("expression"):
        return True
    values = [_matches(variable, image) for variable in expression.get("variables") or ()]
    tokens = _TOKEN.findall(expression["expression"])
    if len(tokens) > _LONGEST:
        return False
    value, rest = _either(tokens, values)
    return value and not rest


def in_scope(scope: Mapping[str, Any], image: Mapping[str, Any]) -> bool:
    """Return whether an application scope takes in an image: by its category of images, where it has one."""
    if scope.get("name") == GLOBAL:
        return True
    artifacts = (scope.get("categories") or {}).get("artifacts") or {}
    expression = artifacts.get("image") or {}
    return bool(expression.get("expression")) and takes_in(expression, image)


def _matches(variable: Mapping[str, Any], image: Mapping[str, Any]) -> bool:
    attribute, wanted = variable.get("attribute"), str(variable.get("value", ""))
    said = {"image.name": image["name"], "image.repo": image["repository"], "aqua.registry": image["registry"]}
    if attribute in said:
        return fnmatchcase(said[str(attribute)], wanted)
    if attribute == "image.label":
        return any(
            fnmatchcase(label, f"{variable.get('name')}={wanted}") for label in image["metadata"]["docker_labels"]
        )
    return True


def _either(tokens: list[str], values: list[bool]) -> tuple[bool, list[str]]:
    value, tokens = _both(tokens, values)
    while tokens[:1] == ["||"]:
        other, tokens = _both(tokens[1:], values)
        value = value or other
    return value, tokens


def _both(tokens: list[str], values: list[bool]) -> tuple[bool, list[str]]:
    value, tokens = _one(tokens, values)
    while tokens[:1] == ["&&"]:
        other, tokens = _one(tokens[1:], values)
        value = value and other
    return value, tokens


def _one(tokens: list[str], values: list[bool]) -> tuple[bool, list[str]]:
    if not tokens:
        return False, []
    head, *rest = tokens
    if head == "!":
        value, rest = _one(rest, values)
        return not value, rest
    if head == "(":
        value, rest = _either(rest, values)
        return value, rest[1:]
    place = int(head[1:]) - 1 if head.startswith("v") else -1
    return 0 <= place < len(values) and values[place], rest
