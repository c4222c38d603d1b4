from __future__ import annotations

import gc
from typing import Any

import pytest

from policysync.documents.parse import collector_off, only_one, parse, places_of
from policysync.documents.places import NESTING
from policysync.documents.yaml_text import ALIASED
from policysync.errors import InvalidInput


def values(text: str | bytes, file: str = "a.yaml") -> list[Any]:
    content = text if isinstance(text, bytes) else text.encode()
    documents, problems = parse(content, file)
    assert problems == ()
    return [document.value for document in documents]


def refused(text: str | bytes, file: str = "a.yaml") -> list[str]:
    documents, problems = parse(text if isinstance(text, bytes) else text.encode(), file)
    assert documents == ()
    return [str(problem) for problem in problems]


def test_several_documents_and_empty_ones() -> None:
    assert values("# nothing\n---\na: 1\n---\n---\n- x\n...\n") == [{"a": 1}, ["x"]]
    assert values("") == []
    assert values("# only a comment\n") == []


def test_where_documents_start() -> None:
    documents, _ = parse(b"# why\n\na: 1\n---\n  - x\n", "a.yaml")
    assert [(d.line, d.column) for d in documents] == [(3, 1), (5, 3)]


@pytest.mark.parametrize("text", [b"\xef\xbb\xbfa: 1\r\nb:\r\n  - x\r\n", b"a: 1\nb:\n  - x\n"])
def test_byte_order_mark_and_crlf_are_fine(text: bytes) -> None:
    assert values(text) == [{"a": 1, "b": ["x"]}]


def test_quotes_and_the_text_tag_make_text() -> None:
    assert values("a: '1'\nb: \"no\"\nc: !!str 7\nd: |\n  x\n  y\n") == [{"a": "1", "b": "no", "c": "7", "d": "x\ny\n"}]


def test_keys_are_text() -> None:
    assert values("1: a\ntrue: b\n~: c\n'q r': d\n") == [{"1": "a", "true": "b", "~": "c", "q r": "d"}]


def test_aliases_repeat_values() -> None:
    assert values("a: &x [1, 2]\nb: *x\nc: &y z\nd: *y\n") == [{"a": [1, 2], "b": [1, 2], "c": "z", "d": "z"}]
    assert values("&k a: 1\nb: *k\n") == [{"a": 1, "b": "a"}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: 1\nb: 2\n a: 3\n", "a.yaml:3:3: not YAML: mapping values are not allowed in this context [syntax]"),
        ("a: 1\nb: x\na: 3\n", "a.yaml:3:1: /a: key `a` stands here twice; keep one [duplicate-key]"),
        ("x:\n  - {b: 1, b: 2}\n", "a.yaml:2:12: /x/0/b: key `b` stands here twice; keep one [duplicate-key]"),
        (
            "a: &x {b: 1}\nc:\n  <<: *x\n",
            "a.yaml:3:3: /c/<<: merge key `<<` is refused; write the members out [merge-key]",
        ),
        ("? [a, b]\n: 1\n", "a.yaml:1:3: a key has to be plain text [key]"),
        ("? {a: b}\n: 1\n", "a.yaml:1:3: a key has to be plain text [key]"),
        ("a: &x k\n*x : 1\n", "a.yaml:2:1: a key has to be plain text [key]"),
        ("a: !!python/name:os.system x\n", None),
        ("a: !secret x\n", "a.yaml:1:4: /a: tag '!secret' is refused; write plain data [tag]"),
        ("a: ! x\n", "a.yaml:1:4: /a: tag '!' is refused; write plain data [tag]"),
        ("a: !!int '3'\n", None),
        ("a: !!str [x]\n", None),
        ("!!str a: 1\n!x b: 2\n", "a.yaml:2:1: tag '!x' is refused; write plain data [tag]"),
        ("a: *x\n", "a.yaml:1:4: /a: alias `*x` names no anchor above it [alias]"),
        ("a: &x\n  b: *x\n", "a.yaml:2:6: /a/b: alias `*x` stands inside its own anchor [alias]"),
        ("a: &x 1\n---\nb: *x\n", "a.yaml:3:4: /b: alias `*x` names no anchor above it [alias]"),
        ("a:\n\tb: 1\n", "a.yaml:2:1: a tab cannot indent YAML; use spaces [syntax]"),
        ("a: @x\n", "a.yaml:1:4: `@` cannot start a value; put the value in quotes [syntax]"),
        ("a: 'x\n", None),
        ("a: [1, 2\n", None),
        ("a: x\x07y\n", "a.yaml:1:5: character U+0007 is not allowed in YAML [syntax]"),
        (
            "a: 1\nb: x\u2028y\n",
            "a.yaml:2:5: character U+2028 is a line break to some parsers; "
            'write "\\u2028" inside double quotes [syntax]',
        ),
        (b"a: 1\nb: x\xff\n", "a.yaml:2:5: byte 0xff is not UTF-8; save the file as UTF-8 [encoding]"),
        ("a: 1\n".encode("utf-16"), "a.yaml:1:1: byte 0xff is not UTF-8; save the file as UTF-8 [encoding]"),
    ],
)
def test_refusals_in_yaml(text: str | bytes, message: str | None) -> None:
    found = refused(text)
    assert len(found) == 1
    assert found[0] == message or message is None


