from __future__ import annotations

from pathlib import Path

import pytest
from unit.documents.world import PROJECT, kinds, policy, problems, repository, told

from policysync.documents.validate import validate
from policysync.documents.worktree import WorkTree

A = "policies/base/a.yaml"


def of_spec(root: Path, spec: str) -> list[str]:
    return [message.removeprefix(f"{A}:") for message in told(root, {A: policy(spec)})]


@pytest.mark.parametrize(
    ("spec", "messages"),
    [
        ("enabled: true\nscore: 3\nratio: 1.5\nseverity: low\ntype: image\nsince: 2026-01-31T12:00:00Z", []),
        ("enabled: yes", ["5:12: /spec/enabled: `yes` is text in YAML 1.2; write true [type]"]),
        ("enabled: off", ["5:12: /spec/enabled: `off` is text in YAML 1.2; write false [type]"]),
        ("enabled: maybe", ['5:12: /spec/enabled: "maybe" is text, want true or false [type]']),
        ("enabled: 'true'", ['5:12: /spec/enabled: "true" is text, want true or false; drop the quotes [type]']),
        ("enabled: 1", ["5:12: /spec/enabled: 1 is a number, want true or false [type]"]),
        ("enabled: [a]", ["5:12: /spec/enabled: a list stands here, want true or false [type]"]),
        ("enabled: true\nblockfailed: true", None),
        (
            "enabled: true\nblock_faild: true",
            ["6:3: /spec/block_faild: unknown field `block_faild`; did you mean `block_failed`? [unknown-field]"],
        ),
        (
            "enabled: true\nscore: 017",
            ["6:10: /spec/score: `017` is text in YAML 1.2, because of its leading zero; write 17 [type]"],
        ),
        ("enabled: true\nscore: 1_0", ["6:10: /spec/score: `1_0` is text in YAML 1.2; write 10 [type]"]),
        ("enabled: true\nscore: 1:30", ["6:10: /spec/score: `1:30` is text in YAML 1.2; write 90 [type]"]),
        (
            "enabled: true\nscore: 12e400",
            ["6:10: /spec/score: `12e400` is text, because no number can be that large; write a smaller one [type]"],
        ),
        (
            "enabled: true\nscore: 99999999999999999999",
            [
                "6:10: /spec/score: `99999999999999999999` is text, because no number can be that large; "
                "write a smaller one [type]"
            ],
        ),
        ("enabled: true\nscore: '7'", ['6:10: /spec/score: "7" is text, want a number; drop the quotes [type]']),
        ("enabled: true\nscore: seven", ['6:10: /spec/score: "seven" is text, want a whole number [type]']),
        ("enabled: true\nscore: 7.5", ["6:10: /spec/score: 7.5 is a number, want a whole number [type]"]),
        ("enabled: true\nscore: 11", ["6:10: /spec/score: 11 is too large; want at most 10 [range]"]),
        ("enabled: true\nscore: -1", ["6:10: /spec/score: -1 is too small; want at least 0 [range]"]),
        ("enabled: true\nratio: 0", ["6:10: /spec/ratio: 0 is too small; want more than 0 [range]"]),
        ("enabled: true\nratio: 0.7", ["6:10: /spec/ratio: 0.7 is not a multiple of 0.5 [range]"]),
        ("enabled: true\ntitle: 7", ["6:10: /spec/title: 7 is a number, want text; put it in quotes [type]"]),
        ("enabled: true\ntitle: true", ["6:10: /spec/title: true is a boolean, want text; put it in quotes [type]"]),
        (
            "enabled: true\ntitle: elevenchars",
            ["6:10: /spec/title: 11 characters are too many; want at most 10 [length]"],
        ),
        ("enabled: true\ntitle: x", ["6:10: /spec/title: 1 characters are too few; want at least 2 [length]"]),
        ("enabled: true\ntags: [a, b, c, d]", ["6:9: /spec/tags: 4 entries are too many; want at most 3 [length]"]),
        ("enabled: true\ntags: a", ['6:9: /spec/tags: "a" is text, want a list [type]']),
        ("enabled: true\ntags: [a, 1]", ["6:13: /spec/tags/1: 1 is a number, want text; put it in quotes [type]"]),
        (
            "enabled: true\nseverity: hihg",
            [
                '6:13: /spec/severity: "hihg" is not allowed here; want one of low, high, critical; '
                "did you mean `high`? [enum]"
            ],
        ),
        ("enabled: true\ntype: host", ['6:9: /spec/type: "host" is not allowed here; want "image" [const]']),
        ("enabled: true\nsince: monday", None),
        (
            "enabled: true\neither: [a]",
            [
                "6:11: /spec/either: a list has none of the forms that are allowed here; "
                "`policysync schema` shows them [form]"
            ],
        ),
        ("enabled: true\nodd: true", ["6:8: /spec/odd: true cannot stand here; leave it out [forbidden]"]),
        ("enabled: true\nunique: [a, b, a]", ['6:11: /spec/unique: "a" stands in this list twice; keep one [unique]']),
        (
            "enabled: true\nnested: {a: 1, z: 2}",
            ["6:18: /spec/nested/z: unknown field `z`; want one of a, b [unknown-field]"],
        ),
        ("score: 1", ["5:3: /spec: `enabled` is missing; want true or false [required]"]),
        ("enabled: null", ["5:12: /spec/enabled: `enabled` is missing; want true or false [required]"]),
        ("enabled: true\nscore: null\ntags:", []),
        ("enabled: true\nrules: [{on: true}]", ["6:11: /spec/rules/0: `id` is missing; want text [required]"]),
        (
            "enabled: true\nrules:\n  - {id: a}\n  - {id: b}\n  - {id: a, on: true}",
            ['9:7: /spec/rules/2: id "a" stands in this list twice, first as element 0; keep one [duplicate-item]'],
        ),
        (
            "enabled: true\nlevel: alrt",
            ['6:10: warning: /spec/level: "alrt" was not seen here before; did you mean `alert`? [unknown-value]'],
        ),
        (
            "enabled: true\nlevel: zzz",
            ['6:10: warning: /spec/level: "zzz" was not seen here before; known are alert, block [unknown-value]'],
        ),
        (
            "enabled: true\nauthor: me",
            [
                "6:11: warning: /spec/author: `author` is set by the server, so it is ignored; take "
                "it out [read-only-field]"
            ],
        ),
        (
            "enabled: true\nscript_id: s1",
            [
                "6:14: warning: /spec/script_id: `script_id` is an id that differs from console to console, "
                "so it is ignored; take it out [read-only-field]"
            ],
        ),
        (
            "enabled: true\nold: true",
            [
                "6:8: warning: /spec/old: `old` is gone from current consoles (ignored since "
                "2022.4); take it out [removed-field]"
            ],
        ),
        (
            "enabled: true\nother: true",
            ["6:10: warning: /spec/other: `other` has no effect in any Policy; take it out [no-effect]"],
        ),
        ("enabled: true\nother: false", []),
        (
            "enabled: 7\nscore: 99",
            [
                "5:12: /spec/enabled: 7 is a number, want true or false [type]",
                "6:10: /spec/score: 99 is too large; want at most 10 [range]",
            ],
        ),
    ],
)
def test_specs(tmp_path: Path, spec: str, messages: list[str] | None) -> None:
    found = of_spec(tmp_path, spec)
    assert found == messages or (messages is None and len(found) == 1)


