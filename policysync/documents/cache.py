"""Remembers what files were parsed to, by the bytes they hold. Losing it costs time and nothing else.

The cache lies in the policy repository, where a pull request could bring one along whose entries are lies. So the
name of its file comes from a random number in the user's own cache folder, which no pull request can know.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Protocol

import orjson

from policysync.documents.parse import LOADER, Parsed, language, parse
from policysync.documents.source_file import SourceFile
from policysync.errors import Problem

ENTRIES = 100_000
"""How many files and verdicts are remembered before the cache starts afresh."""

Parses = tuple[tuple[Parsed, ...], tuple[Problem, ...]]
_TABLE = "CREATE TABLE IF NOT EXISTS parsed (key TEXT PRIMARY KEY, documents BLOB NOT NULL) WITHOUT ROWID"


class ParseCache(Protocol):
    """Parses files, or remembers what they were parsed to."""

    def parse(self, file: SourceFile) -> Parses:
        """Return the documents of a file, or none and what is wrong with it."""

    def is_good(self, digest: str) -> bool:
        """Whether something with this digest was found to be good before."""

    def good(self, digest: str) -> None:
        """Remember that something with this digest is good."""

    def save(self) -> None:
        """Keep what was learnt for the next run."""


class NoCache:
    """Parses every file."""

    def parse(self, file: SourceFile) -> Parses:
        """Return the documents of a file, or none and what is wrong with it."""
        return parse(file.content, file.path)

    def is_good(self, _digest: str) -> bool:
        """Answer no."""
        return False

    def good(self, digest: str) -> None:
        """Forget it."""

    def save(self) -> None:
        """Keep nothing."""


class FileCache:
    """Remembers good files in a SQLite file. When that cannot be read or written, every file is parsed."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._known = self._load()
        self._learnt: dict[str, bytes] = {}

    def parse(self, file: SourceFile) -> Parses:
        """Return the documents of a file, or none and what is wrong with it."""
        key = f"{LOADER}:{language(file.path)}:{file.blob}"
        known = self._known.get(key)
        if known is not None:
            with suppress(orjson.JSONDecodeError, TypeError, ValueError):
                return tuple(Parsed(value, line, column) for value, line, column in orjson.loads(known)), ()
        documents, problems = parse(file.content, file.path)
        if not problems:
            self._learnt[key] = orjson.dumps([[d.value, d.line, d.column] for d in documents])
        return documents, problems

    def is_good(self, digest: str) -> bool:
        """Whether something with this digest was found to be good before."""
        return f"good:{digest}" in self._known

    def good(self, digest: str) -> None:
        """Remember that something with this digest is good."""
        self._learnt[f"good:{digest}"] = b""

    def save(self) -> None:
        """Keep what was learnt for the next run."""
        if not self._learnt:
            return
        with suppress(OSError, sqlite3.Error):
            _own_folder(self._file.parent)
            with closing(sqlite3.connect(self._file, timeout=1)) as connection, connection:
                connection.execute("PRAGMA synchronous = OFF")
                connection.execute(_TABLE)
                if len(self._known) + len(self._learnt) > ENTRIES:
                    connection.execute("DELETE FROM parsed")
                connection.executemany("INSERT OR REPLACE INTO parsed VALUES (?, ?)", self._learnt.items())
        self._learnt = {}

    def _load(self) -> dict[str, bytes]:
        try:
            if not self._file.is_file():
                return {}
            with closing(sqlite3.connect(self._file, timeout=1)) as connection:
                return dict(connection.execute("SELECT key, documents FROM parsed"))
        except (OSError, sqlite3.DatabaseError):
            with suppress(OSError):
                self._file.unlink()
            return {}


def open_cache(root: Path) -> ParseCache:
    """Return the cache of a policy repository; one that remembers nothing where the user has no place for secrets."""
    name = _private_name()
    return FileCache(root / ".policysync" / "cache" / f"documents-{name}.sqlite") if name else NoCache()


def _private_name() -> str:
    home = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    file = Path(home) / "policysync" / "cache-name"
    try:
        if not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with suppress(FileExistsError), file.open("x", encoding="ascii") as out:
                out.write(os.urandom(16).hex())
        # As UTF-8, whose decoder is there already.
        name = file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError, RuntimeError):
        return ""
    return name if name.isalnum() and name.isascii() else ""


def _own_folder(folder: Path) -> None:
    if folder.is_dir():
        return
    folder.mkdir(parents=True)
    ignore = folder.parent / ".gitignore"
    if not ignore.exists():
        ignore.write_text("*\n", encoding="ascii")
