from __future__ import annotations

from pathlib import Path

import pytest
from unit.documents.world import PROJECT, policy, told

A, B = "policies/base/a.yaml", "policies/base/b.yaml"


def named(kind: str, name: str, spec: str = "{}") -> str:
    return f"apiVersion: policysync/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n"


@pytest.mark.parametrize("scopes", ["[]", "[Global]", "[pay]", "['']", "[pay, Global]"])
def test_references_that_lead_somewhere(tmp_path: Path, scopes: str) -> None:
    assert told(tmp_path, {A: policy(f"enabled: true\nscopes: {scopes}"), B: named("Scope", "pay")}) == []


def test_dangling_references(tmp_path: Path) -> None:
    files = {A: policy("enabled: true\nscopes: [payy, globl, zzz]"), B: named("Scope", "pay")}
    assert told(tmp_path, files, PROJECT.partition("  - name: prod")[0]) == [
        f"{A}:6:12: /spec/scopes/0: there is no Scope/payy; did you mean `pay`? [dangling-reference]",
        f"{A}:6:18: /spec/scopes/1: there is no Scope/globl; did you mean `Global`? [dangling-reference]",
        f"{A}:6:25: /spec/scopes/2: there is no Scope/zzz; add it, or list it under "
        "`references: {external: […]}` in policysync.yaml [dangling-reference]",
    ]


def test_a_reference_to_what_is_absent_in_one_stage(tmp_path: Path) -> None:
    files = {
        A: policy("enabled: true\nscopes: [pay]"),
        B: named("Scope", "pay"),
        "policies/stages/prod/b.yaml": "apiVersion: policysync/v1\nkind: Scope\nmetadata: {name: pay, absent: true}\n",
    }
    (problem,) = told(tmp_path, files)
    assert problem.startswith(f"{A}:6:12: /spec/scopes/0: there is no Scope/pay; add it")


def test_what_lives_only_in_the_console(tmp_path: Path) -> None:
    files = {A: named("Mirror", "m", "{of: quay}"), B: named("Mirror", "n", "{of: hub-1}")}
    project = PROJECT + "references: {external: [Registry/quay, 'Registry/hub-*']}\n"
    assert told(tmp_path, files, project) == []
    assert len(told(tmp_path, files)) == 2


def test_any_of_several_kinds_answers(tmp_path: Path) -> None:
    assert told(tmp_path, {A: named("Mirror", "m", "{of: n}"), B: named("Mirror", "n", "{of: r}")}) != []
    files = {A: named("Mirror", "m", "{of: n}"), B: named("Mirror", "n", "{of: r}") + "---\n" + named("Registry", "r")}
    assert told(tmp_path, files) == []
