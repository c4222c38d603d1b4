"""Laws of reading documents: what is written is what is read, and overlays compose."""

from __future__ import annotations

import json
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from policysync.documents.expand import Expansion, escaped
from policysync.documents.json_text import build as build_json
from policysync.documents.overlay import merge, trace
from policysync.documents.parse import parse, places_of
from policysync.documents.places import Refusals
from policysync.documents.scalar import plain
from policysync.kinds.field import Field
from policysync.pointer import join

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
# YAML cannot hold control characters, and we refuse what some of its readers take for line breaks.
YAML_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\ufeff\ufffe\uffff"), max_size=20
)
WHOLE = st.integers(-(2**63), 2**63 - 1)
SCALARS = st.none() | st.booleans() | WHOLE | st.floats(allow_nan=False, allow_infinity=False)


def documents(text: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
    """Any JSON value with texts of one sort."""
    return st.recursive(
        SCALARS | text,
        lambda below: st.lists(below, max_size=4) | st.dictionaries(text, below, max_size=4),
        max_leaves=20,
    )


def same(first: Any, second: Any) -> bool:
    """Equal, and of the same types all the way down."""
    return json.dumps(first) == json.dumps(second)


def read(text: str, file: str) -> Any:
    found, problems = parse(text.encode(), file)
    assert problems == ()
    return found[0].value if found else None


@given(documents(TEXT), st.sampled_from([None, 1, "\t"]), st.booleans())
def test_json_comes_back_as_it_was(value: Any, indent: int | str | None, ascii_only: bool) -> None:
    assert same(read(json.dumps(value, indent=indent, ensure_ascii=ascii_only), "a.json"), value)


@given(documents(YAML_TEXT), st.booleans())
def test_json_in_a_yaml_file_comes_back_as_it_was(value: Any, indented: bool) -> None:
    text = json.dumps(value, indent=2 if indented else None, ensure_ascii=False)
    assert same(read(text, "a.yaml"), value)


def block(value: Any, indent: int = 0) -> str:
    """Return a value as block-style YAML."""
    pad = "\n" + " " * indent
    if isinstance(value, dict) and value:
        return "".join(
            f"{pad}{json.dumps(name, ensure_ascii=False)}: {block(member, indent + 1)}"
            for name, member in value.items()
        )
    if isinstance(value, list) and value:
        return "".join(f"{pad}- {block(item, indent + 2)}" for item in value)
    return json.dumps(value, ensure_ascii=False)


@given(documents(YAML_TEXT))
def test_yaml_comes_back_as_it_was(value: Any) -> None:
    assert same(read(block(value), "a.yaml"), value)


PLAIN = st.text(st.sampled_from("0123456789abcdefABCDEFxo+-._:~eEtrufalsnyNOTRUFALSY"), max_size=9)


@given(PLAIN)
@settings(max_examples=400)
def test_plain_scalars_agree_with_the_usual_loader_where_the_versions_of_yaml_agree(text: str) -> None:
    """Wherever we read a number, a boolean or nothing, so does PyYAML, but for what YAML 1.2 added or took away."""
    ours = plain(text)
    if not text or isinstance(ours, str) or text[:2] == "0o" or "e" in text.lower():
        return
    assert same(yaml.load(f"[{text}]", yaml.CSafeLoader), [ours]) or text.endswith(".") or text[:1] in {".", "+", "-"}


@given(documents(YAML_TEXT))
def test_documents_agree_with_the_usual_loader(value: Any) -> None:
    text = yaml.dump(value, Dumper=_Careful, allow_unicode=True, sort_keys=False)
    assert same(read(text, "a.yaml"), yaml.load(text, yaml.CSafeLoader))


class _Careful(yaml.SafeDumper):
    """Quotes all texts, and writes floats so that both versions of YAML read them as floats."""


_Careful.add_representer(str, lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style='"'))
_Careful.add_representer(float, lambda dumper, number: dumper.represent_float(round(number % 1e6, 3)))


@given(documents(YAML_TEXT))
def test_every_value_has_a_place(value: Any) -> None:
    for file in ("a.json", "a.yaml"):
        text = json.dumps(value, indent=1, ensure_ascii=False)
        found = places_of(text.encode(), file)
        if value is None:
            assert found == ()
        else:
            assert set(found[0].values) == set(_pointers(value, ()))
            lines = text.split("\n")
            assert all(lines[line - 1][column - 1 :] for line, column in found[0].values.values())


