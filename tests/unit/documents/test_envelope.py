from __future__ import annotations

from pathlib import Path

import pytest
from unit.documents.world import kinds, policy, repository, told

from policysync.documents.desired import desired_state
from policysync.documents.worktree import WorkTree

A = "policies/base/a.yaml"
GOOD = policy("enabled: true")


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        (GOOD, []),
        ("[1]\n", ["1:1: a list stands here, want a document with apiVersion, kind, metadata, spec [type]"]),
        ("hello\n", ['1:1: "hello" stands here, want a document with apiVersion, kind, metadata, spec [type]']),
        (
            GOOD.replace("policysync/v1", "v2"),
            ['1:13: /apiVersion: "v2" stands here, want policysync/v1 [api-version]'],
        ),
        (
            GOOD.replace("apiVersion: policysync/v1\n", ""),
            ["1:1: `apiVersion` is missing; want policysync/v1 [required]"],
        ),
        (
            GOOD.replace("kind: Policy", "kind: Polcy"),
            ["2:7: /kind: unknown kind `Polcy`; did you mean `Policy`? [unknown-kind]"],
        ),
        (
            GOOD.replace("kind: Policy", "kind: Zzz"),
            ["2:7: /kind: unknown kind `Zzz`; `policysync kinds` lists them [unknown-kind]"],
        ),
        (GOOD.replace("kind: Policy", "kind: 7"), ["2:7: /kind: 7 stands here, want text; put it in quotes [type]"]),
        (GOOD.replace("{name: web}", "{}"), ["3:11: /metadata: `name` is missing [required]"]),
        (GOOD.replace("{name: web}", "{name: }"), ["3:18: /metadata/name: `name` is missing [required]"]),
        (GOOD.replace("{name: web}", "web"), ['3:11: /metadata: "web" stands here, want a mapping [type]']),
        (
            GOOD.replace("spec:", "spce:"),
            ["4:1: /spce: unknown key `spce`; did you mean `spec`? [unknown-key]"],
        ),
        (
            GOOD.replace("{name: web}", "{nam: web}"),
            ["3:12: /metadata/nam: unknown key `nam`; did you mean `name`? [unknown-key]"],
        ),
        (
            "apiVersion: policysync/v1\nkind: Policy\nmetadata:\n  name: web\n  spec: {enabled: true}\n",
            [
                "5:3: /metadata/spec: `spec` stands inside `metadata`, and belongs beside it; indent it less "
                "[unknown-key]"
            ],
        ),
        (
            GOOD.replace("name: web", 'name: ".."'),
            ['3:18: /metadata/name: ".." stands for a folder in addresses; want another name [name]'],
        ),
        (
            policy("enabled: true", metadata="label: {a: b}"),
            ["3:23: /metadata/label: unknown key `label`; did you mean `labels`? [unknown-key]"],
        ),
        (
            policy("enabled: true", metadata="labels: {team: 7}"),
            ["3:38: /metadata/labels/team: 7 stands here, want text in quotes [type]"],
        ),
        (
            policy("enabled: true", metadata="targets: [prod-eu, prod-uk]"),
            ['3:42: /metadata/targets/1: policysync.yaml has no target "prod-uk"; did you mean `prod-us`? [target]'],
        ),
        (
            policy("enabled: true", metadata="protect: yes"),
            ["3:32: /metadata/protect: `yes` is text in YAML 1.2; write true [type]"],
        ),
        (
            "apiVersion: policysync/v1\nkind: Policy\nmetadata: {name: web, absent: true}\n",
            ["3:31: /metadata/absent: belongs into an overlay; delete this document instead [absent]"],
        ),
        (
            GOOD + "status: {}\n",
            ["6:1: /status: unknown key `status`; want one of apiVersion, kind, metadata, spec [unknown-key]"],
        ),
        (policy("name: other\nenabled: true"), None),
    ],
)
def test_envelopes(tmp_path: Path, text: str, messages: list[str] | None) -> None:
    found = told(tmp_path, {A: text})
    if messages is None:
        assert len(found) >= 1
    else:
        assert [message.removeprefix(f"{A}:") for message in found] == messages


