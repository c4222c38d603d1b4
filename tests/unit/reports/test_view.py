"""How edits and values are shown."""

from __future__ import annotations

from typing import Any

import pytest

from policysync.plan.change import Action, Cause, Change, Edit, Plan, Posture
from policysync.pointer import MISSING
from policysync.reports.text import closing, plan_text
from policysync.reports.view import blocks, path_text, printable, row, value_text
from policysync.secret import Secret
from policysync.state.resource import Address


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (1, "1"),
        (7.5, "7.5"),
        (None, "null"),
        ('say "no"\n', r'"say \"no\"\n"'),
        ("a\\nb", r'"a\\nb"'),
        ("\x1b[2J\u202e", r'"\x1b[2J\u202e"'),
        (["a", 1], '["a", 1]'),
        ({"a": {"b": False}}, "{a: {b: false}}"),
        (Secret("hunter2"), "***"),
        (Secret("hunter2", "${env:X}"), "${env:X}"),
        ({"$digest": "abc"}, "***"),
        ([Secret("hunter2")], "[***]"),
    ],
)
def test_a_value_on_one_line(value: Any, text: str) -> None:
    assert value_text(value) == text


def test_a_long_value_says_that_it_is_cut() -> None:
    assert value_text("x" * 200).endswith("x…")
    assert len(value_text("x" * 200)) == 100


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("a",), "a"),
        (("a", "name=web", "b"), "a[name=web].b"),
        (("range", "0"), "range[0]"),
        (("a", "name=\x1b"), r"a[name=\x1b]"),
    ],
)
def test_a_path_as_people_write_it(path: tuple[str, ...], text: str) -> None:
    assert path_text(path) == text


def test_letters_of_every_language_are_printable() -> None:
    assert printable("Größe 日本") == "Größe 日本"


@pytest.mark.parametrize(
    ("before", "after", "symbol", "values"),
    [
        (MISSING, 1, "+", "1"),
        (1, MISSING, "-", "1"),
        (1, 2, "~", "1 → 2"),
        (["a", "b"], ["b", "c"], "~", '+"c" -"a"'),
        ([1], [True], "~", "+true -1"),
        (["a", "b"], ["b", "a"], "~", '["a", "b"] → ["b", "a"]'),
        (["a"], ["a", "a"], "~", '["a"] → ["a", "a"]'),
        ({"$digest": "x"}, Secret("s", "${env:X}"), "~", "*** → ${env:X}"),
    ],
)
def test_an_edit_shows_what_it_was_and_becomes(before: Any, after: Any, symbol: str, values: str) -> None:
    shown = row(Edit(("x",), before, after))
    assert (shown.symbol, shown.values) == (symbol, values)


def test_a_long_list_says_how_much_of_it_is_shown() -> None:
    shown = row(Edit(("x",), [], [f"v{n:03}" for n in range(50)])).values
    assert shown.endswith('+"v019" (showing 20 of 50)')


def test_two_long_texts_are_shown_where_they_differ() -> None:
    shown = row(Edit(("x",), "a" * 200 + "before", "a" * 200 + "after")).values
    assert "before" in shown
    assert "after" in shown
    assert len(shown) < 210


@pytest.mark.parametrize(
    ("edit", "remarks", "looser"),
    [
        (Edit(("x",), posture=Posture.LOOSER), ("looser",), True),
        (Edit(("x",), posture=Posture.MIXED, cause=Cause.CONFLICT), ("conflict", "mixed"), True),
        (Edit(("x",), posture=Posture.STRICTER, cause=Cause.DRIFT), ("drift", "stricter"), False),
        (Edit(("x",), gated=True), ("no effect",), False),
        (Edit(("x",)), (), False),
    ],
)
def test_an_edit_is_remarked_on(edit: Edit, remarks: tuple[str, ...], looser: bool) -> None:
    assert (row(edit).remarks, row(edit).looser) == (remarks, looser)


def _plan() -> Plan:
    edit = Edit(("x",), True, False, posture=Posture.LOOSER)
    update = Change(Action.UPDATE, Address("P", "a\x1b[2J"), None, None, (edit,), posture=Posture.LOOSER, replace=True)
    return Plan("dev", "console", waves=((Change(Action.CREATE, Address("P", "b"), None, None),), (update,)))


def test_changes_stand_in_the_order_of_their_waves() -> None:
    created, replaced = blocks(_plan())
    assert (created.symbol, created.title, created.remarks) == ("+", "P/b", ())
    assert (replaced.symbol, replaced.title) == ("-/+", r"P/a\x1b[2J")
    assert replaced.remarks == ("looser", "deleted and created again")
    assert replaced.looser


def test_colours_come_only_when_asked_for() -> None:
    assert "\x1b" not in plan_text(_plan())
    assert "\x1b[1;31m~ x: true → false  (looser)\x1b[0m" in plan_text(_plan(), colour=True)


def test_the_last_line_counts() -> None:
    assert plan_text(_plan()).splitlines()[-1] == "Plan: 1 to add, 1 to change, 0 to destroy."
    assert closing(Plan("dev", "console")) == "No changes. Plan: 0 to add, 0 to change, 0 to destroy."
    assert plan_text(Plan("dev", "console")).startswith("Stage dev · target console · no revision\n")
