"""The commits of a ledger, the oldest first, each with what it changed: read in two processes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from policysync.apply.gitstore import GitStore

_FORMAT = "--format=commit %H %ct %P"


@dataclass(frozen=True, slots=True)
class Link:
    """One commit. `time` is in seconds since 1970; `changed` has blobs by path, empty for what it took away."""

    commit: str
    parents: tuple[str, ...]
    time: int
    changed: Mapping[str, str]
    signed: bool = False


def links(store: GitStore, tip: str) -> Iterator[Link]:
    """Yield the commits that lead to `tip`."""
    options = ("--reverse", "--first-parent", "-m", "--root", "--raw", "-r", "--no-abbrev", "--no-renames", _FORMAT)
    lines = store.ask("-c", "core.quotePath=true", "log", *options, tip, "--").decode(errors="replace").split("\n")
    heads = [at for at, line in enumerate(lines) if line.startswith("commit ")]
    ends = [*heads[1:], len(lines)]
    raw = store.contents(lines[at].split()[1] for at in heads)
    for at, end, text in zip(heads, ends, raw, strict=True):
        _, commit, time, *parents = lines[at].split()
        changed = dict(_changed(line) for line in lines[at + 1 : end] if line.startswith(":"))
        head = (text or b"").partition(b"\n\n")[0]
        yield Link(commit, tuple(parents), int(time), changed, b"\ngpgsig" in head)


def _changed(line: str) -> tuple[str, str]:
    """Return the path and the blob in a line like `:100644 100644 <before> <after> M<tab><path>`."""
    about, _, path = line.partition("\t")
    blob = about.split()[3]
    return path, blob if blob.strip("0") else ""
