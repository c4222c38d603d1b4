"""Whether the hosts of tunnels answer where a connector runs: a pod of its namespace tries them, and is gone again.

Source: reference, connectors 1.8. What a machine outside the cluster reaches proves nothing about the cluster.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policysync.backends.kubernetes.client import MANAGER, Client, segment
from policysync.backends.kubernetes.failures import Missing
from policysync.backends.kubernetes.settling import condition
from policysync.backends.port import Level, Sign
from policysync.clock import Clock
from policysync.errors import BackendError

IMAGE = "busybox:stable"
"""A guess at what every cluster can pull; it needs `sh`, `tr`, and the `nc` of BusyBox."""

SCRIPT = """\
try() {
  said=$(nc -w 5 "$1" "$2" -e true 2>&1 </dev/null)
  printf 'tried\\t%s\\t%s\\t%s\\t%s\\n' "$1" "$2" "$?" "$(printf %s "$said" | tr '\\t\\n' '  ')"
}
while [ "$#" -gt 1 ]; do
  try "$1" "$2" &
  shift 2
done
wait
"""
"""What the pod runs, with hosts and ports by turns as its arguments; all are tried at once, and each gives one line."""

_LIFE = 45
"""Seconds after which the cluster itself ends the pod."""

_LIMIT, _PAUSE = 60.0, 0.5
"""Seconds the pod is waited for, and between two looks."""

_NEVER_STARTS = frozenset(
    {"CreateContainerConfigError", "CreateContainerError", "ErrImageNeverPull", "ImagePullBackOff", "InvalidImageName"}
)
_UNRESOLVED = ("bad address", "not known", "not resolve", "name resolution")
_NO_NC = frozenset({"126", "127"})
_USAGE = ("invalid option", "unrecognized option", "Usage:")

_log = logging.getLogger(__name__)

Body = Mapping[str, Any]
End = tuple[str, int]
"""A host and its port."""


@dataclass(frozen=True, slots=True)
class Probe:
    """Looks from inside one cluster."""

    client: Client
    clock: Clock
    image: str = IMAGE

    def signs(self, namespace: str, tunnels: Iterable[Body]) -> Iterator[Sign]:
        """Yield how each host of tunnels answers from a namespace; unknown where the pod could not say it."""
        ends = tuple(dict.fromkeys((str(each["host"]), int(each["port"])) for each in tunnels))
        try:
            log, why = self._run(namespace, ends)
        except BackendError as error:
            log, why = "", str(error)
        yield from read(log, ends, why)

    def _run(self, namespace: str, ends: tuple[End, ...]) -> tuple[str, str]:
        """Return what a pod wrote, and why it did not say all; it is deleted whatever happens."""
        verbs = ("create", "get", "delete")
        if lacking := [verb for verb in verbs if not self.client.may(verb, "pods", namespace=namespace)]:
            return "", f"these credentials may not {', '.join(lacking)} pods in namespace {namespace}"
        pods = f"/api/v1/namespaces/{segment(namespace)}/pods"
        # Named here, so that it can be deleted also where nobody knows whether it was made.
        name = f"policysync-probe-{secrets.token_hex(4)}"
        try:
            self.client.post(pods, pod(name, self.image, ends))
            why = self._wait(f"{pods}/{name}")
            return self._written(f"{pods}/{name}/log", why)
        finally:
            self._delete(f"{pods}/{name}")

    def _wait(self, path: str) -> str:
        """Wait until a pod has ended, and return why it never will, or what it failed of, or nothing."""
        until = self.clock.monotonic() + _LIMIT
        while True:
            held = self.client.get(path)
            phase, why = str((held.get("status") or {}).get("phase")), trouble(held)
            if phase == "Succeeded":
                return ""
            if phase == "Failed" or why.partition(":")[0] in _NEVER_STARTS:
                return why or "its pod failed"
            if self.clock.monotonic() >= until:
                return f"its pod has not ended after {_LIMIT:g} seconds" + (f": {why}" if why else "")
            self.clock.sleep(_PAUSE)

    def _written(self, path: str, why: str) -> tuple[str, str]:
        try:
            return self.client.text(path), why
        except BackendError as error:
            # A pod that never started has no log, and why it did not start says more.
            return "", why or str(error)

    def _delete(self, path: str) -> None:
        # An interrupt closes the connections of the client before it gets here.
        client = self.client.fresh()
        try:
            client.delete(path)
        except Missing:
            pass
        except BackendError as error:
            _log.warning("the pod of the probe may have stayed, delete it: %s: %s", path, error)
        finally:
            client.close()


def pod(name: str, image: str, ends: Iterable[End]) -> dict[str, Any]:
    """Return a pod that tries hosts, and that the strictest Pod Security Standard lets in."""
    container = {
        "name": "probe",
        "image": image,
        "command": ["sh", "-c", SCRIPT, "probe"],
        "args": [text for host, port in ends for text in (host, str(port))],
        "resources": {
            "requests": {"cpu": "10m", "memory": "16Mi"},
            "limits": {"cpu": "100m", "memory": "64Mi"},
        },
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    labels = {"app.kubernetes.io/managed-by": MANAGER, "app.kubernetes.io/component": "probe"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels},
        "spec": {
            "restartPolicy": "Never",
            "activeDeadlineSeconds": _LIFE,
            "terminationGracePeriodSeconds": 1,
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "nodeSelector": {"kubernetes.io/os": "linux"},
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": 65534,
                "runAsGroup": 65534,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [container],
        },
    }


def trouble(held: Body) -> str:
    """Return what keeps a pod from running or made it fail, beginning with the cluster's own word; or nothing."""
    status = held.get("status") or {}
    for each in status.get("containerStatuses") or ():
        state = each.get("state") or {}
        stuck = state.get("waiting") or state.get("terminated") or {}
        if stuck.get("reason") not in (None, "ContainerCreating", "Completed"):
            return _words(stuck)
    if status.get("reason"):
        return _words(status)
    scheduled = condition(held, "PodScheduled")
    return _words(scheduled) if scheduled.get("status") == "False" else ""


