"""The objects of one console in SQLite.

Bodies are kept as the bytes that go out, so that reading one object is one look-up and nothing else. Two
processes may use the same file: every write is one immediate transaction.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, ident TEXT NOT NULL, key TEXT NOT NULL, scope TEXT NOT NULL,
    expires REAL, summary BLOB, body BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS by_ident ON objects (kind, ident);
CREATE INDEX IF NOT EXISTS by_key ON objects (scope, key);
CREATE INDEX IF NOT EXISTS by_kind ON objects (kind, key);
CREATE INDEX IF NOT EXISTS by_expiry ON objects (expires) WHERE expires IS NOT NULL;
"""
_BY_IDENT = "SELECT number, kind, ident, key, scope, body, summary, expires FROM objects WHERE kind = ? AND ident = ?"
_BY_KEY = "SELECT number, kind, ident, key, scope, body, summary, expires FROM objects WHERE scope = ? AND key = ?"
_PUT = """
INSERT OR REPLACE INTO objects (number, kind, ident, key, scope, body, summary, expires)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
"""
# The page is cut from an index alone; only the bodies that are shown are then read.
_LIST = """
WITH page (place, first) AS (
    SELECT number, key FROM objects INDEXED BY by_kind WHERE kind IN (SELECT value FROM json_each(?))
    ORDER BY {inner} LIMIT ? OFFSET ?
)
SELECT coalesce(summary, body) FROM page JOIN objects ON number = place ORDER BY {outer}
"""
_PAGE = {
    "": _LIST.format(inner="number", outer="place"),
    "-": _LIST.format(inner="number DESC", outer="place DESC"),
    "name": _LIST.format(inner="key, number", outer="first, place"),
    "-name": _LIST.format(inner="key DESC, number DESC", outer="first DESC, place DESC"),
}
_COUNT = "SELECT count(*) FROM objects WHERE kind IN (SELECT value FROM json_each(?))"
_CLEAR = "DELETE FROM objects WHERE kind IN (SELECT value FROM json_each(?))"
_BUSY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Stored:
    """One object.

    Attributes:
        number: its place in the order of creation; 0 before it is stored.
        ident: what stands for it in a URL.
        key: its natural key, unique within `scope` unless the server does not care.
        body: the JSON a read gives.
        summary: the JSON a list gives; None when that is the whole body.
        expires: unix seconds after which it is gone.
    """

    number: int
    kind: str
    ident: str
    key: str
    scope: str
    body: bytes
    summary: bytes | None = None
    expires: float | None = None


class Store:
    """A console's memory: a file, or memory alone when `path` is None. Usable from many threads."""

    def __init__(self, path: Path | None = None) -> None:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._base = sqlite3.connect(
            path or ":memory:", timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        # Two or three bodies fit on a page of this size without spilling over.
        self._base.execute("PRAGMA page_size=8192")
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute("PRAGMA synchronous=NORMAL")
        with self.writing():
            for statement in filter(str.strip, _TABLES.split(";")):
                self._base.execute(statement)

    def close(self) -> None:
        with self._lock:
            self._base.close()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Make what happens inside one step that no other process can get between; all of it or nothing."""
        with self._lock:
            if self._base.in_transaction:
                yield
                return
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._base.execute("ROLLBACK")
                raise
            self._base.execute("COMMIT")

    def get(self, kinds: Sequence[str], ident: str) -> Stored | None:
        """Return the object a URL names, of the first of `kinds` that has it."""
        for kind in kinds:
            for row in self._all(_BY_IDENT, (kind, ident)):
                return Stored(*row)
        return None

    def named(self, scope: str, key: str) -> Stored | None:
        """Return the object with a natural key."""
        for row in self._all(_BY_KEY, (scope, key)):
            return Stored(*row)
        return None

    def page(self, kinds: Sequence[str], order: str, start: int, size: int) -> list[bytes]:
        """Return what a list shows of `size` objects from the `start`-th on. `order` is "name", "-name", "" or "-"."""
        rows = self._all(_PAGE[order], (json.dumps(list(kinds)), size, start))
        return [row[0] for row in rows]

    def count(self, kinds: Sequence[str]) -> int:
        return int(self._all(_COUNT, (json.dumps(list(kinds)),))[0][0])

    def put(self, stored: Stored) -> None:
        """Store an object; one with a number replaces that row."""
        values = (stored.kind, stored.ident, stored.key, stored.scope, stored.body, stored.summary, stored.expires)
        with self._lock:
            self._base.execute(_PUT, (stored.number or None, *values))

    def delete(self, numbers: Sequence[int]) -> None:
        with self._lock:
            self._base.executemany("DELETE FROM objects WHERE number = ?", [(number,) for number in numbers])

    def clear(self, kinds: Sequence[str]) -> None:
        with self._lock:
            self._base.execute(_CLEAR, (json.dumps(list(kinds)),))

    def expire(self, now: float) -> None:
        """Remove what has had its time. Looks first, because a look takes no write lock."""
        if self._all("SELECT 1 FROM objects WHERE expires <= ? LIMIT 1", (now,)):
            with self._lock:
                self._base.execute("DELETE FROM objects WHERE expires <= ?", (now,))

    def fact(self, name: str) -> str | None:
        for row in self._all("SELECT value FROM facts WHERE name = ?", (name,)):
            return str(row[0])
        return None

    def remember(self, name: str, value: str) -> None:
        with self._lock:
            self._base.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, value))

    def number(self) -> int:
        """Return the next id of this console. Only inside `writing`."""
        number = int(self.fact("number") or "0") + 1
        self.remember("number", str(number))
        return number

    def _all(self, statement: str, values: Sequence[object]) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._base.execute(statement, values).fetchall()
