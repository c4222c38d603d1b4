"""Asks the server for a process. Needs little, because the `policysync` that scripts find starts with it."""

from __future__ import annotations

import marshal
import os
import socket
import stat
import struct
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

NUMBER = struct.Struct("<q")
"""How long a request is, the id of the process, and the status it ended with: below 0 for a signal."""

ROOT = Path(__file__).resolve().parents[2]

_PLAIN_LOCALES = frozenset({"", "C", "POSIX", "C.UTF-8", "C.utf8"})


def told_at_start(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return what an interpreter reads of its environment before any of our code runs."""
    locale = next((environ[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environ.get(name)), "")
    return (
        *sorted(f"{name}={environ[name]}" for name in environ if name.startswith(("PYTHON", "LD_", "DYLD_"))),
        "" if locale in _PLAIN_LOCALES else locale,
    )


def fits(environ: Mapping[str, str], server: Sequence[str], fds: Sequence[int]) -> bool:
    """Say whether a fork of the server can stand for an interpreter that starts with this."""
    paths = [path for path in environ.get("PYTHONPATH", "").split(os.pathsep) if path]
    if any(path != str(ROOT) for path in paths):
        return False
    try:
        terminal = any(stat.S_ISCHR(os.fstat(fd).st_mode) and os.isatty(fd) for fd in fds)
    except OSError:
        return False
    return not terminal and told_at_start({**environ, "PYTHONPATH": str(ROOT)}) == tuple(server)


def ask(
    server: str, words: Sequence[str], cwd: str, environ: Mapping[str, str], fds: tuple[int, int, int]
) -> socket.socket:
    """Ask for `policysync WORDS` with these as its streams; the answer is its id and, later, its status."""
    asking = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    asking.connect(server)
    request = marshal.dumps((list(words), cwd, dict(environ)))
    socket.send_fds(asking, [NUMBER.pack(len(request))], fds)
    asking.sendall(request)
    return asking


def number(asking: socket.socket) -> int | None:
    """Return the next number of an answer; nothing when the server is gone."""
    data = b""
    while len(data) < NUMBER.size:
        more = asking.recv(NUMBER.size - len(data))
        if not more:
            return None
        data += more
    said: int = NUMBER.unpack(data)[0]
    return said


def main(server: str, told: Sequence[str], python: str) -> None:
    """Be `policysync` for a script: hand everything on, and end as the command ends."""
    environ = dict(os.environ)
    words = sys.argv[1:]
    if not fits(environ, told, (0, 1, 2)):
        os.execv(python, [python, "-m", "policysync", *words])  # noqa: S606
    with ask(server, words, str(Path.cwd()), environ, (0, 1, 2)) as asking:
        number(asking)
        status = number(asking)
    if status is not None and status < 0:
        os.kill(os.getpid(), -status)
    os._exit(1 if status is None else status)
