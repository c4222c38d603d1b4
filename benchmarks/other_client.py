"""Every image assurance policy of a console, read by `aquasec`, a client that is not ours.

It has an environment of its own, so that what it needs never decides what we get.
"""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

CLIENT = "aquasec==0.14.1"
_TYPE = "image"


def environment(folder: Path) -> str:
    """Make an environment with the client in an empty folder, and return its interpreter; needs the package index.

    Raises:
        CalledProcessError: the client cannot be had.
    """
    python = str(folder / "bin" / "python")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", CLIENT]
    subprocess.run(install, check=True, capture_output=True)
    return python


def main(console: str, user: str, password: str) -> None:
    """Print how many policies were read, each of them whole."""
    client = import_module("aquasec.assurance_policies")
    token = import_module("aquasec.auth").user_pass_onprem_auth(user, password, console)
    names = [policy["name"] for policy in client.get_all_assurance_policies(console, token, _TYPE)]
    print(sum(client.get_assurance_policy(console, token, _TYPE, name) is not None for name in names))


if __name__ == "__main__":
    main(*sys.argv[1:])
