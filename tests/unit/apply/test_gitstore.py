from __future__ import annotations

import os
import platform
from datetime import timedelta
from pathlib import Path

import pytest
from unit.apply.world import git

from policysync.apply.gitstore import Author, GitStore, RefMoved, blob_id
from policysync.clock import FakeClock
from policysync.errors import PolicySyncError

REF = "refs/policysync/test"
ADA = Author("Ada", "ada@example.com")
BARE = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}


@pytest.fixture
def store(repo: Path) -> GitStore:
    return GitStore(repo, BARE)


def commit(store: GitStore, parent: str, **files: bytes | None) -> str:
    return store.commit(REF, parent, dict(files), message="so\n", author=ADA, at=FakeClock().now())


def contents(store: GitStore, commit: str) -> dict[str, bytes]:
    tree = store.tree(commit)
    return dict(zip(tree, store.read(tree.values()), strict=True))


def test_files_come_and_go(store: GitStore) -> None:
    first = commit(store, "", a=b"1\n", b=b"", c=b"x" * 70_000)
    assert contents(store, first) == {"a": b"1\n", "b": b"", "c": b"x" * 70_000}
    second = commit(store, first, a=b"2", b=None)
    assert contents(store, second) == {"a": b"2", "c": b"x" * 70_000}
    assert store.commits(second) == [second, first]
    assert store.tips("refs") == {REF: second}


def test_a_lost_race_keeps_nothing(store: GitStore) -> None:
    first = commit(store, "", a=b"1")
    second = commit(store, first, a=b"2")
    with pytest.raises(RefMoved):
        commit(store, first, a=b"3")
    with pytest.raises(RefMoved):
        commit(store, "", a=b"4")
    assert store.tips("refs") == {REF: second}


def test_a_folder_is_taken_away_as_a_whole(store: GitStore) -> None:
    first = store.commit(REF, "", {"f/a": b"", "f/b": b"", "g": b""}, message="", author=ADA, at=FakeClock().now())
    assert set(store.tree(commit(store, first, f=None))) == {"g"}


def test_a_blob_is_named_as_git_names_it(store: GitStore) -> None:
    tree = store.tree(commit(store, "", a=b"hello"))
    assert tree["a"] == blob_id(b"hello", like=tree["a"])


def test_what_is_not_there_is_not_read(store: GitStore) -> None:
    first = commit(store, "", a=b"1")
    assert list(store.read([f"{first}:nothing", f"{first}:a"])) == [b"1"]
    assert list(store.read([])) == []


@pytest.mark.parametrize(
    ("host", "pid", "age", "stays"),
    [
        ("", str(os.getpid()), 7200, True),
        ("", "4194399", 0, False),
        ("elsewhere", "1", 60, True),
        ("elsewhere", "1", 7200, False),
        ("", "odd", 60, True),
        ("", "odd", 7200, False),
    ],
    ids=["ours", "dead", "of another machine", "old", "of nobody", "of nobody, and old"],
)
def test_what_a_killed_writer_left_is_swept_away(store: GitStore, host: str, pid: str, age: int, stays: bool) -> None:
    first = commit(store, "", a=b"1")
    holding = f"refs/policysync/new/{host or platform.node()}/{pid}-0"
    git(store.root, "update-ref", holding, first)
    store.sweep(FakeClock().now() + timedelta(seconds=age))
    assert (holding in store.tips("refs")) is stays
    assert store.tips("refs")[REF] == first


@pytest.mark.parametrize(
    ("settings", "environ", "author"),
    [
        ({}, {}, "policysync <policysync@localhost>"),
        ({"user.name": "Ada L", "user.email": "ada@example.com"}, {}, "Ada L <ada@example.com>"),
        ({"user.name": "Ada"}, {"GIT_COMMITTER_NAME": "CI <bot>\n"}, "CI bot <policysync@localhost>"),
    ],
)
def test_who_it_is_by(repo: Path, settings: dict[str, str], environ: dict[str, str], author: str) -> None:
    for name, value in settings.items():
        git(repo, "config", name, value)
    assert str(GitStore(repo, BARE | environ).author()) == author


def test_inside_and_outside(repo: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    (repo / "deep").mkdir()
    assert GitStore(repo / "deep", BARE).inside()
    assert not GitStore(tmp_path_factory.mktemp("plain"), BARE | {"GIT_CEILING_DIRECTORIES": "/"}).inside()


def test_a_repository_git_does_not_trust_is_an_error_and_not_outside(repo: Path) -> None:
    (repo / ".git" / "config").write_text("[core\n")
    with pytest.raises(PolicySyncError, match=r"git rev-parse failed: .*bad config"):
        GitStore(repo, BARE).inside()


def test_the_environment_of_a_hook_does_not_lead_elsewhere(repo: Path) -> None:
    store = GitStore(repo, BARE | {"GIT_DIR": "/nowhere", "GIT_INDEX_FILE": "/nowhere/index"})
    assert commit(store, "", a=b"1")


def test_without_git(repo: Path, tmp_path: Path) -> None:
    with pytest.raises(PolicySyncError, match="git is not installed"):
        GitStore(repo, {"PATH": str(tmp_path)}).inside()
