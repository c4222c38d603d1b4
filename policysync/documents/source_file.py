"""Where documents come from: the work tree, or one revision read straight out of git without a checkout."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple, Protocol, runtime_checkable

from policysync.errors import Location, Problem
from policysync.state.resource import Address

FILE_BYTES = 1024 * 1024
FILES = 50_000
ENDINGS = (".yaml", ".yml", ".json")


class SourceFile(NamedTuple):
    """A file, or why it is refused.

    Attributes:
        path: relative to the policy root, with forward slashes.
        blob: the id git gives these bytes (SHA-1 in hex); empty when the file is refused.
    """

    path: str
    content: bytes = b""
    blob: str = ""
    problem: Problem | None = None


class Source(Protocol):
    """Documents as they are now, or as they were in one revision."""

    @property
    def revision(self) -> str:
        """The commit the documents belong to; empty outside git."""

    @property
    def dirty(self) -> bool:
        """Whether the documents differ from that commit."""

    def files(self, *folders: str) -> Iterator[SourceFile]:
        """Yield the files below some folders that may hold documents, sorted by path."""

    def read(self, path: str) -> bytes:
        """Return the bytes of a file that `files` gave before; none when it has gone since."""


# No `Source` itself: asking an object whether it is one reads all its members, and `dirty` asks git.
@runtime_checkable
class Composite(Protocol):
    """A source that has single resources from other revisions; files of those are called `<revision>:<path>`."""

    @property
    def singles(self) -> Mapping[str, Source]:
        """The other revisions."""

    def resources_of(self, revision: str) -> frozenset[Address]:
        """Return the resources that are taken from one of them."""


def as_of(path: str, revision: str) -> str:
    """Return what a file of one revision is called beside files of others."""
    return f"{revision[:12]}:{path}"


def refused(path: str, message: str, code: str) -> SourceFile:
    """Return a file that is not read, with the reason."""
    return SourceFile(path, problem=Problem(Location(path), "", message, code))


def too_big(path: str, size: int) -> SourceFile | None:
    """Return the refusal of a file over the limit."""
    if size <= FILE_BYTES:
        return None
    return refused(path, f"{size} bytes; a policy file holds at most {FILE_BYTES}", "file-size")


def too_many() -> SourceFile:
    """Return what stands for all files after the last one that is read."""
    return refused("policies", f"more than {FILES} files; the rest was not read", "file-count")


def leaves(path: str) -> SourceFile:
    """Return the refusal of a symlink that leads out of the policy root."""
    return refused(path, "symbolic link that leads out of the policy root; link inside it or copy the file", "symlink")


def may_hold_documents(path: str) -> bool:
    """Whether a path below the policy root is visible and ends like a document."""
    return path.endswith(ENDINGS) and not any(part.startswith(".") for part in PurePosixPath(path).parts)


def blob_id(content: bytes) -> str:
    """Return the id git gives a file with these bytes."""
    return hashlib.sha1(b"blob %d\0%b" % (len(content), content), usedforsecurity=False).hexdigest()
