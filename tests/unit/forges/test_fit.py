from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from policysync.forges.fit import fitted


def test_what_fits_is_left_as_it_is() -> None:
    assert fitted(["one\n", "two"], 100, "never said") == "one\n\ntwo"


def test_what_does_not_fit_says_how_much_is_shown() -> None:
    text = "\n".join(f"line {number}" for number in range(1000))
    shown = fitted([text], 500, "The rest is elsewhere.")
    assert len(shown) <= 500
    lines = shown.splitlines()
    assert lines[-1].endswith(f"Showing {len(lines) - 2} of 1000 lines. The rest is elsewhere._")


def test_a_short_text_leaves_its_room_to_a_long_one() -> None:
    shown = fitted(["short", "x\n" * 600], 1000)
    assert shown.startswith("short\n\nx\n")
    assert len(shown) > 900


def test_an_open_block_and_open_details_are_closed() -> None:
    shown = fitted(["<details>\n```diff\n" + "+ a\n" * 500], 300)
    assert shown.count("```") == 2
    assert shown.count("</details>") == 1


@given(st.lists(st.text(max_size=3000), max_size=5), st.integers(200, 4000))
def test_nothing_is_ever_longer_than_allowed(texts: list[str], limit: int) -> None:
    assert len(fitted(texts, limit)) <= limit


@given(st.lists(st.text("ab\n`", max_size=300), max_size=4))
def test_nothing_is_cut_without_saying_so(texts: list[str]) -> None:
    shown = fitted(texts, 600)
    whole = "\n\n".join(text.strip() for text in texts)
    assert shown == whole or "Showing " in shown
