"""The header that says who we are: a token, one that a program makes, or a name and password."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from policysync.backends.kubernetes.kubeconfig import Access
from policysync.clock import Clock
from policysync.errors import Refused
from policysync.secret import Secret, told

_FRESH = 60.0
"""Seconds for which a token that was read from a file is not read again."""

_EXEC_LIMIT = 60.0
"""Seconds a program may take to make a token."""


class Credential(Protocol):
    """Makes the value of the Authorization header; threads share one."""

    def header(self) -> Secret | None:
        """Return what goes into the header, None when a certificate says enough."""

    def renew(self) -> bool:
        """Forget what did not work, and say whether asking again may help."""


class Fixed:
    """One that never changes."""

    def __init__(self, value: str = "") -> None:
        self._value = Secret(value) if value else None

    def header(self) -> Secret | None:
        return self._value

    def renew(self) -> bool:
        return False


class TokenFile:
    """A token that somebody else renews in a file."""

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path = path
        self._clock = clock
        self._held: tuple[float, Secret] | None = None

    def header(self) -> Secret | None:
        now = self._clock.monotonic()
        if self._held is None or now >= self._held[0] + _FRESH:
            try:
                token = self._path.read_text(encoding="utf-8").strip()
            except OSError as error:
                raise Refused(f"{self._path}: the token cannot be read: {error.strerror}") from error
            self._held = (now, _bearer(token))
        return self._held[1]

    def renew(self) -> bool:
        before, self._held = self._held, None
        return before is not None and self.header() != before[1]


class Exec:
    """A token that a program prints, as cloud providers have it. It is kept until it runs out.

    Source: Kubernetes, client-go credential plugins.
    """

    def __init__(self, said: Mapping[str, Any], access: Access, clock: Clock) -> None:
        self._said = said
        self._access = access
        self._clock = clock
        self._lock = threading.Lock()
        self._held: Secret | None = None
        self._until: datetime | None = None

    def header(self) -> Secret | None:
        with self._lock:
            if self._held is None or (self._until is not None and self._clock.now() >= self._until):
                self._held, self._until = self._made()
            return self._held

    def renew(self) -> bool:
        with self._lock:
            self._held = None
        return True

    def _made(self) -> tuple[Secret, datetime | None]:
        command = str(self._said.get("command", ""))
        found = self._access.folder / command if "/" in command else command
        version = str(self._said.get("apiVersion", "client.authentication.k8s.io/v1"))
        asked = {"apiVersion": version, "kind": "ExecCredential", "spec": {"interactive": False}}
        wanted = {str(e["name"]): str(e["value"]) for e in self._said.get("env") or ()}
        environ = {**os.environ, **wanted, "KUBERNETES_EXEC_INFO": json.dumps(asked)}
        try:
            done = subprocess.run(
                [str(found), *map(str, self._said.get("args") or ())],
                env=environ,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_EXEC_LIMIT,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise Refused(f"{command}: the program that makes the token does not run: {_why(error)}") from error
        if done.returncode:
            said = told(" ".join(done.stderr.decode("utf-8", "replace").split()))[:300]
            raise Refused(f"{command}: the program that makes the token ended with {done.returncode}: {said}")
        return _printed(command, done.stdout)


def _printed(command: str, output: bytes) -> tuple[Secret, datetime | None]:
    try:
        status = json.loads(output)["status"]
        token = str(status["token"])
    except (ValueError, KeyError, TypeError) as error:
        raise Refused(f"{command}: what it printed is no ExecCredential with a token") from error
    until = status.get("expirationTimestamp")
    try:
        return _bearer(token), datetime.fromisoformat(until).astimezone(UTC) if until else None
    except (ValueError, TypeError):
        return _bearer(token), None


def _why(error: OSError | subprocess.TimeoutExpired) -> str:
    return f"no answer after {_EXEC_LIMIT:g} seconds" if isinstance(error, subprocess.TimeoutExpired) else str(error)


def _bearer(token: str) -> Secret:
    return Secret(f"Bearer {Secret(token).reveal()}")


def _is_program(said: Any) -> bool:
    if not isinstance(said, Mapping) or not isinstance(said.get("command"), str):
        return False
    args, env = said.get("args") or [], said.get("env") or []
    named = isinstance(env, list) and all(isinstance(e, Mapping) and {"name", "value"} <= e.keys() for e in env)
    return named and isinstance(args, list)


def credential_of(access: Access, clock: Clock) -> Credential:
    """Return what a kubeconfig's user signs in with.

    Raises:
        Refused: it is a form that no longer exists.
    """
    user = access.user
    if user.get("tokenFile"):
        return TokenFile(access.folder / str(user["tokenFile"]), clock)
    if user.get("token"):
        return Fixed(_bearer(str(user["token"])).reveal())
    if user.get("exec"):
        if not _is_program(user["exec"]):
            raise Refused(
                "the kubeconfig's user has an exec that names no program; want command, args, and env as a list"
            )
        return Exec(user["exec"], access, clock)
    if user.get("username"):
        pair = f"{user['username']}:{Secret(str(user.get('password', ''))).reveal()}"
        return Fixed("Basic " + base64.b64encode(pair.encode()).decode())
    if user.get("auth-provider"):
        raise Refused("the kubeconfig's user has an auth-provider, which Kubernetes gave up; use exec")
    return Fixed()
