"""The one way to write a document."""

from __future__ import annotations

import json
from textwrap import dedent

import pytest

from policysync.documents.canonical import Order, canonical, order_of
from policysync.documents.document import Document
from policysync.errors import Location
from policysync.kinds.load import load_kinds

KIND = load_kinds()["ImageAssurancePolicy"]
ENVELOPE = order_of(Document(Location("a.yaml"), 0, KIND.name, "Default", "", {}), KIND)
EXPORT = order_of(Document(Location("a.json"), 0, KIND.name, "Default", "", {}, below=""), KIND)


def written(text: str, file: str = "a.yaml", documents: int = 1, order: Order = ENVELOPE) -> str:
    return canonical(text.encode(), file, dict.fromkeys(range(documents), order)).decode()


def yaml(text: str) -> str:
    return dedent(text).lstrip("\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a: yes", "a: 'yes'"),
        ("a: no", "a: 'no'"),
        ("a: 1:30", "a: '1:30'"),
        ("a: 2026-01-01", "a: '2026-01-01'"),
        ("a: 017", "a: '017'"),
        ("a: 12e400", "a: '12e400'"),
        ('a: "636"', "a: '636'"),
        ('a: "text"', "a: text"),
        ("a: 'two words'", "a: two words"),
        ('a: "it\'s"', "a: it's"),
        ('a: "#x"', "a: '#x'"),
        ('a: "${env:X}"', "a: ${env:X}"),
        ('a: {b: "${env:X}"}', "a: {b: '${env:X}'}"),
        ("a: True", "a: true"),
        ("a: ~", "a: null"),
        ("a: 0x1F", "a: 0x1F"),
        ("a: 1.50", "a: 1.50"),
        ("a:", "a:"),
        ('a: "x\\ty"', 'a: "x\\ty"'),
        ('a: "x\\ny"', 'a: "x\\ny"'),
        ("a: &x 'b'", "a: &x 'b'"),
        ("a: !!str 5", "a: !!str 5"),
        ("'on': 1", "'on': 1"),
        ('"a": 1', "a: 1"),
        ("a: |\n  yes\n  no\n", "a: |\n  yes\n  no"),
        ("a: [yes, 'b', \"1\"]", "a: ['yes', b, '1']"),
        ("a: one\n  two", "a: one\n  two"),
    ],
)
def test_texts_are_quoted_where_a_parser_needs_it(before: str, after: str) -> None:
    assert written(before, order=Order()) == after + "\n"


def test_members_are_ordered_with_their_comments() -> None:
    before = """
        # About the file.
        spec:
          # why seven
          maximum_score: 7  # of ten
          # two lines
          # about auditing
          audit_on_failure: true
          maximum_score_enabled: true
        metadata:
          labels: {team: platform}
          name: Default
        kind: ImageAssurancePolicy
        apiVersion: policysync/v1
        # at the end
    """
    after = """
        # About the file.
        apiVersion: policysync/v1
        kind: ImageAssurancePolicy
        metadata:
          name: Default
          labels: {team: platform}
        spec:
          # two lines
          # about auditing
          audit_on_failure: true
          maximum_score_enabled: true
          # why seven
          maximum_score: 7  # of ten
        # at the end
    """
    assert written(yaml(before)) == yaml(after)


def test_an_empty_line_parts_groups_that_are_ordered_for_themselves() -> None:
    before = """
        spec:
          maximum_score: 7
          audit_on_failure: true

          # scanning
          scan_sensitive_data: true
          block_failed: true
    """
    after = """
        spec:
          audit_on_failure: true
          maximum_score: 7

          block_failed: true
          # scanning
          scan_sensitive_data: true
    """
    assert written(yaml(before)) == yaml(after)


def test_elements_keep_their_order_and_start_with_their_key() -> None:
    before = """
        spec:
          trusted_base_images:
            - imagename: z   # last
              registry: Hub
            - {imagename: a, registry: Hub}
            - # odd
              imagename: b
              registry: Hub
    """
    after = """
        spec:
          trusted_base_images:
            - registry: Hub
              imagename: z   # last
            - {registry: Hub, imagename: a}
            - # odd
              registry: Hub
              imagename: b
    """
    assert written(yaml(before)) == yaml(after)


def test_values_of_many_lines_move_whole() -> None:
    before = """
        spec:
          maximum_score: 7
          description: |+
            two
              lines

          audit_on_failure: true
    """
    assert written(yaml(before)).index("description") < written(yaml(before)).index("maximum_score")
    assert "    two\n      lines\n\n" in written(yaml(before))


def test_deeper_comments_belong_to_the_value_above() -> None:
    before = """
        spec:
          trusted_base_images:
            - registry: Hub
              # imagename: commented out
          audit_on_failure: true
    """
    after = """
        spec:
          audit_on_failure: true
          trusted_base_images:
            - registry: Hub
              # imagename: commented out
    """
    assert written(yaml(before)) == yaml(after)


@pytest.mark.parametrize(
    "text",
    [
        "spec:\n  maximum_score: &x '7'\n  audit_on_failure: *x\n",
        "? spec\n: maximum_score: 7\n",
        "spec: {maximum_score: 7, # why\n  audit_on_failure: true}\n",
        "",
        "# nothing\n",
        "---\n...\n",
    ],
)
def test_what_cannot_be_moved_stays(text: str) -> None:
    assert written(text) == text


def test_a_text_that_ends_the_file_without_a_line_end_keeps_its_value() -> None:
    assert written("kind: |\n  a\n  b") == "kind: |\n  a\n  b"
    assert written("kind: a") == "kind: a\n"


def test_every_document_of_a_file_is_written() -> None:
    text = "---\nkind: A\napiVersion: v\n---\n# second\nkind: B\napiVersion: v\n"
    assert written(text, documents=2) == "---\napiVersion: v\nkind: A\n---\n# second\napiVersion: v\nkind: B\n"


def test_line_ends_and_byte_order_marks_stay() -> None:
    text = "\ufeffkind: A\r\napiVersion: 'v'\r\n"
    assert written(text) == "\ufeffapiVersion: v\r\nkind: A\r\n"


def test_json_is_indented_and_ordered() -> None:
    text = '{"spec": {"maximum_score": 7.0, "audit_on_failure": true}, "kind": "Größe", "apiVersion": "v"}'
    new = written(text, "a.json")
    assert list(json.loads(new)) == ["apiVersion", "kind", "spec"]
    assert '"maximum_score": 7.0' in new
    assert "Größe" in new
    assert new.startswith("{\n  ")
    assert written(new, "a.json") == new


def test_an_export_is_ordered_by_its_schema() -> None:
    assert list(json.loads(written('{"maximum_score": 7, "name": "x"}', "a.json", order=EXPORT))) == [
        "name",
        "maximum_score",
    ]
