"""One connector as it is in a cluster: read back into what a document would say.

Source: reference, connectors 1.5.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policysync.backends.helm.observed import Object, edited, foreign, keyed, laid_on, parts
from policysync.backends.helm.places import held, path_of
from policysync.backends.helm.release import Release, decode, newest
from policysync.backends.helm.values import SameSecret, foreign_values, from_values
from policysync.backends.kubernetes.client import Client, segment
from policysync.backends.kubernetes.failures import Forbidden, Missing
from policysync.backends.secret_source import named
from policysync.errors import Refused
from policysync.pointer import resolve
from policysync.render.aqua_helm import SECRET_MARK, SIGNS_IN, stated
from policysync.render.aqua_objects import (
    MANAGED_BY,
    NAME,
    OPERATOR_API,
    SECRET,
    TUNNELS_MARK,
    manifests,
)
from policysync.render.aqua_tunnels import documented_file, from_file, tunnels_digest
from policysync.state.resource import Hindrance

Spec = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Found:
    """A connector that is there: what it says, or why nobody can tell."""

    spec: Spec
    hindrance: Hindrance | None = None


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads connectors of one cluster.

    `same` compares a secret with what a document names, `marked` a fingerprint with what a way to sign in names.
    """

    client: Client
    same: SameSecret
    marked: Callable[[str, Mapping[str, Any]], bool]

    def find(self, declared: Mapping[str, Any]) -> Found | None:
        """Return the connector that a spec describes, None when it is not there."""
        stated = str(resolve(declared, "/install/method") or "helm")
        # One that was installed another way before is found as well, or it would be left behind.
        ways = (stated, *(way for way in _READ if way not in (stated, "operator") and declared.get("auth")))
        try:
            return next((found for way in ways if (found := _READ[way](self, declared))), None)
        except Forbidden as error:
            return Found({}, Hindrance("unreadable", "forbidden", str(error)))

    def release(self, declared: Mapping[str, Any]) -> Release | None:
        """Return the newest revision of the release, None when there is none.

        Raises:
            Refused: what is there is no release.
        """
        name, namespace = named_release(declared)
        path = f"/api/v1/namespaces/{segment(namespace)}/secrets"
        secret = newest(self.client.list(path, labels=f"owner=helm,name={name}"))
        return decode(secret) if secret else None

    def helm(self, declared: Mapping[str, Any]) -> Found | None:
        """Return what a Helm release says, and what was changed in its objects by hand."""
        name, namespace = named_release(declared)
        try:
            release = self.release(declared)
        except Forbidden:
            raise
        except Refused as error:
            return Found({}, Hindrance("unreadable", "release-unreadable", str(error)))
        if release is None:
            return None
        if release.locked:
            # The first revision has nothing to go back to.
            verb = "rollback" if release.revision > 1 and release.status != "uninstalling" else "uninstall"
            said = (
                f"release {name} of namespace {namespace} is {release.status} at revision {release.revision}; wait for "
                f"whoever does it, or, where that run died, end it with `helm {verb} {name} -n {namespace}`"
            )
            return Found({}, Hindrance("unreadable", "release-locked", said))
        wanted = str(resolve(declared, "/chart/name") or "cloud-connector")
        if release.chart != wanted:
            said = f"release {name} of namespace {namespace} is of chart {release.chart}, not {wanted}"
            return Found({}, Hindrance("blocked", "other-release", said))
        return Found(self._of_release(release, declared))

    def _of_release(self, release: Release, declared: Mapping[str, Any]) -> Spec:
        spec = {**_echoed(declared), **from_values(release.values, declared, self.same), "install": {"method": "helm"}}
        spec["chart"] = {**_echoed(declared).get("chart", {}), "name": release.chart, "version": release.version}
        marks = release.values.get("podAnnotations") or {}
        spec["auth"] = self._as_marked(spec["auth"], marks)
        live = held(self.client, release.manifest, release.namespace)
        strange = [*foreign_values(release.defaults, release.config, release.values), *foreign(release.manifest, live)]
        if release.status != "deployed":
            strange.append(f"release is {release.status}")
        return {**laid_on(spec, edited(release.manifest, live, declared)), "foreign": strange}

    def manifests(self, declared: Mapping[str, Any]) -> Found | None:
        """Return what plain objects of ours say. Classes of tunnels that git does not tell are inferred from hosts."""
        wanted = keyed(manifests(declared, lambda source: f"<{named(source)}>"))
        _, namespace = named_release(declared)
        there = held(self.client, wanted.values(), namespace)
        deployment = there.get(("Deployment", NAME))
        if deployment is None:
            return None
        if not _is_ours(deployment):
            said = f"Deployment {NAME} of namespace {namespace} does not carry the label of policysync"
            return Found({}, Hindrance("blocked", "other-owner", said))
        seen = parts(there.values(), declared)
        spec = laid_on({**_echoed(declared), **_of_account(declared, there), "install": {"method": "manifests"}}, seen)
        spec["auth"] = self._auth(declared, seen.get("secretEnv", {}), there)
        # What is in a Secret is compared above; here nothing of it is known.
        compared = [thing for (kind, _), thing in wanted.items() if kind != "Secret"]
        strange = [f"{kind} {name} is gone" for kind, name in wanted if kind == "Secret" and (kind, name) not in there]
        strange += foreign(compared, there)
        marks = _marks(deployment)
        spec["auth"] = self._as_marked(spec["auth"], marks)
        if marks.get(TUNNELS_MARK) != tunnels_digest(documented_file(seen.get("tunnels", ()))):
            strange.append(f"Deployment {NAME} {TUNNELS_MARK}")
        return Found({**spec, "foreign": strange})

    def secret_mark(self, declared: Mapping[str, Any]) -> str:
        """Return the fingerprint of what the pods of plain objects sign in with; empty where there is none."""
        about = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": NAME}}
        try:
            return str(_marks(self.client.get(path_of(about, named_release(declared)[1]))).get(SECRET_MARK) or "")
        except Missing:
            return ""

    def _as_marked(self, auth: Spec, marks: Mapping[str, Any]) -> Spec:
        """Return how pods sign in; where a Secret of the cluster has another value than when they started, that."""
        inside = {name: from_cluster for name in SIGNS_IN if (from_cluster := _of_cluster(auth.get(name)))}
        if not inside or self.marked(str(marks.get(SECRET_MARK) or ""), auth):
            return auth
        named_so = {
            name: {"kubernetesSecret": {**where, "key": f"{where['key']} (another value)"}}
            for name, where in inside.items()
        }
        return {**auth, **named_so}

    def _auth(
        self, declared: Mapping[str, Any], variables: Mapping[str, tuple[str, str]], there: Mapping[Any, Object]
    ) -> Spec:
        """Return how the pods sign in: by a Secret of git's, or by ours with what git names in it."""
        ours = keyed(there.values()).get(("Secret", SECRET), {}).get("data") or {}
        wanted = declared.get("auth", {})
        said: Spec = {"method": "token" if "AQUA_CLOUD_CONNECTOR_TOKEN" in variables else "userPassword"}
        for field, key in (("usernameFrom", "username"), ("passwordFrom", "password"), ("tokenFrom", "token")):
            kept = variables.get(f"AQUA_CLOUD_CONNECTOR_{key.upper()}")
            if kept is None:
                continue
            if kept != (SECRET, key):
                said[field] = {"kubernetesSecret": {"name": kept[0], "key": kept[1]}}
            elif (source := stated(wanted.get(field))) and key in ours and self.same(source, decoded(ours[key])):
                said[field] = source
        return said

    def operator(self, declared: Mapping[str, Any]) -> Found | None:
        """Return what the operator's resource says."""
        name, namespace = named_release(declared)
        try:
            self.client.get(f"/apis/{OPERATOR_API}")
        except Missing:
            said = f"no API of the cluster serves {OPERATOR_API}; install the 2022.4.0 operator, or use method helm"
            return Found({}, Hindrance("blocked", "engine-not-installed", said))
        about = {"apiVersion": OPERATOR_API, "kind": "AquaCloudConnector", "metadata": {"name": name}}
        try:
            body = self.client.get(path_of(about, namespace))
        except Missing:
            return None
        return Found({**_echoed(declared), **self._of_operator(body["spec"], declared)})

    def _of_operator(self, spec: Mapping[str, Any], declared: Mapping[str, Any]) -> Spec:
        login, deploy, common = spec["login"], spec["deploy"], spec.get("common") or {}
        host, _, port = str(login.get("host", "")).rpartition(":")
        wanted = declared.get("auth", {})
        auth: Spec = {"method": "token" if login.get("token") else "userPassword"}
        for field, key in (("usernameFrom", "username"), ("passwordFrom", "password"), ("tokenFrom", "token")):
            if login.get(key) and (source := stated(wanted.get(field))) and self.same(source, str(login[key])):
                auth[field] = source
        return {
            "image": dict(deploy.get("image") or {}),
            "imagePullSecret": {**declared.get("imagePullSecret", {}), "name": common.get("imagePullSecret")},
            "serviceAccount": {**declared.get("serviceAccount", {}), "name": spec["infra"].get("serviceAccount")},
            "gateway": {"host": host, "port": int(port or 0)},
            "tlsVerify": not login.get("tlsNoVerify"),
            "auth": auth,
            "replicas": deploy.get("replicas", 1),
            **{name: deploy.get(name) or {} for name in ("resources", "nodeSelector", "affinity")},
            "tolerations": deploy.get("tolerations") or [],
            "tunnels": [_operator_tunnel(each, declared) for each in spec["tunnels"]],
        }


