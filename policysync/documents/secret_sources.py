"""Secrets of this machine: environment, files, and what a program prints."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

from policysync.errors import PolicySyncError
from policysync.secret import Secret, told

BYTES = 64 * 1024
"""More than this is no secret."""

SECONDS = 60.0
"""How long a program may take; enough for a person to touch a key."""

_SHOWN = 300


def from_env(environ: Mapping[str, str], name: str) -> str:
    """Return the value of a variable.

    Raises:
        PolicySyncError: there is none.
    """
    value = environ.get(name, "")
    if not value:
        raise PolicySyncError(f"${{env:{name}}}: {name} is not set, or is empty")
    return value


def from_file(root: Path, name: str) -> str:
    """Return what a file holds, without one line break at its end. `root` is resolved.

    Raises:
        PolicySyncError: the path leads out of `root` though it is relative, or the file cannot be a secret.
    """
    path = root / name
    if not Path(name).is_absolute() and not path.resolve().is_relative_to(root):
        raise PolicySyncError(f"${{file:{name}}}: leads out of the policy root; want a path inside it")
    try:
        if path.stat().st_size > BYTES:
            raise PolicySyncError(f"${{file:{name}}}: holds more than {BYTES} bytes; that is no secret")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise PolicySyncError(f"${{file:{name}}}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise PolicySyncError(f"${{file:{name}}}: is not text in UTF-8") from error
    value = text.removesuffix("\n").removesuffix("\r")
    if not value:
        raise PolicySyncError(f"${{file:{name}}}: {name} is empty")
    return value


def from_command(root: Path, environ: Mapping[str, str], line: str, seconds: float = SECONDS) -> str:
    """Return what a program prints, without one line break at its end. It runs in `root`, and in no shell.

    Raises:
        PolicySyncError: it cannot be started, takes too long, fails, or prints what cannot be a secret.
    """
    try:
        words = shlex.split(line)
    except ValueError as error:
        program = line.split(maxsplit=1)[0]
        raise PolicySyncError(f"${{cmd:{program} …}}: {str(error).lower()}; check the quotes") from error
    what = f"${{cmd:{words[0]} …}}" if len(words) > 1 else f"${{cmd:{words[0]}}}"
    try:
        ended = subprocess.run(
            words,
            cwd=root,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PolicySyncError(f"{what}: no answer after {seconds:g} s") from error
    except OSError as error:
        raise PolicySyncError(f"{what}: cannot be started: {error.strerror}") from error
    return _printed(what, ended)


def _printed(what: str, ended: subprocess.CompletedProcess[bytes]) -> str:
    if len(ended.stdout) > BYTES:
        raise PolicySyncError(f"{what}: prints more than {BYTES} bytes; that is no secret")
    try:
        value = ended.stdout.decode().removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise PolicySyncError(f"{what}: what it prints is not text in UTF-8") from error
    if ended.returncode:
        # A program may print the secret and fail all the same, and say it again where it explains why.
        Secret(value)
        raise PolicySyncError(f"{what}: {_how(ended.returncode)}{_said(ended.stderr)}")
    if not value:
        raise PolicySyncError(f"{what}: prints nothing{_said(ended.stderr)}")
    return value


def _how(status: int) -> str:
    return f"ended with status {status}" if status > 0 else f"was ended by signal {-status}"


def _said(stderr: bytes) -> str:
    text = told(stderr.decode(errors="replace"))
    plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return f": {plain[:_SHOWN]}" if plain else ""
