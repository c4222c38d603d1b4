"""A process that has imported policysync once and forks a fresh one for every command that a test runs.

Starting an interpreter and importing the commands takes several times as long as most commands do. A fork is a
process of its own, with the arguments, folder, environment and streams that were asked for; it shares with the
others what importing makes, and nothing that running makes.

Its arguments are the numbers of a listening socket and of a pipe that ends when nobody needs this, and a folder to
remove then.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import marshal
import os
import pkgutil
import runpy
import selectors
import shutil
import signal
import socket
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from zygote.asking import NUMBER, ROOT

# What commands import only when they come to it, and what most tests come to.
LATER = ("jsonschema_rs", "yaml", "zoneinfo", "cronsim", "jinja2", "deepdiff", "requests", "botocore.session", "boto3")


@dataclass(frozen=True)
class Request:
    """What to run, and with which streams."""

    words: list[str]
    cwd: str
    environ: dict[str, str]
    fds: tuple[int, ...]


class Server:
    """Forks on request, and tells how each fork ended."""

    def __init__(self, listener: socket.socket, lifeline: int) -> None:
        self._listener = listener
        self._lifeline = lifeline
        self._running: dict[int, socket.socket] = {}
        self._woken, self._wakes = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._wakes, False)
        self._ready = selectors.DefaultSelector()
        for known in (listener, lifeline, self._woken):
            self._ready.register(known, selectors.EVENT_READ)

    def serve(self) -> Request | None:
        """Serve until the lifeline ends, and return nothing; in a fork, return what it is asked to run."""
        signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
        signal.set_wakeup_fd(self._wakes, warn_on_full_buffer=False)
        while True:
            for key, _ in self._ready.select():
                if key.fileobj is self._listener:
                    if (request := self._answer()) is not None:
                        return request
                elif key.fileobj == self._woken:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._woken, 4096)
                    self._reap()
                elif key.fileobj == self._lifeline:
                    self._kill(*self._running)
                    return None
                else:
                    # Whoever asked is gone, and with it who wanted to know.
                    self._kill(*(pid for pid, asked in self._running.items() if asked is key.fileobj))
                    self._ready.unregister(key.fileobj)

    def _answer(self) -> Request | None:
        """Read a request and fork; return it in the fork."""
        asked, _ = self._listener.accept()
        request = _read(asked)
        if request is None:
            asked.close()
            return None
        pid = os.fork()
        if pid == 0:
            asked.close()
            self._leave()
            return request
        for fd in request.fds:
            os.close(fd)
        self._running[pid] = asked
        self._ready.register(asked, selectors.EVENT_READ)
        _say(asked, pid)
        return None

    def _leave(self) -> None:
        """Give up in a fork what belongs to the server."""
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._ready.close()
        for asked in self._running.values():
            asked.close()
        self._listener.close()
        for fd in (self._lifeline, self._woken, self._wakes):
            os.close(fd)

    def _reap(self) -> None:
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                asked = self._running.pop(ended[0])
                _say(asked, os.waitstatus_to_exitcode(ended[1]))
                with contextlib.suppress(KeyError):
                    self._ready.unregister(asked)
                asked.close()

    @staticmethod
    def _kill(*pids: int) -> None:
        # None of them has been waited for, so each number still is theirs.
        for pid in pids:
            os.kill(pid, signal.SIGKILL)


def _read(asked: socket.socket) -> Request | None:
    head, fds, _, _ = socket.recv_fds(asked, NUMBER.size, 3)
    if len(head) < NUMBER.size or len(fds) != 3:
        return None
    with asked.makefile("rb") as stream:
        words, cwd, environ = marshal.loads(stream.read(NUMBER.unpack(head)[0]))  # noqa: S302
    return Request(words, cwd, environ, tuple(fds))


def _say(asked: socket.socket, number: int) -> None:
    with contextlib.suppress(OSError):
        asked.sendall(NUMBER.pack(number))


def preload() -> None:
    """Import every module of the product, and what they import when they run."""
    policysync = importlib.import_module("policysync")
    for found in pkgutil.walk_packages(policysync.__path__, "policysync."):
        # The one is what every fork runs; the other needs the extra `helm`, and a process of its own.
        if found.name not in ("policysync.__main__", "policysync.backends.helm.child"):
            importlib.import_module(found.name)
    for name in LATER:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def become(request: Request, paths: list[str]) -> None:
    """Make this process what an interpreter is that was started as `python -m policysync WORDS`."""
    for stream, fd in enumerate(request.fds):
        os.dup2(fd, stream)
        os.close(fd)
    os.chdir(request.cwd)
    os.environ.clear()
    os.environ.update(request.environ)
    time.tzset()
    own = [ROOT] if "PYTHONPATH" in request.environ else []
    sys.path[:] = [request.cwd, *map(str, own), *paths]
    sys.path_importer_cache.clear()
    sys.argv[:] = ["-m", *request.words]


def run() -> None:
    """Run the command, and end as the interpreter does, but without taking apart everything that was imported.

    That last part would take longer than many a command.
    """
    try:
        runpy.run_module("policysync", run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as ended:
        if not isinstance(ended.code, int | None):
            raise
        status = ended.code or 0
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status & 0xFF)


def main() -> None:
    """Serve; in a fork, run the command, and end as it ends."""
    # Whoever ends a whole group of processes ends the lifeline too, and that leaves nothing behind.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    paths = [path for path in sys.path[1:] if Path(path) != ROOT]
    preload()
    gc.collect()
    # What is there now is nobody's garbage; looking through it would copy its pages into every fork.
    gc.freeze()
    request = Server(socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])).serve()
    if request is None:
        shutil.rmtree(sys.argv[3])
        return
    become(request, paths)
    run()