def _words(said: Body) -> str:
    return ": ".join(str(said[member]) for member in ("reason", "message") if said.get(member))


def read(log: str, ends: Iterable[End], why: str) -> Iterator[Sign]:
    """Yield a sign for each host and port out of what the pod wrote.

    Args:
        why: what kept the pod from saying all, where something did.
    """
    tried: dict[tuple[str, str], tuple[str, str]] = {}
    for line in log.splitlines():
        mark, *fields = line.split("\t")
        if mark == "tried" and len(fields) == 4:
            host, port, status, said = fields
            tried[host, port] = status, said.strip()
    for end in ends:
        yield _sign(*end, tried.get((end[0], str(end[1]))), why)


def _sign(host: str, port: int, answer: tuple[str, str] | None, why: str) -> Sign:
    name, status, said = f"preflight/tunnel/{host}", *(answer or ("", ""))
    if status == "0":
        return Sign(name, Level.OK, "", f"{host}:{port} accepts TCP from the cluster")
    if answer is None or status in _NO_NC or any(word in said for word in _USAGE):
        cause = why or (f"the image cannot do it, see the option probe_image: {said}" if answer else "it wrote nothing")
        return Sign(name, Level.UNKNOWN, "probe-failed", f"nobody could try {host}:{port} from the cluster: {cause}")
    if any(word in said.lower() for word in _UNRESOLVED):
        advice = "name it in the cluster's DNS, or correct the tunnel"
        return Sign(name, Level.ERROR, "tunnel-host-unresolved", f"{host} does not resolve in the cluster; {advice}")
    text = f"{host}:{port} does not accept TCP from the cluster ({said or 'no answer'}); look at firewalls and policies"
    return Sign(name, Level.ERROR, "tunnel-port-closed", text)
