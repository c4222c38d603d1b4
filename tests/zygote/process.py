"""Runs `policysync` as a process: a fork of a server that has imported it, or where that cannot be, a new interpreter.

What an interpreter does when it starts is tried with `subprocess`, in tests/unit/commands/test_cli.py.
"""

from __future__ import annotations

import atexit
import io
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from zygote import asking
from zygote.asking import ROOT

_SERVER = f"import sys; sys.path[0] = {str(ROOT / 'tests')!r}; from zygote.server import main; main()"

_SCRIPT = """#!{python} -IS
import sys
sys.path.insert(0, {folder!r})
import asking
asking.main({server!r}, {told!r}, {python!r})
"""


class Zygote:
    """A server of forks, which ends with this process."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="zygote-"))
        self.address = str(self._folder / "socket")
        environ = {name: value for name, value in os.environ.items() if not name.startswith("POLICYSYNC_")}
        environ["PYTHONPATH"] = str(ROOT)
        self.told = asking.told_at_start(environ)
        ends, self._lifeline = os.pipe()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(self.address)
            listener.listen(64)
            self._server = subprocess.Popen(
                [sys.executable, "-c", _SERVER, str(listener.fileno()), str(ends), str(self._folder)],
                env=environ,
                stdin=subprocess.DEVNULL,
                pass_fds=(listener.fileno(), ends),
            )
        os.close(ends)

    def folder_of_scripts(self) -> Path:
        """Return a folder for the PATH of a script, whose `policysync` is a fork too."""
        script = self._folder / "bin" / "policysync"
        if not script.exists():
            script.parent.mkdir()
            here = str(Path(__file__).parent)
            script.write_text(
                _SCRIPT.format(python=sys.executable, folder=here, server=self.address, told=self.told),
                encoding="utf-8",
            )
            script.chmod(0o755)
        return script.parent

    def close(self) -> None:
        os.close(self._lifeline)
        self._server.wait()


@cache
def zygote() -> Zygote | None:
    """Return this process's own server; nothing where there cannot be one, or with PLAIN_PROCESSES set."""
    if not hasattr(os, "fork") or not hasattr(socket, "send_fds") or os.environ.get("PLAIN_PROCESSES"):
        return None
    started = Zygote()
    atexit.register(started.close)
    return started


def scripts() -> Path:
    """Return a folder for the PATH of a script, with `policysync` in it."""
    server = zygote()
    return Path(sys.executable).parent if server is None else server.folder_of_scripts()


class Process:
    """A fork, as far as a test has to do with it: what `subprocess.Popen` is to a child."""

    def __init__(self, server: Zygote, words: tuple[str, ...], cwd: Path, environ: Mapping[str, str]) -> None:
        self.returncode: int | None = None
        with ExitStack() as ours:
            nothing = ours.enter_context(Path(os.devnull).open("rb"))
            self.stdout, out = _pipe(ours)
            self.stderr, err = _pipe(ours)
            self._asking = asking.ask(server.address, words, str(cwd), environ, (nothing.fileno(), out, err))
        pid = asking.number(self._asking)
        assert pid is not None, "the server of forks has died"
        self.pid = pid

    def communicate(self, _sent: None = None, timeout: float | None = None) -> tuple[str, str]:
        """Read what it prints until it ends.

        Raises:
            subprocess.TimeoutExpired: it has not ended.
        """
        until = None if timeout is None else time.monotonic() + timeout
        read: dict[Any, bytes] = {self.stdout: b"", self.stderr: b""}
        with selectors.DefaultSelector() as ready:
            for stream in read:
                ready.register(stream, selectors.EVENT_READ)
            while ready.get_map():
                left = None if until is None else max(0.0, until - time.monotonic())
                found = ready.select(left)
                if not found:
                    raise subprocess.TimeoutExpired("policysync", timeout or 0.0)
                for key, _ in found:
                    if more := os.read(key.fd, 1 << 16):
                        read[key.fileobj] += more
                    else:
                        ready.unregister(key.fileobj)
        self.wait(None if until is None else max(0.001, until - time.monotonic()))
        self.stdout.close()
        self.stderr.close()
        out, err = (io.TextIOWrapper(io.BytesIO(data)).read() for data in read.values())
        return out, err

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended, and return its status.

        Raises:
            subprocess.TimeoutExpired: it has not ended.
        """
        if self.returncode is None:
            self._asking.settimeout(timeout)
            try:
                status = asking.number(self._asking)
            except TimeoutError:
                raise subprocess.TimeoutExpired("policysync", timeout or 0.0) from None
            assert status is not None, "the server of forks has died"
            self.returncode = status
            self._asking.close()
        return self.returncode

    def poll(self) -> int | None:
        """Return its status if it has ended."""
        with selectors.DefaultSelector() as ready:
            if self.returncode is None and ready.register(self._asking, selectors.EVENT_READ) and ready.select(0):
                self.wait()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def __enter__(self) -> Process:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is not None:
            self.send_signal(signal.SIGKILL)
        self.wait()
        self.stdout.close()
        self.stderr.close()


def _pipe(ours: ExitStack) -> tuple[TextIO, int]:
    """Return the end to read from, and the one to write to, which is closed with `ours`."""
    read, write = os.pipe()
    ours.callback(os.close, write)
    return open(read, encoding="locale"), write  # noqa: PTH123


Started = Process | subprocess.Popen[str]


def start(*words: str, cwd: Path | None = None, environ: Mapping[str, str] | None = None) -> Started:
    """Start `policysync WORDS` with nothing to read, and return without waiting for it.

    Without a folder or an environment it has those of this process.
    """
    cwd, environ = cwd or Path.cwd(), os.environ if environ is None else environ
    server = zygote()
    if server is not None and asking.fits(environ, server.told, ()):
        return Process(server, words, cwd, environ)
    return subprocess.Popen(
        [sys.executable, "-m", "policysync", *words],
        cwd=cwd,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def hear(process: Started, words: str) -> str:
    """Wait until a process has said something on stderr, and return all it has said there.

    Raises:
        AssertionError: it has ended without.
    """
    assert process.stderr is not None
    heard = b""
    while words.encode() not in heard:
        # Not through the stream, which would keep from `communicate` what it has read too much.
        more = os.read(process.stderr.fileno(), 1 << 16)
        assert more, f"it ended without {words!r}: {heard.decode()}"
        heard += more
    return heard.decode()


def run(
    *words: str, cwd: Path | None = None, environ: Mapping[str, str] | None = None, timeout: float = 600
) -> subprocess.CompletedProcess[str]:
    """Run `policysync WORDS` with nothing to read, and return how it ended.

    Raises:
        subprocess.TimeoutExpired: it did not within `timeout` seconds.
    """
    with start(*words, cwd=cwd, environ=environ) as process:
        out, err = process.communicate(timeout=timeout)
        status = process.wait()
    return subprocess.CompletedProcess(["policysync", *words], status, out, err)
