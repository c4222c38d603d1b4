"""Running a script on a machine: over SSH with the OpenSSH client, or here.

The script goes in on standard input, so nothing of it is in a process list on either side.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policysync.backends.skyhigh.options import Options
from policysync.errors import OutcomeUnknown, Refused, Unavailable

STARTED = "policysync: started"
"""The first line a script that changes something prints: before it, nothing was done."""

_NO_CONNECTION = 255
_SAID = 300
_SUDO = re.compile(r"^(sudo: |Sorry, user |(bash|sh)\S*:.*\bsudo\b).*", re.MULTILINE)
_UNTRUSTED = ("Host key verification failed", "REMOTE HOST IDENTIFICATION HAS CHANGED", "Permission denied")


@dataclass(frozen=True, slots=True)
class Ran:
    """How a script ended; `out` is what it printed on standard output."""

    status: int
    out: str


class Machines:
    """Runs scripts on the machines of one target."""

    def __init__(self, options: Options) -> None:
        self.options = options

    def run(self, machine: Mapping[str, Any], script: str, *, seconds: float, changes: bool = False) -> Ran:
        """Run a script of the shell bash as root.

        Args:
            machine: `spec.host` of a connector.
            seconds: after which it is given up.
            changes: the script changes something, and prints STARTED before it does.

        Raises:
            Refused: the machine lets nobody in, or is not the one it was.
            Unavailable: there is no connection, and nothing was done.
            OutcomeUnknown: the connection ended while the script may have run.
        """
        where = address_of(machine)
        try:
            ended = subprocess.run(
                self._command(machine),
                input=script,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                check=False,
                timeout=seconds,
            )
        except FileNotFoundError as error:
            raise Refused(f"{where}: there is no program {self.options.program!r} here") from error
        except OSError as error:
            raise Refused(f"{where}: {self.options.program!r} cannot be run here: {error.strerror}") from error
        except subprocess.TimeoutExpired as error:
            message = f"{where}: no answer in {seconds:.0f} seconds"
            raise (OutcomeUnknown if changes else Unavailable)(message) from error
        if ended.returncode != _NO_CONNECTION or self.options.via == "local":
            if ended.returncode and (denied := _SUDO.search(ended.stderr)) and STARTED not in ended.stdout:
                user = machine["ssh"]["user"]
                raise Refused(f"{where}: {denied[0]}; let {user} run bash by sudo without a password, or come as root")
            return Ran(ended.returncode, ended.stdout)
        # What the client itself says; the script's own words are on standard output only.
        said = " ".join(ended.stderr.split())[-_SAID:]
        if any(word in ended.stderr for word in _UNTRUSTED):
            raise Refused(f"{where}: {said}")
        if changes and STARTED in ended.stdout:
            raise OutcomeUnknown(f"{where}: the connection was lost while the installer ran: {said}")
        raise Unavailable(f"{where}: {said or 'no connection'}")

    def _command(self, machine: Mapping[str, Any]) -> list[str]:
        user = machine["ssh"]["user"]
        shell = ["bash", "-s"] if user == "root" or self.options.via == "local" else ["sudo", "-n", "bash", "-s"]
        if self.options.via == "local":
            return shell
        options = [
            "BatchMode=yes",
            "StrictHostKeyChecking=yes",
            f"ConnectTimeout={self.options.connect_seconds}",
            "ServerAliveInterval=15",
            "ServerAliveCountMax=4",
        ]
        if self.options.known_hosts:
            options.append(f"UserKnownHostsFile={self.options.known_hosts}")
        given = [part for option in options for part in ("-o", option)]
        if self.options.identity_file:
            given += ["-o", "IdentitiesOnly=yes", "-i", self.options.identity_file]
        if self.options.jump:
            given += ["-J", self.options.jump]
        place = ["-p", str(machine["ssh"]["port"]), "-l", user, "--", address_of(machine)]
        return [self.options.program, "-T", *given, *place, *shell]


def address_of(machine: Mapping[str, Any]) -> str:
    """Return where a machine is reached."""
    return str(machine.get("address") or machine["hostname"])
