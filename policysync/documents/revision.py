"""One revision as a source, read with two git processes and no checkout."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path, PurePosixPath

from policysync.documents.git import git
from policysync.documents.source_file import FILES, SourceFile, leaves, may_hold_documents, refused, too_big, too_many
from policysync.errors import PolicySyncError

_LINK = "120000"
_HOPS = 8
_PATH_BYTES = 4096


@dataclass(frozen=True, slots=True)
class _Blob:
    id: str
    size: int
    link: bool


class Revision:
    """The files of a commit below the policy root, which may be a folder inside a larger repository.

    Raises:
        PolicySyncError: there is no such revision.
    """

    dirty = False

    def __init__(self, root: Path, rev: str) -> None:
        self.root = root.resolve()
        self.revision = resolve(self.root, rev)

    def files(self, *folders: str) -> Iterator[SourceFile]:
        """Yield the files below some folders that may hold documents, sorted by path."""
        found: dict[str, SourceFile | _Blob] = {}
        for path in self._entries:
            if path.startswith(tuple(f"{folder}/" for folder in folders)):
                found.update(islice(self._meant(path), FILES + 1))
        paths = sorted(found)[:FILES]
        contents = self._contents(blob.id for path in paths if isinstance(blob := found[path], _Blob))
        for path in paths:
            file = found[path]
            yield SourceFile(path, contents[file.id], file.id) if isinstance(file, _Blob) else file
        if len(found) > FILES:
            yield too_many()

    def read(self, path: str) -> bytes:
        """Return the bytes of a file; none when there is no such file."""
        for folder in (path, *(str(parent) for parent in PurePosixPath(path).parents)):
            found = dict(self._meant(folder)).get(path) if folder in self._entries else None
            if isinstance(found, _Blob):
                return self._contents([found.id])[found.id]
        return b""

    @cached_property
    def _entries(self) -> dict[str, _Blob]:
        """Every file below the policy root."""
        listed = git(self.root, "ls-tree", "-r", "-z", "--long", self.revision, "--", ".")
        entries = {}
        for line in filter(None, listed.decode(errors="surrogateescape").split("\0")):
            facts, _, path = line.partition("\t")
            mode, kind, blob, size = facts.split()
            if kind == "blob":
                entries[path] = _Blob(blob, int(size), mode == _LINK)
        return entries

    @cached_property
    def _targets(self) -> dict[str, str]:
        """Where every symbolic link leads, relative to the policy root."""
        links = {path: blob.id for path, blob in self._entries.items() if blob.link and blob.size < _PATH_BYTES}
        contents = self._contents(links.values())
        return {
            path: posixpath.normpath(posixpath.join(posixpath.dirname(path), contents[blob].decode(errors="replace")))
            for path, blob in links.items()
        }

    def _meant(self, path: str) -> Iterator[tuple[str, SourceFile | _Blob]]:
        """Yield what a path stands for: one file, its refusal, or every file in the folder it links to."""
        entry, hops = path, 0
        while entry in self._entries and self._entries[entry].link:
            entry, hops = self._targets.get(entry, "/"), hops + 1
            if entry.startswith(("../", "/")) or entry == "..":
                yield path, leaves(path)
                return
            if hops > _HOPS:
                yield path, refused(path, "symbolic link that leads round in a circle", "symlink")
                return
        inside = [entry] if entry in self._entries else [p for p in self._entries if p.startswith(f"{entry}/")]
        for each in inside:
            name, blob = path + each[len(entry) :], self._entries[each]
            # A link inside a linked folder is left alone: following it could go on for ever.
            if may_hold_documents(name) and not blob.link:
                yield name, too_big(name, blob.size) or blob

    def _contents(self, blobs: Iterable[str]) -> dict[str, bytes]:
        wanted = sorted(set(blobs))
        if not wanted:
            return {}
        answer = git(self.root, "cat-file", "--batch", "--buffer", stdin="".join(f"{b}\n" for b in wanted).encode())
        contents, at = {}, 0
        for blob in wanted:
            end = answer.index(b"\n", at)
            size = int(answer[at:end].split(b" ")[2])
            contents[blob] = answer[end + 1 : end + 1 + size]
            at = end + size + 2
        return contents


def resolve(root: Path, rev: str) -> str:
    """Return the commit id a revision names.

    Raises:
        PolicySyncError: there is no such revision.
    """
    name = "" if rev.startswith("-") else rev
    commit = git(root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}", missing=b"").decode().strip()
    if not name or not commit:
        raise PolicySyncError(f"{root}: there is no revision {rev!r}; `git log` lists those that exist")
    return commit
