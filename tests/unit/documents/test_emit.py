from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from policysync.documents.emit import emit, emit_inline, needs_quotes
from policysync.documents.parse import parse

TRAPS = [
    *("no", "No", "NO", "on", "off", "y", "n", "yes", "true", "True", "FALSE", "null", "Null", "~", ""),
    *("017", "0o7", "0x1f", "0b11", "1_000", "1:30", "190:20:30", "12e400", "5e781234567890", "1e3", "+1", "-0"),
    *("2026-01-01", "2026-01-01T00:00:00Z", "1.0", ".5", "1.", "-.5", ".inf", "-.inf", ".nan", "NaN", "3,14"),
    *(
        "<<",
        "=",
        "*",
        "&a",
        "!x",
        "|",
        ">",
        "-",
        "- a",
        "a: b",
        "a #b",
        "#",
        "?",
        "? a",
        ":",
        "%",
        "@",
        "`",
        "{}",
        "[]",
    ),
    *("'", '"', "it's", '"quoted"', "\\", "a\\nb", "---", "...", " lead", "trail ", "\ttab", "a\tb", "tab\t"),
    *("two\nlines", "two\nlines\n", "two\n\n\nlines\n\n", "\nfirst empty", " lead\nline", "trail \nline", "\n", "\n\n"),
    *("package x\n\tdeny {\n\t\tinput.user\n\t}\n", "a\n\tb\n c\n", "\ta\nb\n", "a\t\nb", "# no comment\n# here\n"),
    *(
        "a\r\nb",
        "a\rb",
        "\x85",
        "a\u2028b",
        "a\u2029b",
        "\ufeffbom",
        "\x00",
        "\x1b[0m",
        "\x7f",
        "\x9f",
        "ünï",
        "日本語",
        "🙂",
    ),
    *("${var.NAME}", "${env:NAME}", "10.0.0.0/8", "10.0.0.1", "key: [a, b", "a" * 500, "word " * 100, "--- a\n--- b\n"),
]

texts = st.one_of(st.sampled_from(TRAPS), st.text(), st.text(alphabet="0123456789abcdefxo_.:-+eETZ ", max_size=12))
numbers = st.one_of(st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False, allow_infinity=False))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, texts),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)
documents = st.dictionaries(texts, values, min_size=1, max_size=5)


def read(text: str) -> Any:
    parsed, problems = parse(text.encode(), "some.yaml")
    assert problems == ()
    return parsed[0].value


def same(a: Any, b: Any) -> bool:
    return json.dumps(a, sort_keys=True) == json.dumps(b, sort_keys=True)


@settings(deadline=None)
@given(documents)
@example({"texts": TRAPS})
@example(dict.fromkeys(TRAPS, 1))
@example({"k": {"long " * 60: [{"a": []}, {}, [[1]], None]}})
def test_what_is_written_is_read_back_alike(document: dict[str, Any]) -> None:
    text = emit(document)
    assert same(read(text), document)
    assert same(yaml.safe_load(text), document)


@settings(deadline=None)
@given(values)
def test_a_value_can_stand_inside_other_yaml(value: Any) -> None:
    line = emit_inline(value)
    assert "\n" not in line
    for text in (f"here: {line}\n", f"here: [1, {line}, 2]\n", f"- {line}\n"):
        found = read(text)
        inside = found[0] if isinstance(found, list) else found["here"]
        assert same(inside[1] if "[1," in text else inside, value)
        assert same(yaml.safe_load(text), found)


@pytest.mark.parametrize(
    "text",
    ["no", "on", "y", "017", "1_000", "1:30", "12e400", "0o7", "2026-01-01", "~", "null", "1.10", "3f2", "10.0.0.1"],
)
def test_what_looks_like_something_else_is_quoted(text: str) -> None:
    assert needs_quotes(text) or yaml.safe_load(text) != text
    assert emit({"a": text}) == f"a: '{text}'\n"


@pytest.mark.parametrize(
    "text", ["Default", "CVE-2021-44228", "library/solr:8.11.0", "10.0.0.0/8", "not now", "v1 || v2"]
)
def test_ordinary_texts_stand_without_quotes(text: str) -> None:
    assert emit({"a": text}) == f"a: {text}\n"


@pytest.mark.parametrize("text", ["first\nsecond", "first\nsecond\n", "package x\n\n\tdeny {\n\t\ttrue\n\t}\n"])
def test_a_text_of_several_lines_stands_as_a_block(text: str) -> None:
    assert emit({"a": text}).startswith("a: |")
    assert "\\" not in emit({"a": text})


def test_members_keep_their_order_and_lists_are_indented() -> None:
    document = {"kind": "Label", "apiVersion": "policysync/v1", "spec": {"z": ["a"], "b": []}}
    assert emit(document) == "kind: Label\napiVersion: policysync/v1\nspec:\n  z:\n    - a\n  b: []\n"


def test_comments_end_the_document() -> None:
    text = emit({"spec": {"a": 1}}, ["b: secret", "c: two\nlines\u2028here"])
    assert text == "spec:\n  a: 1\n  # b: secret\n  # c: two lines?here\n"
    assert read(text) == {"spec": {"a": 1}}


def test_the_same_list_twice_is_written_twice() -> None:
    shared = ["a"]
    assert "*" not in emit({"a": shared, "b": shared})
