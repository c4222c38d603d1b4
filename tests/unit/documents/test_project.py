from __future__ import annotations

from pathlib import Path

import pytest
from unit.documents.world import PROJECT, repository, write

from policysync.documents.project import LedgerSettings, Limits, Project, Target, find_root, load_project
from policysync.errors import InvalidInput, PolicySyncError

FULL = """\
version: 1
stages:
  - name: dev
    targets: [{name: dev-console, backend: aqua, url: "embedded:dev"}]
    targets_from: fleet/*.yaml
    vars: {score: 7}
  - name: prod
    targets:
      - name: prod-eu
        backend: aqua
        url: https://eu.example.com
        auth: {method: password, user: "${env:U}", password: "${env:P}"}
        options: {verify: false}
    gates: {soaked: 24h, looser: {approvals: 2}}
guards: {deletes: {percent: 30, floor: 10}}
limits: {parallelism: 4, requests_per_second: 2.5}
ledger: {remote: origin}
schemas: [kinds]
references: {external: [Registry/foo, "Label/*"]}
"""


def load(root: Path, text: str, **environ: str) -> Project:
    write(root, {"policysync.yaml": text})
    return load_project(root, environ)


def refused(root: Path, text: str, **environ: str) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        load(root, text, **environ)
    return [str(problem) for problem in caught.value.problems]


def test_everything_a_project_can_say(tmp_path: Path) -> None:
    fleet = "targets: [{name: f1, backend: aqua, url: https://f1.example.com}]\n"
    write(tmp_path, {"fleet/b.yaml": fleet, "kinds/x.json": "{}"})
    project = load(tmp_path, FULL)
    dev, prod = project.stages
    assert (dev.name, dev.first, prod.first) == ("dev", True, False)
    assert [target.name for target in dev.targets] == ["dev-console", "f1"]
    assert dev.vars == {"score": 7}
    assert prod.targets[0] == Target(
        "prod-eu",
        "aqua",
        "https://eu.example.com",
        {"method": "password", "user": "${env:U}", "password": "${env:P}"},
        {"verify": False},
    )
    assert prod.gates == {"soaked": "24h", "looser": {"approvals": 2}}
    assert project.guards == {"deletes": {"percent": 30, "floor": 10}}
    assert project.limits == Limits(parallelism=4, requests_per_second=2.5)
    assert project.ledger == LedgerSettings("origin")
    assert project.schemas == (tmp_path / "kinds",)
    assert project.external == ("Registry/foo", "Label/*")
    assert project.stage("prod") is prod


def test_defaults_and_the_environment(tmp_path: Path) -> None:
    assert load(tmp_path, PROJECT).limits == Limits(10, 10.0)
    assert load(tmp_path, PROJECT).ledger.remote is None
    project = load(tmp_path, FULL.replace("schemas: [kinds]\n", "").replace("targets_from: fleet/*.yaml", ""),
                   POLICYSYNC_PARALLELISM="3", POLICYSYNC_LEDGER_REMOTE="backup")  # fmt: skip
    assert (project.limits.parallelism, project.ledger.remote) == (3, "backup")
    assert refused(tmp_path, PROJECT, POLICYSYNC_PARALLELISM="many") == [
        'POLICYSYNC_PARALLELISM: "many" stands there, want a number above 0 [environment]'
    ]