def test_every_refusal_of_a_file_is_told() -> None:
    assert refused("a: !x 1\nb: 2\nb: 3\n") == [
        "a.yaml:1:4: /a: tag '!x' is refused; write plain data [tag]",
        "a.yaml:3:1: /b: key `b` stands here twice; keep one [duplicate-key]",
    ]


@pytest.mark.parametrize("file", ["a.yaml", "a.json"])
def test_nesting_has_a_limit(file: str) -> None:
    assert values("[" * NESTING + "]" * NESTING, file)
    found = refused("[" * (NESTING + 1) + "]" * (NESTING + 1), file)
    assert found == [
        f"{file}:1:{NESTING + 1}: {'/0' * NESTING}: nested deeper than {NESTING} levels [nesting]",
    ]
    assert len(refused("[" * 100_000, file)) == 1


def test_an_alias_bomb_is_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    found = refused("\n".join(lines))
    assert len(found) == 1
    assert f"aliases repeat more than {ALIASED} values; write them out [alias-budget]" in found[0]
    assert found[0].startswith("a.yaml:5:10: /a4/0: ")


def test_places_of_keys_and_values() -> None:
    (places,) = places_of(b"a:\n  - x\n  - {b/c: 1}\nd: &z\n  e: 2\nf: *z\n", "a.yaml")
    assert places.value("/a") == (2, 3)
    assert places.value("/a/1/b~1c") == (3, 11)
    assert places.key("/a/1/b~1c") == (3, 6)
    assert places.key("/a/0") == (2, 5)
    assert places.value("/f/e") == (6, 4)
    assert places.value("/nowhere") == (1, 1)


def test_places_belong_to_the_documents_that_hold_something() -> None:
    first, second = places_of(b"---\n---\na: 1\n---\n b: 2\n", "a.yaml")
    assert (first.value("/a"), second.value("/b")) == ((3, 4), (5, 5))
    assert places_of(b"\xff", "a.yaml") == ()


def test_one_document_where_one_is_wanted() -> None:
    assert only_one(*parse(b"a: 1\n", "p.yaml"), "p.yaml") == {"a": 1}
    assert only_one(*parse(b"", "p.yaml"), "p.yaml") is None
    with pytest.raises(InvalidInput, match=r"p.yaml:3:1: a second document; want one in this file \[second-document\]"):
        only_one(*parse(b"a: 1\n---\nb: 2\n", "p.yaml"), "p.yaml")
    with pytest.raises(InvalidInput, match="duplicate-key"):
        only_one(*parse(b"a: 1\na: 2\n", "p.yaml"), "p.yaml")


def test_the_collector_rests_and_comes_back() -> None:
    with collector_off():
        assert not gc.isenabled()
        with collector_off():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
