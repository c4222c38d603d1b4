"""What a policy with selectors is about: the workloads in a cluster that it matches now.

Source: reference, connectors 2.2: the selectors hold all together, and one that is not stated leaves nothing out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from policysync.backends.kubernetes.client import Client, segment
from policysync.backends.kubernetes.failures import Missing

_APPS = "/apis/apps/v1", "spec/template"
_PLACES: Mapping[str, tuple[str, str, str]] = {
    "Deployment": (*_APPS, "deployments"),
    "StatefulSet": (*_APPS, "statefulsets"),
    "DaemonSet": (*_APPS, "daemonsets"),
    "ReplicaSet": (*_APPS, "replicasets"),
    "Job": ("/apis/batch/v1", "spec/template", "jobs"),
    "CronJob": ("/apis/batch/v1", "spec/jobTemplate/spec/template", "cronjobs"),
    "Pod": ("/api/v1", "", "pods"),
}
"""Where each kind is served, where in it the pod stands, and its plural."""

_USUAL = ("Deployment", "StatefulSet", "DaemonSet")
"""The kinds that are looked for where a policy names none: the others are mostly made by these."""

_FEW = 8
"""Up to so many namespaces are asked one by one."""


class Workload(NamedTuple):
    """One workload of a cluster."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}"


def matched(client: Client, spec: Mapping[str, Any]) -> list[Workload]:
    """Return the workloads that the selectors of a policy match, in order.

    Raises:
        BackendError: the cluster does not say.
    """
    namespaces = _namespaces(client, spec.get("namespaceSelector") or {})
    wanted = spec.get("workloadSelector") or {}
    names, kinds = wanted.get("names"), wanted.get("kinds") or _USUAL
    found = []
    for kind in kinds:
        for held in _held(client, kind, namespaces):
            about = held.get("metadata") or {}
            one = Workload(kind, str(about.get("namespace", "")), str(about.get("name", "")))
            inside = namespaces is None or one.namespace in namespaces
            if inside and (not names or one.name in names) and _selects(spec, _pod_labels(kind, held)):
                found.append(one)
    return sorted(found)


def label_query(selector: Mapping[str, Any]) -> str:
    """Return a label selector as a list request takes it."""
    terms = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    for each in selector.get("matchExpressions") or ():
        values = ",".join(each.get("values") or ())
        terms.append(
            {
                "In": f"{each['key']} in ({values})",
                "NotIn": f"{each['key']} notin ({values})",
                "Exists": each["key"],
                "DoesNotExist": f"!{each['key']}",
            }[each["operator"]]
        )
    return ",".join(terms)


def _namespaces(client: Client, selector: Mapping[str, Any]) -> frozenset[str] | None:
    """Return the namespaces that are meant; None for all of them."""
    names, labels = selector.get("matchNames"), selector.get("matchLabels")
    if selector.get("any") or not (names or labels):
        return None
    if not labels:
        return frozenset(names or ())
    found = client.list("/api/v1/namespaces", labels=label_query(selector), names_only=True)
    labelled = frozenset(str(each["metadata"]["name"]) for each in found)
    return labelled & frozenset(names) if names else labelled


def _held(client: Client, kind: str, namespaces: frozenset[str] | None) -> Iterator[Mapping[str, Any]]:
    root, _, plural = _PLACES[kind]
    some = sorted(namespaces) if namespaces is not None and len(namespaces) <= _FEW else None
    paths = [f"{root}/{plural}"] if some is None else [f"{root}/namespaces/{segment(n)}/{plural}" for n in some]
    for path in paths:
        try:
            yield from client.list(path)
        except Missing:
            # An old cluster does not serve every kind, and what it does not serve it does not run.
            continue


def _pod_labels(kind: str, held: Any) -> Mapping[str, str]:
    for step in filter(None, _PLACES[kind][1].split("/")):
        held = (held or {}).get(step)
    return ((held or {}).get("metadata") or {}).get("labels") or {}


def _selects(spec: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    selector = spec.get("labelSelector") or {}
    stated = (selector.get("matchLabels") or {}).items()
    expressions = selector.get("matchExpressions") or ()
    return all(labels.get(key) == value for key, value in stated) and all(_holds(each, labels) for each in expressions)


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or ()
    return {
        "In": labels.get(key) in values,
        "NotIn": labels.get(key) not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }[expression["operator"]]
