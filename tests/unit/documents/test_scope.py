from __future__ import annotations

from pathlib import Path

import pytest
from unit.documents.world import policy, told

from policysync.documents.scope import scope_findings

ONE = {"attribute": "image.repo", "value": "x"}


def found(expression: str, variables: int) -> list[str]:
    value = {"expression": expression, "variables": [ONE] * variables}
    return [f"{'/'.join(finding.path)}: {finding.message}" for finding in scope_findings(value, ())]


@pytest.mark.parametrize(
    ("expression", "variables"),
    [
        ("", 0),
        ("v1", 1),
        ("(v1) && (v2)", 2),
        ("v1 && (v2 || !v3)", 3),
        ("v1&&v2||v1", 2),
        ("!!v1 || !(v2 && v1)", 2),
        ("((((v1))))", 1),
        (" && ".join(f"v{n}" for n in range(1, 40)), 39),
    ],
)
def test_formulas(expression: str, variables: int) -> None:
    assert found(expression, variables) == []


NOT_READ = "expression: does not read as a formula; want one like (v1 || v2) && !v3"


@pytest.mark.parametrize(
    ("expression", "variables", "messages"),
    [
        ("v1 && v3", 2, ["expression: `v3` is used, and there are 2 variables; counting starts at v1",
                         "variables/1: variable v2 is not used in the expression; use it or take it out"]),
        ("v0", 1, ["expression: `v0` is used, and there is 1 variable; counting starts at v1",
                   "variables/0: variable v1 is not used in the expression; use it or take it out"]),
        ("", 1, ["variables/0: variable v1 is not used in the expression; use it or take it out"]),
        ("(v1", 1, ["expression: 1 `(` without `)`; close what is open"]),
        ("v1)", 1, ["expression: a `)` closes nothing; take it out"]),
        (")v1(", 1, ["expression: a `)` closes nothing; take it out"]),
        ("v1 and v2", 2, ["expression: `a` is not part of an expression; want v1, v2 …, &&, ||, ! and parentheses"]),
        ("v1 & v2", 2, ["expression: `&` is not part of an expression; want v1, v2 …, &&, ||, ! and parentheses"]),
        ("v1 v2", 2, [NOT_READ]),
        ("v1 &&", 1, [NOT_READ]),
        ("|| v1", 1, [NOT_READ]),
        ("v1 () ", 1, [NOT_READ]),
        ("v1 !v2", 2, [NOT_READ]),
        ("!", 0, [NOT_READ]),
    ],
)  # fmt: skip
def test_what_is_wrong(expression: str, variables: int, messages: list[str]) -> None:
    assert found(expression, variables) == messages


def test_a_huge_expression_ends() -> None:
    assert found("(" * 50_000 + "v1" + ")" * 50_000, 1) == [NOT_READ]


def test_scopes_are_judged_after_merging(tmp_path: Path) -> None:
    base = policy("enabled: true\nscope:\n  expression: v1\n  variables:\n    - {attribute: image.repo, value: x}")
    over = policy("scope: {expression: v1 && v2}")
    files = {"policies/base/a.yaml": base, "policies/stages/prod/a.yaml": over}
    assert told(tmp_path, files) == [
        "policies/stages/prod/a.yaml:5:23: /spec/scope/expression: `v2` is used, and there is 1 variable; "
        "counting starts at v1 [scope-expression]"
    ]
