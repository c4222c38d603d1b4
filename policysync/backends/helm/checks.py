"""Whether a connector could be installed, and how the one that is there does.

Source: reference, connectors 1.7 and 1.8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from policysync.backends.helm.found import named_release
from policysync.backends.helm.gateway import gateway_signs
from policysync.backends.helm.probe import Probe
from policysync.backends.helm.secrets import Vault
from policysync.backends.helm.vitals import Vitals
from policysync.backends.kubernetes.client import Client, segment
from policysync.backends.kubernetes.failures import Forbidden, Missing
from policysync.backends.port import Level, Sign
from policysync.backends.secret_source import named
from policysync.clock import Clock
from policysync.errors import BackendError, Refused
from policysync.render.aqua_objects import NAME

_WRITTEN = (
    ("secrets", ""),
    ("configmaps", ""),
    ("serviceaccounts", ""),
    ("deployments", "apps"),
    ("poddisruptionbudgets", "policy"),
)
Body = Mapping[str, Any]


class Checkup:
    """Looks at one connector as git states it; with a probe also from inside the cluster."""

    def __init__(
        self, client: Client, vault: Vault, clock: Clock, spec: Mapping[str, Any], probe: Probe | None = None
    ) -> None:
        self._client = client
        self._vault = vault
        self._spec = spec
        self._probe = probe
        self._release, self._namespace = named_release(spec)
        prefix = {"helm": f"{self._namespace}-cloud-connector", "operator": f"{self._release}-cloud-connector"}
        self._name = prefix.get(spec["install"]["method"], NAME)
        self._vitals = Vitals(client, clock, self._namespace, self._name, spec["healthPort"])

    def signs(self) -> Iterator[Sign]:
        """Yield every sign; one that cannot be looked at is unknown."""
        looks: tuple[tuple[str, Callable[[], Iterator[Sign]]], ...] = (
            ("preflight/gateway", partial(gateway_signs, self._spec)),
            ("preflight/namespace", self._namespaces),
            ("preflight/service-account", self._account),
            ("preflight/secrets", self._secrets),
            ("preflight/permissions", self._permissions),
            ("preflight/budget", self._budget),
            ("preflight/names", self._names),
            ("preflight/tunnels", self._tunnels),
            ("health/available", self._vitals.signs),
        )
        for name, look in looks:
            try:
                yield from look()
            except Forbidden as error:
                yield Sign(name, Level.UNKNOWN, "forbidden", str(error))
            except BackendError as error:
                yield Sign(name, Level.UNKNOWN, "unreadable", str(error))

    def _path(self, plural: str, name: str = "", group: str = "/api/v1") -> str:
        inside = f"{group}/namespaces/{segment(self._namespace)}"
        return f"{inside}/{plural}" + (f"/{segment(name)}" if name else "") if plural else inside

    def _has(self, path: str) -> bool:
        try:
            self._client.get(path)
        except Missing:
            return False
        return True

    def _namespaces(self) -> Iterator[Sign]:
        name, noun = "preflight/namespace", f"namespace {self._namespace}"
        if self._has(self._path("")):
            yield Sign(name, Level.OK, "", f"{noun} is there")
        elif self._spec["release"]["createNamespace"]:
            yield Sign(name, Level.OK, "", f"{noun} will be made")
        else:
            yield Sign(name, Level.ERROR, "missing", f"{noun} is not there; make it, or set release.createNamespace")

    def _account(self) -> Iterator[Sign]:
        account = self._spec["serviceAccount"]
        if account["create"]:
            return
        name, noun = "preflight/service-account", f"service account {account['name']}"
        if self._has(self._path("serviceaccounts", account["name"])):
            yield Sign(name, Level.OK, "", f"{noun} is there")
        else:
            yield Sign(name, Level.ERROR, "missing", f"{noun} is not there; make it, or set serviceAccount.create")

    def _secrets(self) -> Iterator[Sign]:
        pull = self._spec["imagePullSecret"]
        if self._spec["serviceAccount"]["create"] and not pull["create"]:
            there = self._has(self._path("secrets", pull["name"]))
            level, reason = (Level.OK, "") if there else (Level.ERROR, "missing")
            state = "there" if there else "not there; make it, or set imagePullSecret.create"
            yield Sign("preflight/pull-secret", level, reason, f"pull secret {pull['name']} is {state}")
        for owner in ("auth", "imagePullSecret"):
            for field in ("tokenFrom", "usernameFrom", "passwordFrom"):
                source = self._spec[owner].get(field)
                if source and any(source.values()):
                    yield self._secret(f"preflight/{owner}.{field}", source)

    def _secret(self, name: str, source: Body) -> Sign:
        try:
            value = self._vault.find(source)
        except Refused as error:
            return Sign(name, Level.ERROR, "missing", str(error))
        if not value.reveal():
            return Sign(name, Level.ERROR, "empty", f"{named(source)} is empty")
        return Sign(name, Level.OK, "", f"{named(source)} is there")

    def _permissions(self) -> Iterator[Sign]:
        asked = [(verb, *where) for where in _WRITTEN for verb in ("create", "patch")]
        lacking = [
            f"{verb} {resource}"
            for verb, resource, group in asked
            if not self._client.may(verb, resource, group=group, namespace=self._namespace)
        ]
        if lacking:
            said = f"these credentials may not {', '.join(lacking)} in namespace {self._namespace}"
            yield Sign("preflight/permissions", Level.ERROR, "forbidden", said)
        else:
            yield Sign("preflight/permissions", Level.OK, "", f"everything may be written in {self._namespace}")

    def _budget(self) -> Iterator[Sign]:
        if self._spec["replicas"] < 2:
            return
        if self._has("/apis/policy/v1"):
            yield Sign("preflight/budget", Level.OK, "", "the cluster serves policy/v1")
        else:
            said = "the cluster does not serve policy/v1, which more than one replica needs; set replicas to 1"
            yield Sign("preflight/budget", Level.ERROR, "not-served", said)

    def _names(self) -> Iterator[Sign]:
        try:
            labels = self._vitals.deployment()["metadata"].get("labels") or {}
        except Missing:
            yield Sign("preflight/names", Level.OK, "", f"nobody else has a Deployment {self._name}")
            return
        owner = labels.get("release", self._release)
        if owner == self._release:
            yield Sign("preflight/names", Level.OK, "", f"Deployment {self._name} belongs to this connector")
        else:
            said = f"release {owner} has Deployment {self._name} already; a namespace holds one connector"
            yield Sign("preflight/names", Level.ERROR, "taken", said)

    def _tunnels(self) -> Iterator[Sign]:
        if self._probe is not None:
            yield from self._probe.signs(self._namespace, self._spec["tunnels"])
            return
        hosts = " ".join(f"{t['host']}:{t['port']}" for t in self._spec["tunnels"])
        said = f"whether {hosts} can be reached shows in the cluster only; --probe-cluster asks a pod of it"
        yield Sign("preflight/tunnels", Level.UNKNOWN, "seen-from-the-cluster", said)
