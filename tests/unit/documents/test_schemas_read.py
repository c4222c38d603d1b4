"""Reading documents does not read the schemas of their kinds: a run about one file judges one kind of many."""

from __future__ import annotations

from pathlib import Path

from policysync.documents import catalog
from policysync.documents.project import load_project
from policysync.documents.worktree import WorkTree
from policysync.kinds.load import load_kinds

ROOT = Path(__file__).resolve().parents[3]


def test_documents_are_read_without_the_schemas_of_their_kinds() -> None:
    kinds = load_kinds()
    found = catalog.load(WorkTree(ROOT), load_project(ROOT, {}), kinds)
    named = {kind for kind, _ in found.base}
    read = set(kinds._loaded)
    assert len(named) > 20
    assert not {"ImageAssurancePolicy", "Label", "FirewallPolicy"} & read
    assert len(read) < 10