def test_both_engines_say_the_same(tmp_path: Path) -> None:
    specs = {
        f"policies/base/{n}.yaml": policy(spec, name=f"n{n}")
        for n, spec in enumerate(
            ("enabled: yes\nscore: 99", "score: 1", "enabled: true\nnope: 1", "enabled: true\nseverity: x\ntags: [1]")
        )
    }
    project = repository(tmp_path, specs)
    found = [
        validate(WorkTree(tmp_path), project, project.stages, kinds(tmp_path), engine=engine).problems
        for engine in ("rust", "python")
    ]
    assert found[0] == found[1]
    assert len(found[0]) == 6


def test_a_problem_of_all_stages_is_told_once(tmp_path: Path) -> None:
    assert len(told(tmp_path, {A: policy("enabled: 7")})) == 1


def test_a_problem_of_some_stages_names_them(tmp_path: Path) -> None:
    text = policy("enabled: true\nscore: ${var.score}")
    assert told(tmp_path, {A: text}, PROJECT.replace("score: 9", "score: 99")) == [
        f"{A}:6:10: /spec/score: 99 is too large; want at most 10 (stage prod) [range]"
    ]


def test_a_problem_stands_where_the_overlay_states_the_value(tmp_path: Path) -> None:
    base = policy("enabled: true\nscore: 1\nrules:\n  - {id: a, on: true}\n  - {id: b, on: true}")
    over = policy("score: 11\nrules:\n  - {id: c, on: 7}\n  - {id: b, path: 8}")
    prod = "policies/stages/prod/a.yaml"
    assert told(tmp_path, {A: base, prod: over}) == [
        f"{prod}:5:10: /spec/score: 11 is too large; want at most 10 [range]",
        f"{prod}:7:19: /spec/rules/0/on: 7 is a number, want true or false [type]",
        f"{prod}:8:21: /spec/rules/1/path: 8 is a number, want text; put it in quotes [type]",
    ]


def test_an_overlay_that_unsets_what_is_required(tmp_path: Path) -> None:
    prod = "policies/stages/prod/a.yaml"
    assert told(tmp_path, {A: policy("enabled: true"), prod: policy("enabled: null")}) == [
        f"{prod}:5:12: /spec/enabled: `enabled` is missing; want true or false [required]"
    ]