def test_an_unknown_stage(tmp_path: Path) -> None:
    project = repository(tmp_path, {})
    with pytest.raises(PolicySyncError, match="has no stage `prd`; did you mean `prod`"):
        project.stage("prd")
    with pytest.raises(PolicySyncError, match="has no stage `xyz`; want one of dev, prod"):
        project.stage("xyz")


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("", [": `stages` is missing; want a list [required]", ": want `version: 1` [version]"]),
        ("version: 2\nstages: []\n", ["1:10: /version: want `version: 1` [version]"]),
        ("- a\n", None),
        ("version: 1\nstages: {}\n", ["2:9: /stages: a mapping stands here, want a list [type]"]),
        (
            "version: 1\nstages: []\nstagse: 1\n",
            ["3:1: /stagse: unknown key `stagse`; did you mean `stages`? [unknown-key]"],
        ),
        ("version: 1\nstages: [x]\n", None),
        (
            "version: 1\nstages:\n  - name: dev\n    target: []\n",
            ["4:5: /stages/0/target: unknown key `target`; did you mean `targets`? [unknown-key]"],
        ),
        ("version: 1\nstages:\n  - targets: []\n", ["3:5: /stages/0: `name` is missing; want text [required]"]),
        (
            "version: 1\nstages:\n  - name: a\n  - name: a\n",
            ["4:11: /stages/1/name: a second stage `a`; want a name of its own [duplicate]"],
        ),
        (
            "version: 1\nstages:\n  - name: ../x\n",
            ["3:11: /stages/0/name: stage `../x` cannot be the name of a folder; want letters and digits [name]"],
        ),
        (
            "version: 1\nstages:\n  - name: a\n    targets:\n      - {name: x, backend: aqau}\n",
            ["5:28: /stages/0/targets/0/backend: unknown backend `aqau`; did you mean `aqua`? [unknown-backend]"],
        ),
        (
            "version: 1\nstages:\n  - name: a\n    targets:\n"
            "      - {name: x, backend: aqua}\n      - {name: x, backend: aqua}\n",
            ["6:16: /stages/0/targets/1/name: a second target `x`; want a name of its own [duplicate]"],
        ),
        (
            "version: 1\nstages: []\nlimits: {parallelism: 0, requests_per_second: yes}\n",
            [
                "3:23: /limits/parallelism: 0 stands here, want a number, at least 1 [type]",
                '3:47: /limits/requests_per_second: "yes" stands here, want a number, at least 0.001 [type]',
            ],
        ),
        ("version: 1\nstages: []\nschemas: [nowhere]\n", ["3:10: /schemas: no folder `nowhere` [no-file]"]),
        (
            "version: 1\nstages: []\nreferences: {external: [Foo]}\n",
            ["3:24: /references/external: `Foo` is not Kind/name; `Registry/*` means all registries [name]"],
        ),
        (
            "version: 1\nstages:\n  - name: a\n    targets_from: ../*.yaml\n",
            ["4:19: /stages/0/targets_from: `../*.yaml` leads out of the policy root [path]"],
        ),
        (
            "version: 1\nstages:\n  - name: a\n    targets_from: [f/*.yaml]\n",
            ["4:19: /stages/0/targets_from: no file matches `f/*.yaml` [no-file]"],
        ),
        (
            "version: 1\nversion: 1\nstages: []\n",
            ["2:1: /version: key `version` stands here twice; keep one [duplicate-key]"],
        ),
        ("version: 1\nstages: []\n---\na: 1\n", ["4:1: a second document; want one in this file [second-document]"]),
        ("version: 1\nstages: []\nguards: 3\n", ["3:9: /guards: 3 stands here, want a mapping [type]"]),
        ("version: 1\nstages: []\nschemas: [3]\n", ["3:10: /schemas: a list stands here, want a list of texts [type]"]),
        ("version: 1\nstages:\n  - name: ''\n", ["3:11: /stages/0/name: `name` is empty [required]"]),
    ],
)
def test_what_is_wrong_with_a_project(tmp_path: Path, text: str, messages: list[str] | None) -> None:
    found = refused(tmp_path, text)
    assert messages is None or [message.removeprefix("policysync.yaml:") for message in found] == [
        message if message[0].isdigit() else f"1:1{message}" for message in messages
    ]


def test_problems_of_fleet_files_name_the_file(tmp_path: Path) -> None:
    write(tmp_path, {"fleet/a.yaml": "targets:\n  - {name: x, backend: nope}\n"})
    text = "version: 1\nstages:\n  - name: a\n    targets_from: [fleet/*.yaml]\n"
    found = refused(tmp_path, text)
    assert len(found) == 1
    assert found[0].startswith("fleet/a.yaml:2:24: /targets/0/backend: unknown backend `nope`")


def test_the_root_is_found_upward(tmp_path: Path) -> None:
    repository(tmp_path, {"policies/base/deep/a.yaml": ""})
    assert find_root(tmp_path / "policies/base/deep") == tmp_path
    (tmp_path / "policysync.yaml").rename(tmp_path / "policysync.yml")
    assert load_project(find_root(tmp_path / "policies"), {}).stages


def test_no_project(tmp_path: Path) -> None:
    with pytest.raises(PolicySyncError, match=r"no policysync\.yaml in"):
        find_root(tmp_path)
    with pytest.raises(PolicySyncError, match=r"no policysync\.yaml in"):
        load_project(tmp_path, {})


@pytest.mark.parametrize("folder", ["x" * 5000, "a\\0b"])
def test_a_folder_no_file_system_can_have_is_a_problem(tmp_path: Path, folder: str) -> None:
    (tmp_path / "policysync.yaml").write_text(f'version: 1\nstages: []\nschemas: ["{folder}"]\n')
    with pytest.raises(InvalidInput, match="no folder"):
        load_project(tmp_path, {})
