"""What a broken schema rule means for an author."""

from __future__ import annotations

import pytest

from policysync.documents.explain import explain
from policysync.documents.flaw import Flaw
from policysync.kinds.load import load_kinds

KINDS = load_kinds()
REQUIRED = Flaw(value=(), rule=("required",))


def missing(kind: str, **spec: object) -> list[str]:
    return [finding.path[0] for finding in explain(KINDS[kind], spec, REQUIRED)]


def test_what_a_new_object_needs_is_named() -> None:
    assert missing("Registry", name="Harbor") == ["type"]


@pytest.mark.parametrize(
    ("kind", "spec"), [("Registry", {"name": "Docker Hub"}), ("LogManagement", {"name": "QRadar"})]
)
def test_what_is_there_from_the_start_may_be_stated_in_part(kind: str, spec: dict[str, object]) -> None:
    assert missing(kind, **spec) == []
