"""How the pods of a connector do.

Source: reference, connectors 1.7.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from policysync.backends.kubernetes.client import Client, segment
from policysync.backends.kubernetes.failures import Forbidden, Missing
from policysync.backends.kubernetes.settling import condition
from policysync.backends.port import Level, Sign
from policysync.clock import Clock
from policysync.errors import BackendError

CONNECTED = "connection established with remote server"
"""The line in the log of a connector that is the one proof of a session."""

_LATELY = timedelta(minutes=10)
_TIME_TO_CONNECT = timedelta(minutes=1)
Body = Mapping[str, Any]


class Vitals:
    """Looks at the Deployment `name` of a namespace and its pods; `port` is where they answer for their health."""

    def __init__(self, client: Client, clock: Clock, namespace: str, name: str, port: int) -> None:
        self._client = client
        self._clock = clock
        self._namespace = namespace
        self._name = name
        self._port = port

    def deployment(self) -> dict[str, Any]:
        """Return the Deployment.

        Raises:
            Missing: there is none.
        """
        inside = f"/apis/apps/v1/namespaces/{segment(self._namespace)}"
        return self._client.get(f"{inside}/deployments/{segment(self._name)}")

    def _pods(self, name: str = "") -> str:
        inside = f"/api/v1/namespaces/{segment(self._namespace)}/pods"
        return f"{inside}/{segment(name)}" if name else inside

    def signs(self) -> Iterator[Sign]:
        """Yield how it does: up to date, restarted lately, answering, and with a session."""
        try:
            deployment = self.deployment()
        except Missing:
            said = f"Deployment {self._name} is not in namespace {self._namespace}; `policysync apply` installs it"
            yield Sign("health/available", Level.ERROR, "not-installed", said)
            return
        yield _available(self._name, deployment)
        labels = ",".join(f"{k}={v}" for k, v in deployment["spec"]["selector"]["matchLabels"].items())
        pods = [pod for pod in self._client.list(self._pods(), labels=labels) if _started(pod)]
        if not pods:
            yield Sign("health/session", Level.ERROR, "no-pods", "no pod of it runs; look at its events")
            return
        yield self._restarts(pods)
        newest = max(pods, key=lambda pod: str(_started(pod)))
        yield self._answer(newest)
        yield self._session(newest)

    def _restarts(self, pods: list[dict[str, Any]]) -> Sign:
        since = self._clock.now() - _LATELY
        ends = [
            (pod["metadata"]["name"], status)
            for pod in pods
            for status in (pod.get("status") or {}).get("containerStatuses") or ()
            if (end := _time((status.get("lastState") or {}).get("terminated", {}).get("finishedAt"))) and end >= since
        ]
        if not ends:
            return Sign("health/restarts", Level.OK, "", "no restart in the last 10 minutes")
        pod, status = ends[0]
        said = f"{pod} restarted in the last 10 minutes, {status.get('restartCount', '?')} times in all; see its log"
        return Sign("health/restarts", Level.WARNING, "restarting", said)

    def _answer(self, pod: Body) -> Sign:
        name, port = pod["metadata"]["name"], self._port
        path = self._pods(name)
        try:
            self._client.text(f"{path}:{port}/proxy/health")
        except Forbidden as error:
            return Sign("health/answer", Level.UNKNOWN, "forbidden", str(error))
        except BackendError as error:
            return Sign("health/answer", Level.ERROR, "unwell", f"/health of {name} does not answer well: {error}")
        return Sign("health/answer", Level.OK, "", f"/health of {name} answers")

    def _session(self, pod: Body) -> Sign:
        """Look for the proof of a session in the log of the container as it runs now: an older line would mislead."""
        name, started = pod["metadata"]["name"], _started(pod)
        log = self._client.text(
            f"{self._pods(name)}/log",
            {
                "container": pod["spec"]["containers"][0]["name"],
                "sinceTime": f"{started:%Y-%m-%dT%H:%M:%SZ}" if started else "",
            },
        )
        if CONNECTED in log:
            return Sign("health/session", Level.OK, "", f"{name} is connected to the gateway")
        if started and self._clock.now() - started < _TIME_TO_CONNECT:
            return Sign("health/session", Level.UNKNOWN, "progressing", f"{name} started less than a minute ago")
        said = (
            f"{name} has no session: its log lacks `{CONNECTED}`; the token may be wrong or revoked, the gateway's host"
            " wrong, its port blocked, or TLS refused"
        )
        return Sign("health/session", Level.ERROR, "no-session", said)


def _available(name: str, deployment: Body) -> Sign:
    status, wanted = deployment.get("status") or {}, deployment["spec"].get("replicas", 1)
    updated = status.get("updatedReplicas", 0)
    if condition(deployment, "Available").get("status") == "True" and updated == wanted:
        return Sign(
            "health/available", Level.OK, "", f"Deployment {name} is available with {wanted} of {wanted} replicas"
        )
    why = condition(deployment, "Progressing").get("message") or condition(deployment, "Available").get("message") or ""
    said = f"Deployment {name} has {updated} of {wanted} replicas up to date" + (f": {why}" if why else "")
    return Sign("health/available", Level.ERROR, "not-available", said)


def _started(pod: Body) -> datetime | None:
    statuses = (pod.get("status") or {}).get("containerStatuses") or ()
    times = [_time((each.get("state") or {}).get("running", {}).get("startedAt")) for each in statuses]
    return max((time for time in times if time), default=None)


def _time(text: Any) -> datetime | None:
    return datetime.fromisoformat(text) if isinstance(text, str) else None
