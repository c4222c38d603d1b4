"""Values that must turn up nowhere: where they are planted, and where they are looked for."""

from __future__ import annotations

import base64
import os
import subprocess
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from conformance.samples import SAMPLES

from policysync.kinds.field import Field
from policysync.kinds.load import load_kinds

KINDS = load_kinds()
MARK = "c4nary"
"""Every canary has this in it. What is around it is written differently in JSON, in URLs and in shells."""

TOKEN = base64.b64encode(b'{"sub"').decode()[:8]
"""What every token of the emulated console begins with."""


def canary(what: str) -> str:
    """Return a value that looks different in JSON, in URLs and in a shell."""
    return f"{MARK}-{what}-\"\\/ü%+&'end"


def sensitive(field: Field, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the paths of what a kind says is sensitive and may be written; `[]` and `*` are any element."""
    if field.read_only:
        return
    if field.sensitive:
        yield path
    for name, below in field.properties.items():
        yield from sensitive(below, (*path, name))
    if field.values:
        yield from sensitive(field.values, (*path, "*"))
    if field.each:
        yield from sensitive(field.each, (*path, "[]"))


def planted(kind: str, value: str) -> dict[str, Any]:
    """Return a sample of a kind with a reference or a value in each sensitive field; `{}` in it becomes the path."""
    spec = _plain(SAMPLES[kind][0])
    for path in sensitive(KINDS[kind].root):
        spec = _with(spec, path, value.replace("{}", f"{kind}_{'_'.join(p for p in path if p.isidentifier())}"))
    return dict(spec)


def _plain(spec: dict[str, Any]) -> dict[str, Any]:
    return {n: v for n, v in spec.items() if type(v).__name__ != "Secret"}


def _with(value: Any, path: tuple[str, ...], leaf: str) -> Any:
    if not path:
        return leaf
    if path[0] == "[]":
        return [_with(None, path[1:], leaf)]
    name = "linux" if path[0] == "*" else path[0]
    return {**(value or {}), name: _with((value or {}).get(name), path[1:], leaf)}


KINDS_WITH_SECRETS = sorted(name for name in SAMPLES if any(sensitive(KINDS[name].root)))


class CommandLines:
    """Reads the arguments of every process there is, again and again, while a block lasts."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> CommandLines:
        self._thread.start()
        return self

    def __exit__(self, *how: object) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(0.005):
            for entry in os.scandir("/proc"):
                if entry.name.isdigit():
                    try:
                        self.seen.add(Path(entry.path, "cmdline").read_bytes())
                    except OSError:
                        continue


def leaks(texts: Iterable[tuple[str, bytes]], *marks: str) -> list[str]:
    """Return what holds a canary, with a little of what is around it."""
    found = []
    for where, content in texts:
        for mark in (mark.encode() for mark in marks):
            at = content.find(mark)
            if at >= 0:
                found.append(f"{where}: …{content[max(0, at - 60) : at + 60]!r}")
    return found


def files(*folders: Path, but: Iterable[Path] = ()) -> Iterator[tuple[str, bytes]]:
    """Yield every file below folders, and its name."""
    left_out = set(but)
    for folder in folders:
        for file in sorted(folder.rglob("*")):
            if file.is_file() and file not in left_out:
                yield str(file), file.read_bytes()


def git_objects(root: Path) -> bytes:
    """Return every object git has, reachable or not."""
    ran = subprocess.run(
        ["git", "-C", str(root), "cat-file", "--batch-all-objects", "--batch"], capture_output=True, check=True
    )
    return ran.stdout
