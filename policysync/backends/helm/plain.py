"""A connector of plain objects, read back. Classes of tunnels that git does not tell are inferred from hosts.

Source: reference, connectors 1.5.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from policysync.backends.helm.found import Found, Spec, echoed, named_release
from policysync.backends.helm.login import Holdings
from policysync.backends.helm.observed import Key, Object, foreign, keyed, laid_on, parts, sign_in
from policysync.backends.helm.places import Places
from policysync.backends.secret_source import named
from policysync.render.aqua_helm import TUNNELS_MARK
from policysync.render.aqua_objects import MANAGED_BY, MEMBERS, NAME, SECRET, manifests
from policysync.render.aqua_tunnels import documented_file, tunnels_digest
from policysync.state.resource import Hindrance

_RELEASE = "meta.helm.sh/release-name"
There = Mapping[Key, Object]


def plain(places: Places, declared: Spec) -> Found | None:
    """Return what plain objects of ours say; None where there are none."""
    wanted = keyed(manifests(declared, lambda source: f"<{named(source)}>"))
    _, namespace = named_release(declared)
    there = places.held(wanted.values(), namespace)
    deployment = there.get(("Deployment", NAME))
    if deployment is None:
        return None
    if not _is_ours(deployment):
        return Found({}, Hindrance("blocked", "other-owner", _whose(deployment, namespace)))
    said = parts(there.values(), declared)
    variables = sign_in(there.values())
    pull, held = _pull_secret(declared, there)
    account = dict(declared.get("serviceAccount") or {})
    account["create"] = ("ServiceAccount", str(account.get("name"))) in there
    own = {
        "install": {"method": "manifests"},
        "image": dict(declared.get("image") or {}),
        "platform": declared.get("platform"),
        "serviceAccount": account,
        "imagePullSecret": pull,
        "auth": {"method": "token" if "tokenFrom" in variables else "userPassword"},
    }
    # What is in a Secret is compared as a login, and a namespace may be somebody else's.
    compared = [thing for (kind, _), thing in wanted.items() if kind not in ("Secret", "Namespace")]
    strange = [f"{kind} {name} is gone" for kind, name in wanted if kind == "Secret" and (kind, name) not in there]
    strange += foreign(compared, there)
    marks = deployment["spec"]["template"]["metadata"].get("annotations") or {}
    if marks.get(TUNNELS_MARK) != tunnels_digest(documented_file(said.get("tunnels", ()))):
        strange.append(f"Deployment {NAME} {TUNNELS_MARK}")
    spec = {**laid_on({**echoed(declared), **own}, said), "foreign": strange}
    return Found(spec, logins={"auth": _auth(variables, there), "imagePullSecret": held}, marks=marks)


def _auth(variables: Mapping[str, tuple[str, str]], there: There) -> Holdings:
    """Return what the pods sign in with: a Secret of git's, or what is in ours."""
    ours = there.get(("Secret", SECRET), {}).get("data") or {}
    keys = dict(MEMBERS)
    return {
        member: _decoded(ours.get(key)) if (secret, key) == (SECRET, keys[member]) else {"name": secret, "key": key}
        for member, (secret, key) in variables.items()
    }


def _pull_secret(declared: Spec, there: There) -> tuple[dict[str, Any], Holdings]:
    """Return the pull secret without its login, and the login; one that is not ours is as git says."""
    wanted = dict(declared.get("imagePullSecret") or {})
    if not wanted.get("create"):
        return wanted, {}
    data = there.get(("Secret", str(wanted.get("name"))), {}).get("data") or {}
    try:
        ((server, login),) = json.loads(_decoded(data.get(".dockerconfigjson")))["auths"].items()
        held = {"usernameFrom": str(login["username"]), "passwordFrom": str(login["password"])}
    except (ValueError, KeyError, TypeError, AttributeError):
        # Nothing a cluster could pull with either.
        server, held = wanted.get("server"), {"usernameFrom": "", "passwordFrom": ""}
    return {"create": True, "name": wanted.get("name"), "server": server}, held


def _decoded(data: Any) -> str:
    """Return a value of a Secret's data."""
    return base64.b64decode(data).decode("utf-8", "replace") if isinstance(data, str) else ""


def _is_ours(thing: Object) -> bool:
    labels = thing["metadata"].get("labels") or {}
    return all(labels.get(name) == value for name, value in MANAGED_BY.items())


def _whose(deployment: Object, namespace: str) -> str:
    """Return who has the Deployment, and what to do about it."""
    said = f"Deployment {NAME} of namespace {namespace}"
    if release := (deployment["metadata"].get("annotations") or {}).get(_RELEASE):
        return (
            f"{said} belongs to release {release}; a namespace holds one connector: choose another `release.namespace`,"
            f" name that release in `release.name`, or end it with `helm uninstall {release} -n {namespace}`"
        )
    return (
        f"{said} does not carry the label of policysync; choose another `release.namespace`, or let whoever made it"
        " delete it"
    )
