from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from unit.documents.world import write

from policysync.documents import cache as cache_module
from policysync.documents.cache import FileCache, NoCache, ParseCache, open_cache
from policysync.documents.parse import Parsed
from policysync.documents.source_file import SourceFile, blob_id


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's own cache folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def file(text: str, path: str = "policies/a.yaml") -> SourceFile:
    return SourceFile(path, text.encode(), blob_id(text.encode()))


def parses(cache: ParseCache, *texts: str) -> list[tuple[Parsed, ...]]:
    found = [cache.parse(file(text))[0] for text in texts]
    cache.save()
    return found


def files(root: Path) -> list[Path]:
    return sorted((root / ".policysync/cache").glob("*.sqlite"))


def test_a_second_run_remembers(tmp_path: Path, home: Path) -> None:
    first = parses(open_cache(tmp_path), "a: 1\n---\n  b: no\n")
    assert first == [(Parsed({"a": 1}, 1, 1), Parsed({"b": "no"}, 3, 3))]
    again = open_cache(tmp_path)
    lie = SourceFile("policies/a.yaml", b"other bytes: 1", blob_id(b"a: 1\n---\n  b: no\n"))
    assert again.parse(lie)[0] == first[0]
    assert (tmp_path / ".policysync/.gitignore").read_text() == "*\n"


def test_bad_files_are_read_every_time(tmp_path: Path, home: Path) -> None:
    cache = open_cache(tmp_path)
    assert cache.parse(file("a: 1\na: 2\n"))[1][0].code == "duplicate-key"
    cache.save()
    assert files(tmp_path) == []


def test_the_same_bytes_as_json_and_as_yaml(tmp_path: Path, home: Path) -> None:
    text = '{"a": 1, "b": 1e999}'
    cache = open_cache(tmp_path)
    assert cache.parse(file(text, "a.yaml"))[0]
    assert cache.parse(file(text, "a.json"))[1]


def test_good_verdicts_are_remembered(tmp_path: Path, home: Path) -> None:
    cache = open_cache(tmp_path)
    assert not cache.is_good("abc")
    cache.good("abc")
    cache.save()
    assert open_cache(tmp_path).is_good("abc")


def test_a_broken_cache_is_thrown_away(tmp_path: Path, home: Path) -> None:
    parses(open_cache(tmp_path), "a: 1\n")
    (path,) = files(tmp_path)
    path.write_bytes(b"no database" * 100)
    assert parses(open_cache(tmp_path), "a: 1\n") == [(Parsed({"a": 1}),)]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM parsed").fetchone() == (1,)


@pytest.mark.parametrize("entry", [b"not json", b"7", b"[7]", b"[[1]]"])
def test_a_broken_entry_is_parsed_again(tmp_path: Path, home: Path, entry: bytes) -> None:
    parses(open_cache(tmp_path), "a: 1\n")
    with closing(sqlite3.connect(files(tmp_path)[0])) as connection, connection:
        connection.execute("UPDATE parsed SET documents = ?", (entry,))
    assert parses(open_cache(tmp_path), "a: 1\n") == [(Parsed({"a": 1}),)]


def test_a_cache_with_another_table(tmp_path: Path, home: Path) -> None:
    parses(open_cache(tmp_path), "a: 1\n")
    with closing(sqlite3.connect(files(tmp_path)[0])) as connection, connection:
        connection.execute("DROP TABLE parsed")
    assert parses(open_cache(tmp_path), "a: 1\n") == [(Parsed({"a": 1}),)]


def test_where_nothing_can_be_written(tmp_path: Path, home: Path) -> None:
    write(tmp_path, {".policysync": "a file in the way"})
    assert parses(open_cache(tmp_path), "a: 1\n") == [(Parsed({"a": 1}),)]


def test_a_user_without_a_cache_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"home": "a file in the way"})
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home"))
    assert isinstance(open_cache(tmp_path), NoCache)
    assert parses(open_cache(tmp_path), "a: 1\n") == [(Parsed({"a": 1}),)]
    assert not NoCache().is_good("x")


def test_a_cache_somebody_brought_along_is_not_read(tmp_path: Path, home: Path) -> None:
    parses(open_cache(tmp_path), "a: 1\n")
    (known,) = files(tmp_path)
    known.rename(known.with_name("documents-0123456789abcdef.sqlite"))
    assert parses(open_cache(tmp_path), "a: 1\n") == [(Parsed({"a": 1}),)]
    assert known in files(tmp_path)


def test_a_full_cache_starts_afresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache_module, "ENTRIES", 2)
    path = tmp_path / "c.sqlite"
    parses(FileCache(path), "a: 1\n", "a: 2\n")
    parses(FileCache(path), "a: 3\n")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM parsed").fetchone() == (1,)
