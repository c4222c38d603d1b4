"""The work tree as a source. No git process is started unless revision or dirty is asked for."""

from __future__ import annotations

import importlib
import os
import stat
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path

from policysync.documents.source_file import (
    FILES,
    SourceFile,
    blob_id,
    leaves,
    may_hold_documents,
    refused,
    too_big,
    too_many,
)

READ = ("policies", "policysync.yaml", "policysync.yml")


class WorkTree:
    """The files as they lie in the policy root, which may be a folder inside a larger repository."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()

    @cached_property
    def revision(self) -> str:
        """The commit that is checked out; empty outside git and before the first commit."""
        return self._git("rev-parse", "--verify", "--quiet", "HEAD^{commit}").decode().strip()

    @cached_property
    def dirty(self) -> bool:
        """Whether policies or policysync.yaml are otherwise than they are committed, whatever git overlooks.

        It does documents that are ignored, files left out by a sparse checkout, and changes it was told not to see.
        """
        return (
            bool(self._git("status", "--porcelain", "-z", "--untracked-files=all", "--", *READ))
            or any(line[0] == "S" or line[0].islower() for line in self._listed("-v"))
            or any(map(may_hold_documents, self._listed("--others", "--ignored", "--exclude-standard")))
        )

    def _listed(self, *options: str) -> Iterator[str]:
        """Yield what `git ls-files` prints of policies and policysync.yaml, paths as they are below the policy root."""
        yield from filter(None, os.fsdecode(self._git("ls-files", "-z", *options, "--", *READ)).split("\0"))

    def has(self, revision: str) -> bool:
        """Return whether a revision is in the repository; outside git nobody can say, and it counts as there."""
        return not self._in_git() or bool(
            self._git("rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").strip()
        )

    def files(self, *folders: str) -> Iterator[SourceFile]:
        """Yield the files below some folders that may hold documents, sorted by path."""
        paths = [path for folder in folders for path in self._paths(folder, ())]
        for path in islice(sorted(set(paths)), FILES):
            yield self._load(path)
        if len(paths) > FILES:
            yield too_many()

    def read(self, path: str) -> bytes:
        """Return the bytes of a file; none when it has gone since."""
        try:
            return (self.root / path).read_bytes()
        except OSError:
            return b""

    def _in_git(self) -> bool:
        return any((folder / ".git").exists() for folder in (self.root, *self.root.parents))

    def _git(self, *arguments: str) -> bytes:
        if not self._in_git():
            return b""
        # Imported when it is needed: validating a work tree starts no process.
        answer: bytes = importlib.import_module("policysync.documents.git").git(self.root, *arguments, missing=b"")
        return answer

    def _paths(self, folder: str, above: tuple[str, ...]) -> Iterator[str]:
        real = os.path.realpath(self.root / folder)
        if real in above or not Path(real).is_dir():
            return
        if not self._inside(real):
            yield folder
            return
        with os.scandir(self.root / folder) as entries:
            for entry in entries:
                path = f"{folder}/{entry.name}"
                if entry.name.startswith("."):
                    continue
                # A link inside a linked folder is left alone: following those could take for ever.
                if _is_folder(entry, follow=real == str(self.root / folder)):
                    yield from self._paths(path, (*above, real))
                elif may_hold_documents(path):
                    yield path

    def _load(self, path: str) -> SourceFile:
        full = self.root / path
        if (full.is_symlink() or full.is_dir()) and not self._inside(os.path.realpath(full)):
            return leaves(path)
        try:
            facts = full.stat()
            if not stat.S_ISREG(facts.st_mode):
                return refused(path, "is no file", "unreadable")
            refusal = too_big(path, facts.st_size)
            if refusal:
                return refusal
            content = full.read_bytes()
        except OSError as error:
            return refused(path, f"cannot be read: {error.strerror}", "unreadable")
        return SourceFile(path, content, blob_id(content))

    def _inside(self, real: str) -> bool:
        return Path(real).is_relative_to(self.root)


def _is_folder(entry: os.DirEntry[str], follow: bool) -> bool:
    try:
        return entry.is_dir(follow_symlinks=follow)
    except OSError:  # a link that leads round in a circle
        return False
