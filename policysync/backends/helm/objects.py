"""Connectors without Helm: objects that are applied one by one, with our label on each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from policysync.backends.helm.found import named_release
from policysync.backends.helm.healing import take_back
from policysync.backends.helm.places import Places
from policysync.backends.kubernetes.client import Client, segment
from policysync.backends.kubernetes.failures import Missing
from policysync.backends.kubernetes.settling import settled, wait_until_gone
from policysync.clock import Clock
from policysync.errors import OutcomeUnknown, Refused
from policysync.render.aqua_objects import MANAGED_BY, manifests, operator_resource

Spec = Mapping[str, Any]
_WAIT = 60.0
_KEPT = "Namespace"
"""Other things may live in it, so it stays."""


class Objects:
    """Applies and deletes the objects of connectors in one cluster."""

    def __init__(self, client: Client, places: Places, clock: Clock) -> None:
        self._client = client
        self._places = places
        self._clock = clock

    def apply(self, spec: Spec, reveal: Callable[[Mapping[str, Any]], str], marks: Mapping[str, str]) -> None:
        """Apply every object on the server, and take away those that are wanted no more.

        `marks` are annotations of the pods: with others they start again.
        """
        _, namespace = named_release(spec)
        wanted = tuple(_marked(thing, marks) for thing in _wanted(spec, reveal))
        ours = (thing for thing in wanted if thing["kind"] != _KEPT)
        take_back(self._client, self._places, ours, namespace)
        for thing in wanted:
            path = self._places.path_of(thing, namespace)
            if thing["kind"] == _KEPT:
                self.make_namespace(namespace)
                continue
            held = self._client.apply(path, thing)
            said = settled(held, lambda path=path: self._client.get(path), self._clock, _WAIT)  # type: ignore[misc]
            if said:
                raise OutcomeUnknown(f"{thing['kind']} {thing['metadata']['name']} is {said}")
        kept = {(thing["kind"], thing["metadata"]["name"]) for thing in wanted}
        self._drop(spec, kept)

    def delete(self, spec: Spec) -> None:
        """Delete every object of a connector, last first; the namespace stays."""
        self._drop(spec, set())

    def make_namespace(self, name: str) -> None:
        """Make a namespace that is not there; whether somebody else makes it at the same time does not matter."""
        try:
            self._client.get(f"/api/v1/namespaces/{segment(name)}")
        except Missing:
            path = f"/api/v1/namespaces/{segment(name)}"
            self._client.apply(path, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})

    def _drop(self, spec: Spec, kept: set[tuple[str, str]]) -> None:
        _, namespace = named_release(spec)
        # As large as a connector can be, so that what an earlier form of the document had is found.
        anything = {"env": "-"}
        whole = {
            **spec,
            "replicas": 2,
            "serviceAccount": {**spec["serviceAccount"], "create": True},
            "auth": {"method": "token", "tokenFrom": anything},
        }
        for thing in reversed(_wanted(whole, lambda _source: "-")):
            if thing["kind"] != _KEPT and (thing["kind"], thing["metadata"]["name"]) not in kept:
                self._delete(self._places.path_of(thing, namespace))

    def _delete(self, path: str) -> None:
        try:
            held = self._client.get(path)
        except Missing:
            return
        about = held["metadata"]
        labels = about.get("labels") or {}
        if any(labels.get(name) != value for name, value in MANAGED_BY.items()):
            return
        uid = str(about.get("uid") or "")
        try:
            self._client.delete(path, uid=uid)
        except Missing:
            return
        wait_until_gone(lambda: self._client.get(path), uid, self._clock, _WAIT)


def _marked(thing: dict[str, Any], marks: Mapping[str, str]) -> dict[str, Any]:
    if thing["kind"] == "Deployment":
        thing["spec"]["template"]["metadata"]["annotations"] |= marks
    elif thing["kind"] == "AquaCloudConnector" and marks:
        thing["metadata"]["annotations"] = dict(marks)
    return thing


def _wanted(spec: Spec, reveal: Callable[[Mapping[str, Any]], str]) -> tuple[dict[str, Any], ...]:
    match spec["install"]["method"]:
        case "manifests":
            return manifests(spec, reveal)
        case "operator":
            return (operator_resource(spec, reveal),)
        case other:
            raise Refused(f"install.method {other} is carried out by hand; `policysync render` gives what it needs")
