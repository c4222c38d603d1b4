from __future__ import annotations

import pytest
from unit.documents.test_parse import refused, values

from policysync.documents.parse import places_of


def test_any_json_is_read() -> None:
    text = '\ufeff\t{"a"\t:\r\n\t[1, -2.5e3, true, null, "\\ud83d\\ude00\\/\\u0041"],\t"":{}}\n'
    assert values(text, "a.json") == [{"a": [1, -2500.0, True, None, "😀/A"], "": {}}]
    assert values("  \n", "a.json") == []
    assert values("017", "a.yaml") == ["017"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1,\n "a": 2}', "a.json:2:2: /a: key `a` stands here twice; keep one [duplicate-key]"),
        ('{"a": {"b": 1, "b": 2}}', "a.json:1:16: /a/b: key `b` stands here twice; keep one [duplicate-key]"),
        ("{'a': 1}", "a.json:1:2: not JSON: expecting property name enclosed in double quotes [syntax]"),
        ("a: 1", "a.json:1:1: not JSON: expecting value [syntax]"),
        ('{"a": 017}', None),
        ('{"a": 1,}', None),
        ('{"a": 1}\n// why', None),
        ('{"a": "x\ty"}', None),
        ('{"a": NaN}', "a.json:1:7: /a: NaN is not JSON [syntax]"),
        ('{"a": -Infinity}', "a.json:1:7: /a: -Infinity is not JSON [syntax]"),
        ('{"a": [1, 1e999]}', "a.json:1:11: /a/1: number is too large to hold; write it as text [number]"),
        ('{"a": "\\ud800"}', None),
        ('{"a": "x\ud800"}'.encode("utf-8", "surrogatepass"), None),
        (f'{{"a": {2**63 - 1}, "b": {2**63}}}', None),
        (f'{{"a": {"9" * 5000}}}', "a.json:1:7: /a: number is too large to hold; write it as text [number]"),
    ],
)
def test_refusals_in_json(text: str | bytes, message: str | None) -> None:
    found = refused(text, "a.json")
    assert len(found) == 1
    assert found[0] == message or message is None


def test_half_a_surrogate_pair_is_told_with_its_place() -> None:
    assert refused('{"a": 1,\n "b": "\\ud800"}', "a.json") == [
        "a.json:2:7: /b: half of a surrogate pair is not a character; write both halves [encoding]"
    ]


def test_places_in_json() -> None:
    (places,) = places_of(b'{\n\t"a" : [ 1,\n  {"b/c": "x,]}"} ],\n "d": true}', "a.json")
    assert places.value("/a/0") == (2, 10)
    assert places.value("/a/1/b~1c") == (3, 11)
    assert places.key("/a/1/b~1c") == (3, 4)
    assert places.value("/d") == (4, 7)
