"""The sources of documents: the work tree, a revision, and a release, which is made of revisions."""

from __future__ import annotations

from policysync.documents.released import Released
from policysync.documents.revision import Revision
from policysync.documents.source_file import Source, SourceFile
from policysync.documents.worktree import WorkTree

__all__ = ["Released", "Revision", "Source", "SourceFile", "WorkTree"]
