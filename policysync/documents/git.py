"""The few git calls that reading documents needs, each as a process with a list of arguments."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from policysync.errors import PolicySyncError


def git(root: Path, *arguments: str, stdin: bytes = b"", missing: bytes | None = None) -> bytes:
    """Return what git prints. When git fails, return `missing` if it is given.

    Raises:
        PolicySyncError: git is not installed, or failed.
    """
    command = ["git", "-C", str(root), *arguments]
    environ = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    try:
        done = subprocess.run(command, input=stdin, capture_output=True, check=False, env=environ)
    except OSError as error:
        raise PolicySyncError(f"git cannot be started: {error.strerror}; install git") from error
    if done.returncode == 0:
        return done.stdout
    if missing is not None:
        return missing
    said = done.stderr.decode(errors="replace").strip()
    raise PolicySyncError(f"git {arguments[0]} failed in {root}: {said}")