def test_duplicates_name_both_places(tmp_path: Path) -> None:
    other = policy("enabled: true", name="api") + "---\n" + policy("enabled: false")
    assert told(tmp_path, {A: policy("enabled: true"), "policies/base/b.yaml": other}) == [
        f"policies/base/b.yaml:7:1: Policy/web is described twice, first at {A}:1:1; keep one [duplicate-resource]"
    ]


def test_kinds_that_share_names(tmp_path: Path) -> None:
    text = "apiVersion: policysync/v1\nkind: {}\nmetadata: {{name: hub}}\nspec: {{}}\n"
    files = {A: text.format("Registry"), "policies/base/b.yaml": text.format("Mirror")}
    assert told(tmp_path, files) == [
        f"policies/base/b.yaml:1:1: Mirror/hub and Registry/hub ({A}:1:1) share one space of names; "
        "rename one [duplicate-resource]"
    ]


def test_a_natural_key_of_several_members(tmp_path: Path) -> None:
    text = "apiVersion: policysync/v1\nkind: Ack\nmetadata: {{name: {}}}\nspec: {{issue: CVE-1, image: {}}}\n"
    files = {A: text.format("one", "x"), "policies/base/b.yaml": text.format("two", "x")}
    assert told(tmp_path, files) == [
        f"policies/base/b.yaml:1:1: Ack/CVE-1/x is described twice, first at {A}:1:1; keep one [duplicate-resource]"
    ]


def test_overlays_for_nothing(tmp_path: Path) -> None:
    files = {
        A: policy("enabled: true"),
        "policies/stages/prod/a.yaml": policy("enabled: true", name="wbe"),
        "policies/stages/prod/b.yaml": policy("enabled: true").replace("kind: Policy", "kind: Scope"),
        "policies/stages/prod/c.yaml": policy("enabled: true") + "---\n" + policy("enabled: true"),
    }
    assert told(tmp_path, files) == [
        "policies/stages/prod/a.yaml:1:1: overlay for nothing: policies/base has no Policy/wbe; did you mean `web`? "
        "[overlay-for-nothing]",
        f"policies/stages/prod/b.yaml:1:1: policies/base calls it Policy/web ({A}:1:1); an overlay "
        f"cannot change the kind "
        "[overlay-for-nothing]",
        "policies/stages/prod/c.yaml:7:1: Policy/web is described twice, first at policies/stages/prod/c.yaml:1:1; "
        "keep one [duplicate-resource]",
    ]


def test_an_absent_resource_has_no_spec(tmp_path: Path) -> None:
    over = policy("enabled: true", metadata="absent: true")
    assert told(tmp_path, {A: policy("enabled: true"), "policies/stages/prod/a.yaml": over}) == [
        "policies/stages/prod/a.yaml:5:3: /spec: an absent resource has no spec; drop one of the two [absent]"
    ]


def test_counts(tmp_path: Path) -> None:
    project = repository(tmp_path, {A: policy("enabled: true"), "policies/stages/prod/a.yaml": policy("score: 3")})
    result = validate(WorkTree(tmp_path), project, project.stages, kinds(tmp_path))
    assert (result.documents, result.resources, result.stages, result.errors) == (2, 1, 2, 0)


def test_refused_files_do_not_hide_the_others(tmp_path: Path) -> None:
    found = problems(
        tmp_path, {A: "a: 1\na: 2\n", "policies/base/b.json": "{", "policies/base/c.yaml": policy("score: 1")}
    )
    assert [(problem.where.file, problem.code) for problem in found] == [
        (A, "duplicate-key"),
        ("policies/base/b.json", "syntax"),
        ("policies/base/c.yaml", "required"),
    ]


def test_only_some_files_and_what_refers_to_them(tmp_path: Path) -> None:
    scope = "apiVersion: policysync/v1\nkind: Scope\nmetadata: {name: pay}\nspec: {nope: 1}\n"
    files = {
        A: policy("enabled: 7", name="unrelated"),
        "policies/base/scope.yaml": scope,
        "policies/base/user.yaml": policy("enabled: 8\nscopes: [pay]", name="user"),
        "policies/base/broken.yaml": "a: [\n",
        "policies/stages/prod/scope.yaml": scope.replace("nope", "also"),
        "policies/base/vars.yaml": policy("enabled: 9\ntitle: ${var.cluster}", name="vars"),
    }
    project = repository(tmp_path, files)

    def of(*paths: str) -> list[str]:
        found = validate(WorkTree(tmp_path), project, project.stages, kinds(tmp_path), files=paths).problems
        return [problem.where.file.removeprefix("policies/") for problem in found]

    assert of("policies/base/scope.yaml") == ["base/scope.yaml", "base/user.yaml", "stages/prod/scope.yaml"]
    assert of("policies/stages") == ["base/scope.yaml", "base/user.yaml", "stages/prod/scope.yaml"]
    assert of("policies/base/broken.yaml") == ["base/broken.yaml"]
    assert of(A) == ["base/a.yaml"]
    assert of("policies/base/nothing.yaml") == []
