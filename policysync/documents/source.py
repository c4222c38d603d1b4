"""The two sources of documents: the work tree, and a revision."""

from __future__ import annotations

from policysync.documents.revision import Revision
from policysync.documents.source_file import Source, SourceFile
from policysync.documents.worktree import WorkTree

__all__ = ["Revision", "Source", "SourceFile", "WorkTree"]
