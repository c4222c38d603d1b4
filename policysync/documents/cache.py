"""Remembers what files were parsed to, by the bytes they hold. Losing it costs time and nothing else."""

from __future__ import annotations

from policysync.documents.parse import Parsed, parse
from policysync.documents.source_file import SourceFile
from policysync.errors import Problem


class NoCache:
    """Parses every file."""

    def parse(self, file: SourceFile) -> tuple[tuple[Parsed, ...], tuple[Problem, ...]]:
        """Return the documents of a file, or none and what is wrong with it."""
        return parse(file.content, file.path)

    def save(self) -> None:
        """Write what was learnt."""


ParseCache = NoCache