def test_a_name_in_the_spec_has_to_be_the_same(tmp_path: Path) -> None:
    assert told(tmp_path, {A: policy("name: other\nenabled: true")}) == [
        f'{A}:5:9: /spec/name: "other" stands here, and metadata.name is "web"; want the same in both, or leave it out '
        "[name-mismatch]"
    ]


def test_problems_of_a_second_document(tmp_path: Path) -> None:
    second = "---\n" + GOOD.replace("name: web", "name: api").replace("kind: Policy", "kind: Poliyc")
    assert told(tmp_path, {A: GOOD + second}) == [
        f"{A}:8:7: /kind: unknown kind `Poliyc`; did you mean `Policy`? [unknown-kind]"
    ]


def test_what_a_console_exported_is_told_where_it_goes(tmp_path: Path) -> None:
    (said,) = told(tmp_path, {A: "{name: web, author: me, maximum_score: 3}\n"})
    assert said.startswith(f"{A}:1:1: no document stands here, want apiVersion, kind, metadata, spec; what a console ")


def test_files_that_describe_nothing(tmp_path: Path) -> None:
    found = told(
        tmp_path,
        {
            "policies/stray.yaml": GOOD,
            "policies/stages/x.yaml": GOOD,
            "policies/stages/prdo/x.yaml": GOOD,
            "policies/stages/test/x.yaml": GOOD,
        },
    )
    moved = "stands in neither policies/base nor policies/stages/<stage>, so it describes nothing; move it [misplaced]"
    assert found == [
        "policies/stages/prdo/x.yaml: policysync.yaml has no stage `prdo`; did you mean `prod`? [unknown-stage]",
        "policies/stages/test/x.yaml: policysync.yaml has no stage `test`; want one of dev, prod [unknown-stage]",
        f"policies/stages/x.yaml: {moved}",
        f"policies/stray.yaml: {moved}",
    ]


def test_targets_of_an_overlay_belong_to_its_stage(tmp_path: Path) -> None:
    over = policy("enabled: true", metadata="targets: [prod-eu]")
    assert told(tmp_path, {A: GOOD, "policies/stages/dev/a.yaml": over}) == [
        'policies/stages/dev/a.yaml:3:33: /metadata/targets/0: stage dev has no target "prod-eu"; '
        "want one of dev-console [target]"
    ]


def test_an_export_without_envelope(tmp_path: Path) -> None:
    body = '{"name": "web", "enabled": true, "author": "x", "script_id": "7", "old": false, "level": null}'
    project = repository(tmp_path, {"policies/base/policy/web.json": body})
    desired = desired_state(WorkTree(tmp_path), project, project.stage("dev"), kinds(tmp_path))
    assert desired.problems == ()
    (resource,) = desired.resources
    assert (str(resource.address), dict(resource.spec)) == (
        "Policy/web",
        {"name": "web", "enabled": True, "old": False},
    )


def test_what_is_wrong_with_an_export(tmp_path: Path) -> None:
    files = {
        "policies/base/policy/web.json": '{"name": "web",\n "enabled": "x"}',
        "policies/base/policy/b.yaml": "a: 1\n",
    }
    assert told(tmp_path, files) == [
        "policies/base/policy/b.yaml:1:1: an export of Policy without `name` has no name [required]",
        'policies/base/policy/web.json:2:13: /enabled: "x" is text, want true or false [type]',
    ]


def test_an_export_of_a_kind_with_several_keys(tmp_path: Path) -> None:
    project = repository(tmp_path, {"policies/base/ack/one.json": '{"issue": "CVE-1", "image": "api:1"}'})
    desired = desired_state(WorkTree(tmp_path), project, project.stage("dev"), kinds(tmp_path))
    assert [str(resource.address) for resource in desired.resources] == ["Ack/CVE-1/api:1"]
