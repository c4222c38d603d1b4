from __future__ import annotations

from pathlib import Path

import pytest
from unit.documents.world import git, write

from policysync.documents import source_file
from policysync.documents.source import Revision, Source, WorkTree
from policysync.errors import PolicySyncError

FILES = {
    "policysync.yaml": "version: 1\n",
    "policies/base/a.yaml": "a: 1\n",
    "policies/base/deep/b.json": "{}",
    "policies/stages/dev/c.yml": "c: 1\n",
    "policies/base/.hidden.yaml": "x: 1\n",
    "policies/base/.git/x.yaml": "x: 1\n",
    "policies/base/README.md": "no document\n",
    "other/d.yaml": "d: 1\n",
}
PATHS = ["policies/base/a.yaml", "policies/base/deep/b.json", "policies/stages/dev/c.yml"]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository whose policies lie in a folder of it."""
    root = write(tmp_path / "team", {name: text for name, text in FILES.items() if ".git/" not in name})
    git(tmp_path, "init", "-q", "-b", "main")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-q", "-m", "first")
    return root


def paths(source: Source, *folders: str) -> list[str]:
    return [file.path for file in source.files(*(folders or ("policies",)))]


def refusals(source: Source) -> list[str]:
    return [str(file.problem) for file in source.files("policies") if file.problem]


def test_the_work_tree_gives_documents_in_order(tmp_path: Path) -> None:
    source = WorkTree(write(tmp_path, FILES))
    assert paths(source) == PATHS
    assert paths(source, "policies/stages", "missing") == ["policies/stages/dev/c.yml"]
    assert (source.revision, source.dirty) == ("", False)
    assert source.read("policies/base/a.yaml") == b"a: 1\n"
    assert source.read("policies/base/gone.yaml") == b""


def test_blobs_have_the_ids_git_gives(repo: Path) -> None:
    worktree = {file.path: file.blob for file in WorkTree(repo).files("policies")}
    revision = {file.path: file.blob for file in Revision(repo, "HEAD").files("policies")}
    assert worktree == revision
    assert worktree["policies/base/a.yaml"] == git(repo, "rev-parse", "HEAD:team/policies/base/a.yaml")


def test_a_revision_is_read_without_the_work_tree(repo: Path) -> None:
    first = git(repo, "rev-parse", "HEAD")
    write(repo, {"policies/base/a.yaml": "a: 2\n", "policies/base/new.yaml": "n: 1\n"})
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "second")
    (repo / "policies/base/a.yaml").unlink()
    source = Revision(repo, "HEAD~1")
    assert (source.revision, source.dirty) == (first, False)
    assert paths(source) == PATHS
    assert [file.content for file in source.files("policies/base")] == [b"a: 1\n", b"{}"]
    assert source.read("policies/base/a.yaml") == b"a: 1\n"
    assert source.read("policies/base/none.yaml") == b""
    assert Revision(repo, "main").read("policies/base/a.yaml") == b"a: 2\n"


@pytest.mark.parametrize("name", ["nope", "", "--help", "HEAD~9", "0" * 40, "main:team"])
def test_a_revision_that_does_not_exist(repo: Path, name: str) -> None:
    with pytest.raises(PolicySyncError, match="there is no revision"):
        Revision(repo, name)


def test_a_revision_outside_git(tmp_path: Path) -> None:
    with pytest.raises(PolicySyncError, match="there is no revision 'HEAD'"):
        Revision(tmp_path, "HEAD")


def test_dirty_is_about_policies(repo: Path) -> None:
    assert not WorkTree(repo).dirty
    assert WorkTree(repo).revision == git(repo, "rev-parse", "HEAD")
    write(repo, {"other/d.yaml": "d: 2\n", "notes.txt": "x"})
    assert not WorkTree(repo).dirty
    write(repo, {"policies/base/fresh.yaml": "x: 1\n"})
    assert WorkTree(repo).dirty


def test_a_changed_project_file_is_dirty(repo: Path) -> None:
    write(repo, {"policysync.yaml": "version: 2\n"})
    assert WorkTree(repo).dirty


def test_what_git_overlooks_is_dirty_all_the_same(repo: Path) -> None:
    file = next(path for path in FILES if path.startswith("policies/") and path.endswith(".yaml") and "/." not in path)
    for told, back in (("--skip-worktree", "--no-skip-worktree"), ("--assume-unchanged", "--no-assume-unchanged")):
        git(repo, "update-index", told, file)
        assert WorkTree(repo).dirty, told
        git(repo, "update-index", back, file)
    write(repo, {".gitignore": "mine.*\n"})
    write(repo, {"policies/base/mine.txt": "no document"})
    assert not WorkTree(repo).dirty
    write(repo, {"policies/base/mine.yaml": "x: 1\n"})
    assert WorkTree(repo).dirty


def test_before_the_first_commit(tmp_path: Path) -> None:
    write(tmp_path, FILES)
    (tmp_path / "policies/base/.git/x.yaml").unlink()
    git(tmp_path, "init", "-q")
    assert WorkTree(tmp_path).revision == ""
    assert WorkTree(tmp_path).dirty


def link(root: Path) -> None:
    base = root / "policies/base"
    (base / "inside.yaml").symlink_to("../../other/d.yaml")
    (base / "twice.yaml").symlink_to("inside.yaml")
    (base / "folder").symlink_to("../../other")
    (base / "outside.yaml").symlink_to("../../../secret.yaml")
    (base / "absolute.yaml").symlink_to("/etc/hostname")
    (base / "away").symlink_to("/etc")


def test_links_stay_inside_the_tree(repo: Path) -> None:
    write(repo.parent, {"secret.yaml": "s: 1\n"})
    link(repo)
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "links")
    for source in (WorkTree(repo), Revision(repo, "HEAD")):
        files = {file.path.removeprefix("policies/base/"): file for file in source.files("policies/base")}
        for name in ("inside.yaml", "twice.yaml", "folder/d.yaml"):
            assert files[name].content == b"d: 1\n"
            assert source.read(f"policies/base/{name}") == b"d: 1\n"
        for name in ("outside.yaml", "absolute.yaml", "away"):
            problem = files[name].problem
            assert problem is not None
            assert problem.code == "symlink"
            assert files[name].content == b""


def test_links_in_a_circle(repo: Path) -> None:
    base = repo / "policies/base"
    (base / "up").symlink_to("..")
    (base / "one.yaml").symlink_to("two.yaml")
    (base / "two.yaml").symlink_to("one.yaml")
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "circles")
    assert set(PATHS) <= set(paths(WorkTree(repo)))
    assert len(refusals(WorkTree(repo))) == 2
    assert set(PATHS) <= set(paths(Revision(repo, "HEAD")))
    assert len(refusals(Revision(repo, "HEAD"))) == 2


def test_large_files_are_refused(repo: Path) -> None:
    write(repo, {"policies/base/a.yaml": b"#" * (source_file.FILE_BYTES + 1)})
    git(repo, "commit", "-q", "-a", "-m", "large")
    wanted = ["policies/base/a.yaml: 1048577 bytes; a policy file holds at most 1048576 [file-size]"]
    assert refusals(WorkTree(repo)) == wanted
    assert refusals(Revision(repo, "HEAD")) == wanted


def test_names_git_would_quote(repo: Path) -> None:
    write(repo, {"policies/base/ü b\n.yaml": "a: 1\n"})
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "-m", "odd name")
    assert paths(Revision(repo, "HEAD")) == paths(WorkTree(repo))
    assert "policies/base/ü b\n.yaml" in paths(WorkTree(repo))
