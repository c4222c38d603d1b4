from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from policysync.commands.rewriting import CannotRewrite, inserted, rewritten

TEXT = """\
# about the first
kind: Label   # a remark
---
kind: Policy  # the second
spec:
  score: 7.50 # keep me
  'quoted key': "x"   # and me
  hosts:
    - a   # first
    - b

  # between
  rules:
  - {name: web, up: true}   # flow
  - name: db
    up: false
    script: |
      one
        two

  flow: {a: [1, 2], b: 'no'}
  text: |-
    first
    second
  empty: []
# the end
"""


def read(text: str) -> Any:
    return list(yaml.safe_load_all(text))[1]


def changed_lines(text: str) -> set[str]:
    return set(TEXT.splitlines()) ^ set(text.splitlines())


@pytest.mark.parametrize(
    ("path", "value", "line"),
    [
        (("score",), 8, "  score: 8 # keep me"),
        (("quoted key",), "no", "  'quoted key': 'no'   # and me"),
        (("hosts", "0"), "c", "    - c   # first"),
        (("rules", "0", "up"), False, "  - {name: web, up: false}   # flow"),
        (("rules", "1", "up"), True, "    up: true"),
        (("flow", "a"), [3], "  flow: {a: [3], b: 'no'}"),
        (("flow", "b"), "on", "  flow: {a: [1, 2], b: 'on'}"),
        (("empty",), ["x", "z"], "  empty: [x, z]"),
        (("score",), None, "  score: null # keep me"),
    ],
)
def test_only_the_line_of_the_value_changes(path: tuple[str, ...], value: Any, line: str) -> None:
    text = rewritten(TEXT, 1, ("spec", *path), value)
    assert line in text.splitlines()
    assert len(changed_lines(text)) == 2
    found = read(text)["spec"]
    for step in path:
        found = found[int(step)] if isinstance(found, list) else found[step]
    assert found == value


def test_a_block_stays_a_block() -> None:
    text = rewritten(TEXT, 1, ("spec", "text"), "third\nfourth: x\n")
    assert "  text: |\n    third\n    fourth: x\n  empty: []\n# the end\n" in text
    assert read(text)["spec"]["text"] == "third\nfourth: x\n"


def test_a_list_in_block_style_is_written_in_block_style() -> None:
    text = rewritten(TEXT, 1, ("spec", "rules"), [{"name": "web", "up": True}, {"name": "new"}])
    assert "  rules:\n  - name: web\n    up: true\n  - name: new\n\n  flow: {" in text
    hosts = rewritten(TEXT, 1, ("spec", "hosts"), ["z"])
    assert "  hosts:\n    - z\n\n  # between\n" in hosts


def test_an_emptied_list_is_written_as_such() -> None:
    text = rewritten(TEXT, 1, ("spec", "hosts"), [])
    assert read(text)["spec"]["hosts"] == []


def test_json_stays_json() -> None:
    text = '{\n  "spec": {"score": 7, "name": "é"}\n}\n'
    assert rewritten(text, 0, ("spec", "score"), "a\nb", as_json=True) == text.replace("7", '"a\\nb"')


def test_line_ends_of_windows_are_kept() -> None:
    text = "spec:\r\n  a:\r\n    - 1\r\n  b: 2\r\n"
    assert rewritten(text, 0, ("spec", "a"), [2, 3]) == "spec:\r\n  a:\r\n    - 2\r\n    - 3\r\n  b: 2\r\n"


@pytest.mark.parametrize("path", [("spec", "nothing"), ("spec", "hosts", "7"), ("spec", "score", "deeper")])
def test_what_does_not_stand_there_is_refused(path: tuple[str, ...]) -> None:
    with pytest.raises(CannotRewrite):
        rewritten(TEXT, 1, path, 1)


def test_an_alias_is_left_alone() -> None:
    with pytest.raises(CannotRewrite, match="alias"):
        rewritten("a: &x [1]\nb: *x\n", 0, ("b",), [2])


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
paths = st.sampled_from(["score", "hosts", "rules", "flow", "text", "empty", "rules/0", "rules/1", "rules/1/script"])


@settings(deadline=None)
@given(paths, values)
def test_any_value_can_take_the_place_of_any_other(path: str, value: Any) -> None:
    steps = ("spec", *path.split("/"))
    text = rewritten(TEXT, 1, steps, value)
    wanted = read(TEXT)
    inside: Any = wanted
    for step in steps[:-1]:
        inside = inside[int(step)] if isinstance(inside, list) else inside[step]
    inside[int(steps[-1]) if isinstance(inside, list) else steps[-1]] = value
    assert read(text) == wanted
    for comment in ("# about the first", "# a remark", "# the second", "# keep me", "# between", "# the end"):
        assert comment in text


@pytest.mark.parametrize(
    ("path", "name", "value", "lines"),
    [
        (("spec",), "new", True, ["  new: true", "# the end"]),
        (("spec",), "new", {"a": [1, 2]}, ["  new:", "    a:", "      - 1", "      - 2", "# the end"]),
        (("spec", "flow"), "c", "yes", ["  flow: {a: [1, 2], b: 'no', c: 'yes'}"]),
        (("spec", "rules", "0"), "down", False, ["  - {name: web, up: true, down: false}   # flow"]),
        (("spec", "rules", "1"), "down", False, ["    down: false", ""]),
    ],
)
def test_a_member_is_added_at_the_end_of_its_mapping(
    path: tuple[str, ...], name: str, value: Any, lines: list[str]
) -> None:
    text = inserted(TEXT, 1, path, name, value)
    assert "\n".join(lines) in text
    found = read(text)
    for step in path:
        found = found[int(step)] if isinstance(found, list) else found[step]
    assert found[name] == value


def test_a_member_is_added_behind_a_remark_and_without_a_last_line_end() -> None:
    assert inserted("a: 1 # one", 0, (), "b", 2) == "a: 1 # one\nb: 2\n"
    assert inserted("spec: {}\n", 0, ("spec",), "b", [1]) == "spec: {b: [1]}\n"
    assert inserted("a:\r\n  b: 1\r\nc: 2\r\n", 0, ("a",), "d", "x") == "a:\r\n  b: 1\r\n  d: x\r\nc: 2\r\n"


def test_a_member_is_added_to_json_as_json() -> None:
    text = '{\n  "spec": {\n    "a": 1\n  }\n}\n'
    assert inserted(text, 0, ("spec",), "b", "é", as_json=True) == text.replace(": 1\n", ': 1,\n    "b": "é"\n')
    assert inserted('{"a": {}}', 0, ("a",), "b", 1, as_json=True) == '{"a": {"b": 1}}'


def test_a_member_is_not_added_where_no_mapping_stands() -> None:
    with pytest.raises(CannotRewrite):
        inserted(TEXT, 1, ("spec", "hosts"), "x", 1)


@settings(deadline=None)
@given(st.sampled_from([(), ("spec",), ("spec", "flow"), ("spec", "rules", "0"), ("spec", "rules", "1")]), values)
def test_any_value_can_be_added(path: tuple[str, ...], value: Any) -> None:
    wanted = read(TEXT)
    inside: Any = wanted
    for step in path:
        inside = inside[int(step)] if isinstance(inside, list) else inside[step]
    inside["the new one"] = value
    text = inserted(TEXT, 1, path, "the new one", value)
    assert read(text) == wanted
    for comment in ("# about the first", "# a remark", "# the second", "# keep me", "# between", "# the end"):
        assert comment in text
