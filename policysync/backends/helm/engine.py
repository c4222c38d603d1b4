"""The Helm engine: the program `helm` where the PATH has one, else the one inside the Python package helm-python-sdk.

Values go in on standard input: nothing secret is an argument of a process, or left on a disk by one that was killed.
"""

from __future__ import annotations

import importlib.util
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from policysync.errors import BackendError, NotServed, OutcomeUnknown, Refused, Unavailable
from policysync.render.aqua_helm import chart_arguments
from policysync.secret import told

_EXTRA = "helm_python"
_CHILD = "policysync.backends.helm.child"
_HISTORY = 5
_GRACE = 60
_VALUES = ("--values", "-")
_TRANSIENT = re.compile(
    r"connection refused|no such host|i/o timeout|TLS handshake timeout|\b(503|429)\b|too many requests"
    r"|: (unexpected )?EOF\b|connection reset|broken pipe|client connection lost",
    re.IGNORECASE,
)
_LATE = re.compile(
    r"timed out waiting|context deadline exceeded|client rate limiter|would exceed|not ready", re.IGNORECASE
)
_NO_CHART = re.compile(
    r"is not a valid chart repository or cannot be reached|failed to (fetch|download)", re.IGNORECASE
)
_LOCKED = re.compile(r"another operation \(install/upgrade/rollback\) is in progress", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Chart:
    """Which chart: `local` is a folder or archive and wins over the repository."""

    name: str
    version: str
    repository: str
    local: str = ""


@dataclass(frozen=True, slots=True)
class Release:
    """Which release. Its namespace has to be there."""

    name: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Engine:
    """Helm with the credentials of one cluster.

    Attributes:
        environ: how Helm reaches the cluster: KUBECONFIG, HELM_KUBECONTEXT, HELM_KUBEAPISERVER, HELM_KUBETOKEN, …
        wait: seconds an install or upgrade may take until everything is ready; 0 does not wait.
    """

    environ: Mapping[str, str] = field(repr=False)
    wait: int = 300

    def upgrade(self, release: Release, chart: Chart, values: Mapping[str, Any]) -> None:
        """Install a release, or upgrade it.

        Raises:
            Refused: Helm, the chart or the cluster said no.
            Unavailable: nothing was done.
            OutcomeUnknown: it did not become ready in time, or the engine was ended.
        """
        program = self._program()
        if program:
            self._run([program, *self._upgrade_arguments(release, chart)], "upgrade", json.dumps(values))
        else:
            self._ask({"verb": "upgrade", "chart": _chart(chart), "values": values, **_named(release)})

    def uninstall(self, release: Release) -> None:
        """Uninstall a release; one that is gone already is fine."""
        program = self._program()
        if program:
            arguments = ["uninstall", release.name, "--namespace", release.namespace, "--ignore-not-found"]
            self._run([program, *arguments, *self._waiting()], "uninstall")
        else:
            self._ask({"verb": "uninstall", **_named(release)})

    def render(self, release: Release, chart: Chart, values: Mapping[str, Any]) -> str:
        """Return the objects a chart makes of values, as YAML. Reaches no cluster."""
        program = self._program()
        if program:
            where = ["--namespace", release.namespace, *_VALUES]
            command = [program, "template", release.name, *_place(chart), *where]
            return self._run(command, "render", json.dumps(values))
        return self._ask({"verb": "render", "chart": _chart(chart), "values": values, **_named(release)})

    def _program(self) -> str:
        """Return the program, or nothing where the Python package serves.

        Raises:
            NotServed: there is neither.
        """
        found = shutil.which("helm", path=self.environ.get("PATH"))
        if not found and importlib.util.find_spec(_EXTRA) is None:
            raise NotServed(
                "there is no Helm engine here: put the program `helm` on the PATH, or install policysync[helm]",
                "engine-not-installed",
            )
        return found or ""

    def _upgrade_arguments(self, release: Release, chart: Chart) -> list[str]:
        return [
            *("upgrade", "--install", release.name, *_place(chart)),
            *("--namespace", release.namespace, *_VALUES, "--history-max", str(_HISTORY), *self._waiting()),
        ]

    def _waiting(self) -> list[str]:
        return ["--wait", "--timeout", f"{self.wait}s"] if self.wait else []

    def _ask(self, request: Mapping[str, Any]) -> str:
        """Run the engine of the Python package in a child: Go inside, which must not be forked around."""
        asked = json.dumps({**request, "wait": self.wait, "history": _HISTORY})
        return self._run([sys.executable, "-m", _CHILD], request["verb"], asked)

    def _run(self, command: Sequence[str], verb: str, fed: str = "") -> str:
        limit = self.wait + _GRACE
        try:
            ended = subprocess.run(
                command,
                input=fed,
                env=self.environ,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                check=False,
                timeout=limit,
            )
        except subprocess.TimeoutExpired as error:
            raise OutcomeUnknown(f"helm {verb} did not end within {limit} seconds") from error
        except OSError as error:
            raise Refused(f"helm cannot be started: {error.strerror}") from error
        if ended.returncode:
            raise _failure(verb, ended.returncode, ended.stderr)
        return ended.stdout


def _failure(verb: str, status: int, said: str) -> BackendError:
    """Return which of our failures an end of Helm is."""
    text = " ".join(said.removeprefix("Error: ").split())
    # What is not shown, because it repeats a secret, still says which failure it is.
    ended = f"ended with status {status}" if status >= 0 else f"it was ended by signal {-status}"
    message = f"helm {verb}: {told(text)[-1000:] or ended}"
    if _LOCKED.search(text):
        return Unavailable(f"{message}; another run holds the release")
    if _NO_CHART.search(text):
        return Unavailable(f"{message}; name a copy in chart.localPath where the repository cannot be reached")
    if status < 0 or _LATE.search(text):
        return OutcomeUnknown(message)
    if _TRANSIENT.search(text):
        return Unavailable(message) if verb == "render" else OutcomeUnknown(message)
    return Refused(message)


def _place(chart: Chart) -> list[str]:
    return chart_arguments(chart.name, chart.version, chart.repository, chart.local)


def _chart(chart: Chart) -> dict[str, str]:
    return {"name": chart.name, "version": chart.version, "repository": chart.repository, "local": chart.local}


def _named(release: Release) -> dict[str, Any]:
    return {"release": release.name, "namespace": release.namespace}
