"""Scope expressions: a formula over v1..vN, where vN is the N-th variable.

Source: reference, policies 3.4. The SaaS edition writes every operand in parentheses: `(v1) && (v2)`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from policysync.documents.finding import Finding, Path
from policysync.kinds.field import Field

_TOKEN = re.compile(r"\s*(v[0-9]+|&&|\|\||!|\(|\)|\S)")
_VARIABLE = re.compile(r"v[0-9]+\Z")
_SIGNS = {"&&": 0, "||": 0, "!": 0, "(": 1, ")": -1}
_PART = re.compile(r"!+v|\(v\)|v(?:[&|]v)+")
_DEEPEST = 200
_CODE = "scope-expression"


def is_scope(field: Field) -> bool:
    """Whether a field has the shape of a scope expression."""
    return {"expression", "variables"} <= field.properties.keys()


def scope_findings(value: Mapping[str, Any], path: Path) -> Iterator[Finding]:
    """Yield what is wrong with one scope expression."""
    text, variables = value.get("expression") or "", value.get("variables") or []
    if not isinstance(text, str) or not isinstance(variables, list):
        return
    tokens = _TOKEN.findall(text)
    used = {int(token[1:]) for token in tokens if _VARIABLE.match(token)}
    trouble = _grammar(tokens)
    if trouble:
        yield Finding((*path, "expression"), trouble, _CODE)
    for number in sorted(used):
        if not 1 <= number <= len(variables):
            have = f"there are {len(variables)} variables" if len(variables) != 1 else "there is 1 variable"
            yield Finding((*path, "expression"), f"`v{number}` is used, and {have}; counting starts at v1", _CODE)
    for index in range(len(variables)):
        if index + 1 not in used:
            message = f"variable v{index + 1} is not used in the expression; use it or take it out"
            yield Finding((*path, "variables", str(index)), message, _CODE)


def _grammar(tokens: list[str]) -> str:
    """Return why the words are no formula; nothing when they are one, or there are none."""
    strange = next((token for token in tokens if token not in _SIGNS and not _VARIABLE.match(token)), None)
    if strange is not None:
        return f"`{strange}` is not part of an expression; want v1, v2 …, &&, ||, ! and parentheses"
    depth = 0
    for token in tokens:
        depth += _SIGNS.get(token, 0)
        if depth < 0:
            return "a `)` closes nothing; take it out"
    if depth:
        return f"{depth} `(` without `)`; close what is open"
    return "" if not tokens or _is_formula(tokens) else "does not read as a formula; want one like (v1 || v2) && !v3"


def _is_formula(tokens: list[str]) -> bool:
    words = "".join("v" if _VARIABLE.match(token) else token[0] for token in tokens)
    for _ in range(_DEEPEST):
        shorter = _PART.sub("v", words)
        if shorter == words:
            break
        words = shorter
    return words == "v"