def _pointers(value: Any, at: tuple[str, ...]) -> list[str]:
    below: list[tuple[str, Any]] = []
    if isinstance(value, dict):
        below = list(value.items())
    elif isinstance(value, list):
        below = [(str(index), item) for index, item in enumerate(value)]
    return [join(at), *(pointer for name, item in below for pointer in _pointers(item, (*at, name)))]


@given(st.text(st.sampled_from("{}[]:,\"\\ \t\n\r01.eE-+truefalsn*&!|>#~'é\x00\ud800"), max_size=60))
@settings(max_examples=500)
def test_nothing_breaks_the_reader(text: str) -> None:
    for file in ("a.json", "a.yaml"):
        content = text.encode("utf-8", "surrogatepass")
        found, problems = parse(content, file)
        assert not (found and problems)
        assert all(problem.where.line >= 1 and problem.where.column >= 1 for problem in problems)
        assert len(places_of(content, file)) >= len(found)


@given(st.binary(max_size=60))
def test_no_bytes_break_the_reader(content: bytes) -> None:
    for file in ("a.json", "a.yaml"):
        parse(content, file)


@given(st.lists(st.tuples(TEXT, documents(TEXT)), min_size=1, max_size=5))
def test_json_is_refused_exactly_when_a_key_stands_twice(pairs: list[tuple[str, Any]]) -> None:
    text = "{" + ", ".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in pairs) + "}"
    refusals = Refusals("a.json")
    build_json(text, refusals, None)
    assert len(refusals.problems) == len(pairs) - len(dict(pairs))


ITEMS = st.lists(st.fixed_dictionaries({"id": st.sampled_from("abc")}, optional={"x": st.integers(0, 3)}), max_size=3)
UNIQUE = ITEMS.map(lambda items: list({item["id"]: item for item in items}.values()))
KEYED = Field(key=("id",), each=Field())
ROOT = Field(properties={"rules": KEYED, "deep": Field(properties={"rules": KEYED, "n": Field()}), "n": Field()})
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "n": st.integers(0, 3),
        "rules": UNIQUE,
        "list": st.lists(st.integers(0, 3), max_size=3),
        "deep": st.fixed_dictionaries({}, optional={"n": st.integers(0, 3), "rules": UNIQUE}),
    },
)


@given(SPECS, SPECS, SPECS)
def test_overlays_compose(base: Any, first: Any, second: Any) -> None:
    assert merge(ROOT, merge(ROOT, base, first), second) == merge(ROOT, base, merge(ROOT, first, second))


@given(SPECS)
def test_an_empty_overlay_and_the_base_itself_change_nothing(spec: Any) -> None:
    assert merge(ROOT, spec, {}) == spec
    assert merge(ROOT, {}, spec) == spec
    assert merge(ROOT, spec, spec) == spec


@given(SPECS, SPECS)
def test_what_an_overlay_states_holds(base: Any, over: Any) -> None:
    merged = merge(ROOT, base, over)
    assert merge(ROOT, merged, over) == merged
    assert set(merged) == set(base) | set(over)


@given(SPECS)
def test_null_unsets(spec: Any) -> None:
    assert merge(ROOT, spec, dict.fromkeys(spec)) == {}


@given(SPECS, SPECS)
def test_every_value_of_a_merged_spec_comes_from_a_layer(base: Any, over: Any) -> None:
    merged = merge(ROOT, base, over)
    for pointer in _pointers(merged, ()):
        path = tuple(pointer.split("/")[1:])
        own = [trace(ROOT, merged, layer, path) for layer in (over, base)]
        assert any(path is not None for path in own)


@given(documents(TEXT))
def test_escaped_texts_are_never_references(value: Any) -> None:
    def every(item: Any) -> Any:
        if isinstance(item, dict):
            return {name: every(member) for name, member in item.items()}
        if isinstance(item, list):
            return [every(member) for member in item]
        return escaped(item) if isinstance(item, str) else item

    assert Expansion({}).of(Field(), {"a": every(value)}) == ({"a": value}, [])


@given(st.text(st.sampled_from("${}var.en:file x"), max_size=30))
@settings(max_examples=300)
def test_escaping_survives_odd_texts(text: str) -> None:
    assert Expansion({}).of(Field(), {"a": escaped(text)}) == ({"a": text}, [])
