"""One connector as it is in a cluster: read back into what a document would say.

Source: reference, connectors 1.5.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from policysync.backends.helm.chart import plain_version
from policysync.backends.helm.found import Found, echoed, named_release
from policysync.backends.helm.login import Holdings, seen
from policysync.backends.helm.observed import Key, Object, edited, foreign, keyed, laid_on, sign_in
from policysync.backends.helm.operated import operated
from policysync.backends.helm.places import Places
from policysync.backends.helm.plain import plain
from policysync.backends.helm.release import Release, decode, newest
from policysync.backends.helm.secrets import Vault
from policysync.backends.helm.values import foreign_values, from_values, logins
from policysync.backends.kubernetes.client import Client, segment
from policysync.backends.kubernetes.failures import Forbidden
from policysync.errors import Refused
from policysync.pointer import resolve
from policysync.render.aqua_helm import LOGINS
from policysync.state.resource import Hindrance

Spec = Mapping[str, Any]
_REMEDIES = {"uninstalling": "uninstall", "pending-install": "uninstall"}


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads connectors of one namespace of a cluster."""

    client: Client
    places: Places
    vault: Vault

    def find(self, declared: Spec) -> Found | None:
        """Return the connector that a spec describes, None when it is not there."""
        stated = _method(declared)
        # One that was installed another way before is found as well, or it would be left behind.
        ways = (stated, *(way for way in _READ if way not in (stated, "operator") and declared.get("auth")))
        try:
            found = next((found for way in ways if (found := _READ[way](self, declared))), None)
        except Forbidden as error:
            return Found({}, Hindrance("unreadable", "forbidden", str(error)))
        return self._with_logins(found, declared) if found and not found.hindrance else found

    def marks(self, declared: Spec) -> Mapping[str, Any]:
        """Return the annotations that hold the fingerprints of what a connector uses now."""
        found = _READ[_method(declared)](self, declared)
        return found.marks if found else {}

    def release(self, declared: Spec) -> Release | None:
        """Return the newest revision of the release, None when there is none.

        Raises:
            Refused: what is there is no release.
        """
        name, namespace = named_release(declared)
        path = f"/api/v1/namespaces/{segment(namespace)}/secrets"
        secret = newest(self.client.list(path, labels=f"owner=helm,name={name}"))
        return decode(secret) if secret else None

    def helm(self, declared: Spec) -> Found | None:
        """Return what a Helm release says, and what was changed in its objects by hand."""
        try:
            release = self.release(declared)
        except Forbidden:
            raise
        except Refused as error:
            return Found({}, Hindrance("unreadable", "release-unreadable", str(error)))
        if release is None:
            return None
        hindrance = _hindrance(release, str(resolve(declared, "/chart/name") or "cloud-connector"))
        return Found({}, hindrance) if hindrance else self._of_release(release, declared)

    def _of_release(self, release: Release, declared: Spec) -> Found:
        spec = {**echoed(declared), **from_values(release.values, declared), "install": {"method": "helm"}}
        spec["chart"] = {**echoed(declared)["chart"], "name": release.chart, "version": plain_version(release.version)}
        live = self.places.held(release.manifest, release.namespace)
        strange = [*foreign_values(release.defaults, release.config, release.values), *foreign(release.manifest, live)]
        if release.status != "deployed":
            strange.append(f"release is {release.status}")
        told = {**laid_on(spec, edited(release.manifest, live, declared)), "foreign": strange}
        held = {name: {**login} for name, login in logins(release.values).items()}
        held["auth"] |= _elsewhere(release.manifest, live)
        return Found(told, logins=held, marks=release.annotations)

    def manifests(self, declared: Spec) -> Found | None:
        """Return what plain objects of ours say."""
        return plain(self.places, declared)

    def operator(self, declared: Spec) -> Found | None:
        """Return what the operator's resource says."""
        return operated(self.client, self.places, declared)

    def _with_logins(self, found: Found, declared: Spec) -> Found:
        """Return what was found, with where its secrets are kept."""
        spec, rotated = dict(found.spec), []
        for login, mark in LOGINS.items():
            held, wanted = found.logins.get(login, {}), declared.get(login) or {}
            told = seen(self.vault, held, wanted, str(found.marks.get(mark) or ""))
            spec[login] = {**spec.get(login, {}), **told.sources}
            rotated += [f"/{login}/{member}" for member in told.rotated]
        return replace(found, spec=spec, rotated=tuple(rotated))


_READ: Mapping[str, Callable[[Reader, Spec], Found | None]] = {
    "helm": Reader.helm,
    "manifests": Reader.manifests,
    "operator": Reader.operator,
}


def _method(declared: Spec) -> str:
    return str(resolve(declared, "/install/method") or "helm")


def _elsewhere(manifest: Iterable[Object], live: Mapping[Key, Object]) -> Holdings:
    """Return what pods sign in with where that is not what the release says; nothing stands for what is missing."""
    there = [live[key] for key in keyed(manifest) if key in live]
    should, do = sign_in(manifest), sign_in(there)
    if not any(thing["kind"] == "Deployment" for thing in there):
        return {}
    changed = {member: do.get(member) for member, place in should.items() if do.get(member) != place}
    return {member: {"name": place[0], "key": place[1]} if place else "" for member, place in changed.items()}


def _hindrance(release: Release, chart: str) -> Hindrance | None:
    """Return why a release can be neither compared nor changed."""
    said = f"release {release.name} of namespace {release.namespace} is"
    if release.locked:
        # The first revision has nothing to go back to.
        verb = _REMEDIES.get(release.status, "rollback" if release.revision > 1 else "uninstall")
        message = (
            f"{said} {release.status} at revision {release.revision}; wait for whoever does it, or, where that run"
            f" died, end it with `helm {verb} {release.name} -n {release.namespace}`"
        )
        return Hindrance("unreadable", "release-locked", message)
    if release.chart != chart:
        message = (
            f"{said} of chart {release.chart}, not {chart}; choose another `release.name`, or correct `chart.name`"
        )
        return Hindrance("blocked", "other-release", message)
    return None
