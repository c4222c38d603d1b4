"""`policysync github`, as a workflow calls it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from acceptance.github_stand_in import TOKEN, StandIn, stand_in
from acceptance.policy_repository import PolicyRepository, new_repository

from policysync.cli import run
from policysync.commands.github import as_it_is

STAGES = """
version: 1
stages:
  - name: dev
    targets: [{name: one, backend: aqua, url: "embedded:one"}]
  - name: nonprod
    targets: [{name: two, backend: aqua, url: "embedded:two"}]
  - name: prod
    targets: [{name: three, backend: aqua, url: "https://aqua.example.com"}]
schemas: [kinds]
"""


@pytest.fixture
def hub() -> Iterator[StandIn]:
    with stand_in() as hub:
        hub.add_pull(7)
        yield hub


@pytest.fixture(autouse=True)
def _outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TOKEN", "REPOSITORY", "OUTPUT", "STEP_SUMMARY", "EVENT_PATH", "ACTIONS", "API_URL"):
        monkeypatch.delenv(f"GITHUB_{name}", raising=False)


@pytest.fixture
def workflow(hub: StandIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be in a step of a workflow of pull request 7; return its folder."""
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7}}), encoding="utf-8")
    (tmp_path / "text.md").write_text("one change", encoding="utf-8")
    told = {**hub.environ(), "GITHUB_EVENT_PATH": str(event), "GITHUB_ACTIONS": "true"}
    files = {f"GITHUB_{name}": str(tmp_path / name) for name in ("OUTPUT", "STEP_SUMMARY")}
    for name, value in {**told, **files}.items():
        monkeypatch.setenv(name, value)
    return tmp_path


@pytest.fixture
def repository(tmp_path: Path) -> PolicyRepository:
    repository = new_repository(tmp_path / "team")
    repository.write("policysync.yaml", STAGES)
    repository.write("kinds/readme.txt", "none yet")
    repository.write("releases/prod.yaml", "version: 1\n")
    repository.commit("start")
    return repository


def outputs(workflow: Path) -> Mapping[str, str]:
    lines = (workflow / "OUTPUT").read_text(encoding="utf-8").splitlines()
    return {name: value for name, _, value in (line.partition("=") for line in lines)}


def test_the_pull_request_of_the_workflow_gets_the_comment(
    workflow: Path, hub: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["github", "comment", "--marker", "plan", "--file", str(workflow / "text.md")]) == 0
    assert capsys.readouterr().out.startswith("https://github.com/team/policies/issues/7#issuecomment-")
    (body,) = hub.bodies(7)
    assert body.endswith("\none change")


def test_several_files_share_the_room(workflow: Path, hub: StandIn) -> None:
    (workflow / "long.md").write_text("a line of a plan\n" * 9000, encoding="utf-8")
    files = ["--file", str(workflow / "long.md"), "--file", str(workflow / "text.md")]
    assert run(["github", "comment", "--pull-request", "7", "--marker", "plan", *files]) == 0
    (body,) = hub.bodies(7)
    assert 50_000 < len(body) <= 60_000
    assert " of 9000 lines. The whole text is among the artifacts of the run._" in body
    assert body.endswith("one change")


@pytest.mark.parametrize("marker", ["", "a -->", "a--b", "a\nb"])
def test_a_marker_cannot_end_its_own_mark(workflow: Path, hub: StandIn, marker: str) -> None:
    assert run(["github", "comment", "--marker", marker, "--file", str(workflow / "text.md")]) == 1
    assert hub.bodies(7) == []


def test_without_a_pull_request_it_says_so(
    workflow: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(workflow / "none.json"))
    assert run(["github", "comment", "--marker", "plan", "--file", str(workflow / "text.md")]) == 1
    assert "say which with --pull-request" in capsys.readouterr().err


