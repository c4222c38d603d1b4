"""Formatting changes how a document is written, never what it says, and doing it twice does nothing more."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from policysync.documents.canonical import Order, WouldChange, canonical, order_of
from policysync.documents.document import Document
from policysync.documents.emit import emit, emit_inline
from policysync.documents.parse import parse
from policysync.errors import Location
from policysync.kinds.load import load_kinds

KIND = load_kinds()["ImageAssurancePolicy"]
ORDER = order_of(Document(Location("a.yaml"), 0, KIND.name, "Default", "", {}), KIND)
FIELDS = [*list(KIND.root.properties)[:30], "trusted_base_images", "scope", "unknown"]

texts = st.one_of(
    st.text(max_size=12), st.sampled_from(["yes", "1:30", "#x", "a: b", "${env:X}", "- a", "two\nlines\n"])
)
whole = st.integers(-(2**63), 2**63 - 1)
scalars = st.one_of(texts, st.booleans(), whole, st.floats(allow_nan=False, allow_infinity=False), st.none())
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["name", "registry", "imagename", "variables", "value", "x y"]), inner, max_size=4
        ),
    ),
    max_leaves=8,
)
specs = st.dictionaries(st.sampled_from(FIELDS), values, max_size=6)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """Return a document whose members stand in any order, in blocks and brackets, with comments and empty lines."""
    spec = draw(specs)
    flow = draw(st.sets(st.sampled_from(FIELDS)))
    lines = []
    for name, value in spec.items():
        body = f"{name}: {emit_inline(value)}\n" if name in flow else emit({name: value})
        lines += [f"  {line}" for line in body.rstrip("\n").split("\n")]
    noisy = []
    for line in lines:
        opens = re.match(r"  [a-z_]+:", line)
        noisy += draw(st.sampled_from([[], [""], ["  # above"], ["", "  # far", "", "  # near"]])) if opens else []
        noisy.append(line)
    metadata = "metadata: {labels: {b: c}, name: Default}\n"
    head = "# head\n" if draw(st.booleans()) else ""
    return f"{head}spec:\n" + "".join(f"{line}\n" for line in noisy) + metadata + 'kind: "K"\napiVersion: v\n'


def said(content: bytes, file: str) -> str:
    found, problems = parse(content, file)
    assert not problems
    return json.dumps([one.value for one in found], sort_keys=True)


def comments(text: str) -> list[str]:
    return sorted(line.strip() for line in text.splitlines() if line.lstrip().startswith("# "))


@given(documents())
def test_a_document_says_the_same_afterwards(text: str) -> None:
    found, problems = parse(text.encode(), "a.yaml")
    if problems:
        return
    new = canonical(text.encode(), "a.yaml", {0: ORDER})
    assert said(new, "a.yaml") == said(text.encode(), "a.yaml")
    assert comments(new.decode()) == comments(text)
    assert canonical(new, "a.yaml", {0: ORDER}) == new
    (written,) = parse(new, "a.yaml")[0]
    assert list(written.value) == ["apiVersion", "kind", "metadata", "spec"]
    assert list(written.value["metadata"]) == ["name", "labels"]
    assert len(found) == 1


@given(st.text(max_size=200))
def test_any_text_keeps_its_meaning_or_is_left_alone(text: str) -> None:
    content = text.encode(errors="replace")
    if parse(content, "a.yaml")[1]:
        return
    try:
        new = canonical(content, "a.yaml", {0: ORDER, 1: ORDER})
    except WouldChange:
        return
    assert said(new, "a.yaml") == said(content, "a.yaml")
    assert canonical(new, "a.yaml", {0: ORDER, 1: ORDER}) == new


@given(specs)
def test_json_says_the_same_afterwards(spec: dict[str, Any]) -> None:
    content = json.dumps({"spec": spec, "kind": "K"}).encode()
    if parse(content, "a.json")[1]:
        return
    new = canonical(content, "a.json", {0: ORDER})
    assert said(new, "a.json") == said(content, "a.json")
    assert canonical(new, "a.json", {0: ORDER}) == new


def test_an_order_that_knows_nothing_keeps_everything() -> None:
    assert Order().sorted(["b", "a"]) == ["b", "a"]