_READ: Mapping[str, Callable[[Reader, Mapping[str, Any]], Found | None]] = {
    "helm": Reader.helm,
    "manifests": Reader.manifests,
    "operator": Reader.operator,
}


def named_release(spec: Mapping[str, Any]) -> tuple[str, str]:
    """Return name and namespace of the release a spec describes."""
    release = spec.get("release") or {}
    return str(release.get("name") or "aqua-cloud-connector"), str(release.get("namespace") or "aqua")


def decoded(data: str) -> str:
    """Return a value of a Secret's data."""
    return base64.b64decode(data).decode("utf-8", "replace")


def _echoed(declared: Mapping[str, Any]) -> Spec:
    """Return what a document says and no cluster can: it is taken to be as git says."""
    chart = declared.get("chart") or {}
    return {
        **{
            name: declared[name] for name in ("name", "cluster", "install", "release", "healthPort") if name in declared
        },
        "chart": dict(chart),
    }


def _of_account(declared: Mapping[str, Any], there: Mapping[Any, Object]) -> Spec:
    """Return whether service account and pull secret are ours; their names are git's, or they would not be found."""
    wanted = {name: dict(declared.get(name) or {}) for name in ("serviceAccount", "imagePullSecret", "image")}
    account = there.get(("ServiceAccount", str(wanted["serviceAccount"].get("name"))))
    wanted["serviceAccount"]["create"] = account is not None
    return {**wanted, "platform": declared.get("platform")}


def _of_cluster(source: Any) -> Mapping[str, Any]:
    return (source or {}).get("kubernetesSecret") or {}


def _marks(deployment: Mapping[str, Any]) -> Mapping[str, Any]:
    marks: Mapping[str, Any] = deployment["spec"]["template"]["metadata"].get("annotations") or {}
    return marks


def _is_ours(thing: Object) -> bool:
    labels = thing["metadata"].get("labels") or {}
    return all(labels.get(name) == value for name, value in MANAGED_BY.items())


def _operator_tunnel(each: Mapping[str, Any], declared: Mapping[str, Any]) -> Spec:
    from_file_shape = {"tunnels": [{"host": each.get("host")}, {"port": each.get("port")}, *_service(each)]}
    return from_file(from_file_shape, declared.get("tunnels") or ())[0]


def _service(each: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if each.get("region"):
        yield {"service": None, "type": each.get("type", "ecr"), "region": each["region"]}
