"""A release as a source: the documents of the pinned revision, single resources as other revisions have them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

from policysync.documents.git import git
from policysync.documents.pin import Pin, file_of
from policysync.documents.revision import Revision
from policysync.documents.source_file import SourceFile, as_of
from policysync.state.resource import Address


class Released:
    """What a pin names. Files of another revision than the pinned one are called `<revision>:<path>`.

    Raises:
        PolicySyncError: one of the revisions is not in the repository.
    """

    def __init__(self, root: Path, pin: Pin, *, in_tree: bool = True) -> None:
        """`in_tree` says that the pin was read from the work tree, which may differ from what is committed."""
        self.root = root.resolve()
        self.pin = pin
        self.main = Revision(self.root, pin.revision)
        self.singles = {revision: Revision(self.root, revision) for revision in sorted(set(pin.resources.values()))}
        self._in_tree = in_tree

    @property
    def revision(self) -> str:
        """What identifies the release; for a pin without single resources that is its revision."""
        return self.pin.id

    @cached_property
    def dirty(self) -> bool:
        """Whether the pin, or policysync.yaml, is not what is committed."""
        if not self._in_tree:
            return False
        paths = (file_of(self.pin.stage), "policysync.yaml", "policysync.yml")
        return bool(git(self.root, "status", "--porcelain", "-z", "--untracked-files=all", "--", *paths, missing=b""))

    def files(self, *folders: str) -> Iterator[SourceFile]:
        """Yield the files of the pinned revision."""
        yield from self.main.files(*folders)

    def read(self, path: str) -> bytes:
        """Return the bytes of a file of any of the revisions."""
        for revision, source in self.singles.items():
            if path.startswith(as_of("", revision)):
                return source.read(path.removeprefix(as_of("", revision)))
        return self.main.read(path)

    def resources_of(self, revision: str) -> frozenset[Address]:
        """Return the resources that are taken from one of the other revisions."""
        return frozenset(address for address, of in self.pin.resources.items() if of == revision)
