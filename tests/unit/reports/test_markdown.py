"""Markdown is read by a real parser, and judged by what it makes of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from unit.reports.plans import HOSTILE, blockage, change, edit, hostile_plan, plan

from policysync.apply.events import Outcome
from policysync.apply.report import Done, Report
from policysync.documents.validate import Validation
from policysync.errors import Location, Problem
from policysync.plan.change import Posture
from policysync.reports import (
    history_markdown,
    outcome_markdown,
    planned_markdown,
    validated_markdown,
)
from policysync.reports.history import History
from policysync.reports.markdown import LIMIT, code
from policysync.reports.outcome import Applied, Ended
from policysync.reports.planned import Planned
from policysync.reports.validated import Validated

PARSER = MarkdownIt("gfm-like", {"linkify": False, "html": True})
OURS = re.compile(
    r"<details(?: open)?><summary>(?:<b>)?<code>(?:[^<>&]|&(?:amp|lt|gt);)*</code>(?:</b>)?: [\w ,⚠️]+</summary>\n?"
    r"|</details>\n?"
)
PLAIN = {"inline", "text", "code_inline", "softbreak", "fence", "html_block"}
BLOCKS = {"heading", "paragraph", "strong", "blockquote", "bullet_list", "list_item"}


def tokens(found: Sequence[Token]) -> Iterator[Token]:
    for token in found:
        yield token
        yield from tokens(token.children or ())


def judge(text: str) -> None:
    """Hold a report to what may stand in it: our own few elements, and code."""
    opened = 0
    for token in tokens(PARSER.parse(text)):
        name = token.type.removesuffix("_open").removesuffix("_close")
        assert name in PLAIN | BLOCKS, f"{token.type}: {token.content}"
        if token.type == "html_block":
            assert OURS.fullmatch(token.content), token.content
            opened += 1 if token.content.startswith("<details") else -1
            assert opened in (0, 1)
        if token.type == "text":
            assert not re.search(r"@\w|#\d|://|www\.", token.content), token.content
    assert opened == 0
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u200e\u200f\u202a-\u202e\u2066-\u2069]", text)


@pytest.mark.parametrize("drift", [False, True])
def test_no_value_becomes_markup(drift: bool) -> None:
    view = Planned([hostile_plan()], drift=drift, guards={("prod", "prod-console"): dict.fromkeys(HOSTILE, HOSTILE[0])})
    judge(planned_markdown.render(view))


def test_no_problem_becomes_markup() -> None:
    problems = [Problem(Location(f"policies/{text}", 1, 1), f"/{text}", text, "type") for text in HOSTILE]
    judge(validated_markdown.render(Validated(Validation(tuple(problems), 1, 1, 1))))


def test_no_outcome_and_no_history_becomes_markup() -> None:
    done = tuple(Done(change(text or "x"), Outcome.FAILED, text, (text,)) for text in HOSTILE)
    judge(outcome_markdown.render(Applied("prod", (Ended(Report("prod-console", done), "20260101T000000Z-abcdef"),))))
    judge(history_markdown.render(History("`prod` @team")))


@settings(max_examples=150, deadline=None)
@given(st.text(), st.text(min_size=1))
def test_no_text_at_all_becomes_markup(value: str, name: str) -> None:
    judge(planned_markdown.render(Planned([plan(change(name, [edit(name, value, [value])]), notices=[value])])))


@given(st.text())
def test_a_code_span_holds_its_text(text: str) -> None:
    (inline,) = [token for token in PARSER.parse(f"a {code(text)} b") if token.type == "inline"]
    assert [token.type for token in inline.children or ()] == ["text", "code_inline", "text"]


def large(changes: int, edits: int, looser: int) -> Planned:
    def one(number: int) -> object:
        posture = Posture.LOOSER if number % (changes // looser) == 0 else Posture.NEUTRAL
        moved = [edit(f"field_{n}", n, n + 1, posture if n == edits - 1 else Posture.NEUTRAL) for n in range(edits)]
        return change(f"policy-{number:05}", moved, posture, kind=f"Kind{number % 7}")

    found = plan(*(one(number) for number in range(changes)), blocked=(blockage(),), notices=("a notice",))  # type: ignore[arg-type]
    return Planned([found], guards={("prod", "prod-console"): {"too-many-changes": "would change everything"}})


@pytest.mark.parametrize(
    ("changes", "edits", "said"),
    [
        (100, 100, "edits"),
        (1500, 20, "of 1,500 changes"),
        (6000, 3, "of 6,000 changes"),
    ],
)
def test_a_large_plan_is_short_and_says_what_is_left_out(changes: int, edits: int, said: str) -> None:
    text = planned_markdown.render(large(changes, edits, 20))
    judge(text)
    assert LIMIT - 3000 < len(text) <= LIMIT
    assert re.search(r"> Showing [\d,]+ of [\d,]+ ", text)
    assert said in text
    for always in (f"{changes} to change", "20 looser", "too-many-changes would refuse", "release-locked", "a notice"):
        assert always in text
    assert text.count("(**⚠️ looser**)") == 20
    assert "`prod`" in text
    assert "`0123456789ab`" in text


def test_edits_go_before_changes() -> None:
    text = planned_markdown.render(large(100, 100, 20))
    assert text.count("policy-") == 100
    assert text.index("⚠️ looser**)") < text.index("policy-00001")


def test_every_size_fits() -> None:
    for limit in (600, 2000, 5000, 20000):
        assert len(planned_markdown.render(large(300, 5, 3), limit)) <= limit


def test_many_targets_stand_in_one_comment() -> None:
    plans = [plan(change(), stage=f"s{n // 100}", target=f"t{n}", notices=("x" * 250,) * 3) for n in range(900)]
    text = planned_markdown.render(Planned(plans))
    judge(text)
    assert len(text) <= LIMIT
    assert "of 900 targets" in text
    few = planned_markdown.render(Planned([plan(stage="dev"), plan(stage="prod")]))
    assert few.count("### Stage") == 2


def test_one_target_is_in_the_heading_and_nothing_is_said_twice() -> None:
    text = planned_markdown.render(large(3, 1, 1))
    assert text.startswith("## policysync plan: stage `prod` · target `prod-console`\n\n**Plan: ")
    assert text.count("3 to change") == 1


def test_a_remark_is_a_sentence_that_can_wrap() -> None:
    text = planned_markdown.render(large(3, 1, 1))
    assert "\n- `guard too-many-changes would refuse this: would change everything`\n- " in text
    assert "```text" not in text


def test_many_problems_are_counted() -> None:
    problems = tuple(
        Problem(Location(f"policies/{n % 500}.yaml", n + 1, 1), "/spec", "no", "type") for n in range(5000)
    )
    text = validated_markdown.render(Validated(Validation(problems, 1, 1, 1)))
    judge(text)
    assert len(text) <= LIMIT
    assert "of 5,000 problems" in text


def test_a_plan_without_changes_says_so() -> None:
    assert "No changes." in planned_markdown.render(Planned([plan()]))
    assert "No drift." in planned_markdown.render(Planned([plan()], drift=True))
