"""Checks of the world that gates ask for: a program, or an address that answers."""

from __future__ import annotations

import subprocess
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from policysync.documents.gate_settings import Check
from policysync.promotion.case import Checked
from policysync.secret import told

_SAID = 200
_AGENT = {"User-Agent": "policysync"}


def checked(check: Check, root: Path, environ: Mapping[str, str]) -> Checked:
    """Run a check that has a command or an address. The program runs in `root`, without a shell."""
    return _program(check, root, environ) if check.command else _address(check)


def _program(check: Check, root: Path, environ: Mapping[str, str]) -> Checked:
    line = told(" ".join(check.command))
    try:
        done = subprocess.run(
            check.command,
            cwd=root,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=check.timeout.total_seconds(),
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Checked(False, f"`{line}` took longer than {check.timeout.total_seconds():g} s")
    except OSError as error:
        return Checked(False, f"`{line}` cannot be started: {error.strerror}")
    if done.returncode == 0:
        return Checked(True, f"`{line}` ended with 0")
    said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
    last = f": {told(said[-1])[:_SAID]}" if said else ""
    return Checked(False, f"`{line}` ended with {done.returncode}{last}")


def _address(check: Check) -> Checked:
    url = told(check.url)
    try:
        request = urllib.request.Request(check.url, headers=_AGENT)  # noqa: S310  # http and https are all that is read
        with urllib.request.urlopen(request, timeout=check.timeout.total_seconds()) as answer:  # noqa: S310
            return Checked(True, f"{url} answered {answer.status}")
    except urllib.error.HTTPError as error:
        with error:
            return Checked(False, f"{url} answered {error.code}")
    except (OSError, ValueError) as error:
        return Checked(False, f"{url} cannot be reached: {told(str(getattr(error, 'reason', error)))[:_SAID]}")