def test_a_refused_token_is_not_shown(
    workflow: Path, hub: StandIn, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_REPOSITORY", "somebody/else")
    assert run(["-vv", "github", "comment", "--marker", "plan", "--file", str(workflow / "text.md")]) == 1
    said = capsys.readouterr()
    assert "GitHub refuses with 404" in said.err
    assert TOKEN not in said.out + said.err


def test_drift_opens_an_issue_and_its_end_closes_it(
    workflow: Path, hub: StandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["github", "drift-issue", "--file", str(workflow / "text.md"), "--label", "drift", "--status"]
    assert run([*line, "2"]) == 0
    assert [(issue["state"], issue["title"]) for issue in hub.issues] == [
        ("open", "Drift: consoles were changed by hand")
    ]
    assert run([*line, "1"]) == 1
    assert hub.issues[0]["state"] == "open"
    assert run([*line, "0"]) == 0
    assert hub.issues[0]["state"] == "closed"
    capsys.readouterr()
    assert run([*line, "0"]) == 0
    assert capsys.readouterr().out == "no drift, and no issue about it\n"


def test_a_summary_is_added_to_the_step_s(workflow: Path) -> None:
    (workflow / "plan.txt").write_text("+ a ``` b", encoding="utf-8")
    assert run(["github", "summary", str(workflow / "text.md"), str(workflow / "plan.txt")]) == 0
    assert run(["github", "summary", str(workflow / "text.md")]) == 0
    shown = (workflow / "STEP_SUMMARY").read_text(encoding="utf-8")
    assert shown == "one change\n\n````\n+ a ``` b\n````\n\none change\n\n"


def test_outside_github_a_summary_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "plan.md").write_text("# Plan\n", encoding="utf-8")
    assert run(["github", "summary", str(tmp_path / "plan.md")]) == 0
    assert capsys.readouterr().out == "# Plan\n"


def test_a_summary_stays_below_a_mebibyte(workflow: Path) -> None:
    (workflow / "plan.txt").write_text("🔒 weaker\n" * 200_000, encoding="utf-8")
    assert run(["github", "summary", str(workflow / "plan.txt")]) == 0
    shown = (workflow / "STEP_SUMMARY").read_bytes()
    assert len(shown) < 1024 * 1024
    assert shown.rstrip().endswith(b"The whole text is among the artifacts of the run._")


def test_a_text_cannot_end_its_block() -> None:
    assert as_it_is("a\n`````\nb") == "``````\na\n`````\nb\n``````"


def test_stages_are_listed_for_a_matrix(
    repository: PolicyRepository, workflow: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["-C", str(repository.root), "github", "stages"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out) == ["dev", "nonprod", "prod"]
    assert outputs(workflow) == {"stages": '["dev", "nonprod", "prod"]', "released": '["dev", "prod"]'}
    assert "no ledger.remote" in said.err


@pytest.mark.parametrize(
    ("words", "stages"),
    [(["--later"], ["nonprod", "prod"]), (["--only", "dev"], ["dev"]), (["--later", "--only", "prod"], ["prod"])],
)
def test_stages_can_be_chosen(
    repository: PolicyRepository, words: list[str], stages: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["-C", str(repository.root), "github", "stages", *words]) == 0
    assert json.loads(capsys.readouterr().out) == stages


def test_an_unknown_stage_is_refused(repository: PolicyRepository, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["-C", str(repository.root), "github", "stages", "--only", "pord"]) == 1
    assert "has no stage `pord`" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("files", "stages"),
    [
        (["policies/base/a.yaml"], ["dev"]),
        (["kinds/own.json"], ["dev"]),
        (["releases/prod.yaml"], ["prod"]),
        (["releases/nonprod.yaml", "policies/stages/prod/b.yaml"], ["dev", "nonprod"]),
        (["policysync.yaml"], ["dev", "nonprod", "prod"]),
        (["README.md", "docs/policies/a.yaml", "releases/readme.md"], []),
        ([], []),
    ],
)
def test_a_push_is_for_the_stages_whose_files_changed(
    repository: PolicyRepository, files: list[str], stages: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for file in files:
        repository.write(file, f"{STAGES if file == 'policysync.yaml' else ''}# changed\n")
    repository.commit()
    assert run(["-C", str(repository.root), "github", "stages", "--since", "HEAD~1"]) == 0
    assert json.loads(capsys.readouterr().out) == stages


@pytest.mark.parametrize("since", ["0" * 40, "nothing-of-this-name", "--output=pwned"])
def test_a_push_git_knows_nothing_before_is_for_all(
    repository: PolicyRepository, since: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["-C", str(repository.root), "github", "stages", f"--since={since}"]) == 0
    assert json.loads(capsys.readouterr().out) == ["dev", "nonprod", "prod"]
    assert not (repository.root / "pwned").exists()


def test_a_policy_root_below_the_top_is_looked_at_alone(
    repository: PolicyRepository, capsys: pytest.CaptureFixture[str]
) -> None:
    repository.write("below/policysync.yaml", STAGES.replace("schemas: [kinds]", ""))
    repository.commit()
    repository.write("policies/a.yaml", "# not of the one below\n")
    repository.commit()
    assert run(["-C", str(repository.root / "below"), "github", "stages", "--since", "HEAD~1"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_the_counts_of_a_plan_are_outputs(workflow: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plans = [{"summary": {"add": 1, "change": 0, "destroy": 2}}, {"summary": {"add": 3, "change": 1, "destroy": 0}}]
    (workflow / "plan.json").write_text(json.dumps({"plans": plans}), encoding="utf-8")
    assert run(["github", "outputs", str(workflow / "plan.json")]) == 0
    assert capsys.readouterr().out == "4 to add, 1 to change, 2 to destroy\n"
    counts = {"add": "4", "change": "1", "destroy": "2"}
    assert outputs(workflow) == {**counts, "summary": "4 to add, 1 to change, 2 to destroy"}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"plans": [1]}', '{"plans": [{"summary": {"add": "x"}}]}'])
def test_what_is_no_plan_is_refused(workflow: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    (workflow / "plan.json").write_text(text, encoding="utf-8")
    assert run(["github", "outputs", str(workflow / "plan.json")]) == 1
    assert "is not a saved plan" in capsys.readouterr().err


def test_every_command_has_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("comment", "drift-issue", "summary", "stages", "outputs"):
        assert run(["github", name, "--help"]) == 0
        assert f"policysync github {name} " in capsys.readouterr().out
